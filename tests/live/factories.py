"""Create runs with untrained networks, for tests that only compare predictions."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from aslkit.core.letters import LETTERS
from aslkit.core.native_libraries import import_keras
from aslkit.formats.prediction_metrics import HeldOutMetrics
from aslkit.formats.run_folder import METRICS_FILE
from aslkit.formats.run_metrics import RunMetrics, TrainingData
from aslkit.inference.load_model import save_network
from aslkit.synthetic import Signer, SyntheticSession, render_frames
from aslkit.train.data.features import FEATURES
from aslkit.train.fitting.architectures import build_ensemble
from aslkit.vision.images import encode_jpeg
from aslkit.vision.preprocess import CONTRACT_FILE, MODEL_FILE

CASES = (
    ("landmarks", "mlp", 1),
    ("landmarks", "mlp", 3),
    ("embedding", "mlp-384", 1),
    ("both", "mlp", 2),
    ("pixels28", "mlp", 1),
    ("pixels28", "cnn", 1),
    ("pixels64", "cnn-bn", 1),
    ("hand28", "cnn-bn", 2),
    ("hand64", "cnn", 1),
)
"""Feature, architecture and number of members. Contains every architecture and every feature."""


def randomise_weights(model: Any, rng: np.random.Generator) -> None:
    """Set random weights like those of a trained model: no bias is zero, and one input was constant in training."""
    for weight in model.weights:
        if weight.name == "count" or "shared_out" in weight.path:
            continue
        values = rng.normal(0, 0.08, weight.shape).astype(np.float32)
        if weight.name in ("variance", "moving_variance", "gamma"):
            values = 1 + np.abs(values)
            values.flat[0] = 0.0 if weight.name == "variance" and values.size > 1 else values.flat[0]
        weight.assign(values)
    for layer in model._flatten_layers():
        if type(layer).__name__ == "Normalization":
            layer.finalize_state()


def create_run(feature: str, architecture: str, folder: Path, *, members: int = 1) -> Path:
    """Write the files of a run that `aslkit live` and `aslkit export` need, and return its folder."""
    import_keras().utils.set_random_seed(0)
    contract = replace(FEATURES[feature].contract, temperature=0.5, threshold=0.05)
    _, model = build_ensemble(
        architecture, contract.shape, len(LETTERS), members=members, parts=FEATURES[feature].parts,
        rest_class=contract.kind != "pixels",
    )  # fmt: skip
    for layer in model._flatten_layers():
        if type(layer).__name__ == "Normalization":
            layer.adapt(np.random.default_rng(0).normal(0, 1, (64, *layer.input.shape[1:])))
    (folder / "model").mkdir(parents=True)
    model.save(folder / "model" / MODEL_FILE)
    save_network(folder / "model", model)
    contract.save(folder / "model" / CONTRACT_FILE)
    return folder


def write_training_data(run: Path, *, signers: Sequence[str] = (), letters: Sequence[str] = ()) -> None:
    """Write a metrics.json that names the signers and letters that a run was trained on."""
    trained_on = TrainingData(signers=list(signers), letters=list(letters))
    metrics = RunMetrics(unseen=HeldOutMetrics(), trained_on=trained_on)
    (run / METRICS_FILE).write_text(metrics.to_json())


def encode_hand(letter: str = "L") -> bytes:
    """Return a JPEG image of a synthetic hand."""
    signer = Signer.draw("synthetic-ada")
    session = SyntheticSession.draw(signer, "one")
    return encode_jpeg(next(render_frames(letter, signer=signer, session=session, fps=2.0)).image)
