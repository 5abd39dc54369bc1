"""Runs with networks that were never trained: what they say does not matter, only that it is said again."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from aslkit.core.letters import LETTERS
from aslkit.core.native_libraries import import_keras
from aslkit.inference.load_model import save_network
from aslkit.synthetic import Signer, SyntheticSession, render_frames
from aslkit.train.data.features import FEATURES
from aslkit.train.fitting.architectures import build_ensemble
from aslkit.vision.images import encode_jpeg
from aslkit.vision.preprocess import CONTRACT_FILE, MODEL_FILE

CASES = (
    ("landmarks", "mlp", 1),
    ("landmarks", "mlp", 3),
    ("pixels28", "mlp", 1),
    ("pixels28", "cnn", 1),
    ("pixels64", "cnn-bn", 1),
    ("hand28", "cnn-bn", 2),
    ("hand64", "cnn", 1),
)
"""Feature, architecture, members: each architecture, each feature."""


def randomise_weights(model: Any, rng: np.random.Generator) -> None:
    """Weights as after training: no bias is zero, no average at its start, one input never varied."""
    for weight in model.weights:
        if weight.name == "count" or "shared_out" in weight.path:
            continue
        drawn = rng.normal(0, 0.08, weight.shape).astype(np.float32)
        if weight.name in ("variance", "moving_variance", "gamma"):
            drawn = 1 + np.abs(drawn)
            drawn.flat[0] = 0.0 if weight.name == "variance" and drawn.size > 1 else drawn.flat[0]
        weight.assign(drawn)
    for layer in model._flatten_layers():
        if type(layer).__name__ == "Normalization":
            layer.finalize_state()


def run_of(feature: str, architecture: str, folder: Path, *, members: int = 1) -> Path:
    """Write a run: only what `aslkit live` and `aslkit export` need."""
    import_keras().utils.set_random_seed(0)
    contract = replace(FEATURES[feature].contract, temperature=0.5, threshold=0.05)
    _, model = build_ensemble(
        architecture, contract.shape, len(LETTERS), members=members, rest_class=contract.kind == "landmarks"
    )
    for layer in model._flatten_layers():
        if type(layer).__name__ == "Normalization":
            layer.adapt(np.random.default_rng(0).normal(0, 1, (64, *contract.shape)))
    (folder / "model").mkdir(parents=True)
    model.save(folder / "model" / MODEL_FILE)
    save_network(folder / "model", model)
    contract.save(folder / "model" / CONTRACT_FILE)
    return folder


def photograph(letter: str = "L") -> bytes:
    """A JPEG of a synthetic hand."""
    who = Signer.draw("synthetic-ada")
    return encode_jpeg(
        next(render_frames(letter, signer=who, session=SyntheticSession.draw(who, "one"), fps=2.0)).image
    )
