"""Measures how much an exported model differs from the original network, on real frames."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from aslkit.inference.network import Network
from aslkit.live.export.sample_frames import SampleFrames
from aslkit.vision.preprocess import Array

MAX_TEST_FRAMES: Final = 5000
"""Maximum number of frames on which fidelity is measured."""

MAX_CALIBRATION_FRAMES: Final = 500
"""Maximum number of frames from which int8 quantisation determines the ranges of values."""

Predict = Callable[[Array], Array]
"""Computes probabilities, float32 (n, classes), from inputs, float32 (n, *shape)."""


@dataclass(frozen=True, kw_only=True)
class Fidelity:
    """How an exported model differs from the original network. The attributes are keys of the JSON output.

    Attributes:
        dataset: name of the dataset.
        people: signers of the frames, sorted.
        strangers: whether all of these signers are unseen, that is, the model was not trained on them. Otherwise
            `before` and `after` are optimistic.
        frames: number of frames. A hand was found in each of them.
        same: share of frames with the same predicted letter, 0–1.
        biggest: largest difference of a probability, 0–1.
        before, after: accuracy before and after the export, 0–1.
        xnnpack_same: like `same`, if XNNPACK, the default of TensorFlow Lite, runs the model; None if it was not
            measured, or XNNPACK cannot run the model.
    """

    dataset: str
    people: tuple[str, ...]
    strangers: bool
    frames: int
    same: float
    biggest: float
    before: float
    after: float
    xnnpack_same: float | None = None


def measure_fidelity(
    network: Network,
    predict_exported: Predict,
    frames: SampleFrames,
    *,
    dataset: Path,
    trained_on: set[str],
    predict_xnnpack: Predict | None = None,
) -> Fidelity:
    """Compare an exported model with the original network.

    Args:
        network: original network.
        predict_exported: runs the exported model.
        frames: frames of the dataset.
        dataset: folder of the dataset.
        trained_on: signers that the network was trained on.
        predict_xnnpack: runs the exported model with XNNPACK.
    """
    before, after = network(frames.inputs), predict_exported(frames.inputs)
    signers = set(frames.signer.tolist())
    return Fidelity(
        dataset=dataset.name,
        people=tuple(sorted(signers)),
        strangers=not signers & trained_on,
        frames=len(frames),
        same=_share_of_same_letters(before, after),
        biggest=float(np.abs(before - after).max()),
        before=float((before.argmax(axis=1) == frames.label).mean()),
        after=float((after.argmax(axis=1) == frames.label).mean()),
        xnnpack_same=_measure_xnnpack(predict_xnnpack, frames.inputs, before),
    )


def _measure_xnnpack(predict_xnnpack: Predict | None, inputs: Array, before: Array) -> float | None:
    try:
        return None if predict_xnnpack is None else _share_of_same_letters(before, predict_xnnpack(inputs))
    except RuntimeError:  # XNNPACK does not support all operations
        return None


def _share_of_same_letters(before: Array, after: Array) -> float:
    return float((before.argmax(axis=1) == after.argmax(axis=1)).mean())
