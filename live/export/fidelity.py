"""What an export lost: the network before and after, on real frames."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from aslkit.inference.network import Network
from aslkit.live.export.sample_frames import SampleFrames
from aslkit.vision.preprocess import Array

MEASURED: Final = 5000
CALIBRATED: Final = 500
"""Frames that are measured on, and from which eight bits get their ranges."""


@dataclass(frozen=True, kw_only=True)
class Fidelity:
    """How an export differs from the network it was made of.

    Attributes:
        dataset, people: whose frames these are.
        strangers: whether the model learned from none of them; else the accuracies flatter, before and after alike.
        frames: how many.
        same: share of frames with the same letter, 0–1.
        biggest: the biggest difference of a probability, 0–1.
        before, after: share of right letters, 0–1, among frames in which a hand was found.
        xnnpack_same: as `same`, where XNNPACK computes, which TensorFlow Lite lets do so by default; None where it is
            not asked, or cannot run the file.
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
    exported: Callable[[Array], Array],
    frames: SampleFrames,
    *,
    dataset: Path,
    trained_on: set[str],
    xnnpack: Callable[[Array], Array] | None = None,
) -> Fidelity:
    """Compare a network with what it was exported to.

    Args:
        network: before.
        exported: after: inputs float32 (n, *shape) to probabilities (n, classes).
        frames: real ones.
        dataset: where they are from.
        trained_on: signers that the network learned from.
        xnnpack: `exported` as XNNPACK computes it.
    """
    before, after = network(frames.inputs), exported(frames.inputs)
    people = set(frames.signer.tolist())
    return Fidelity(
        dataset=dataset.name,
        people=tuple(sorted(people)),
        strangers=not people & trained_on,
        frames=len(frames),
        same=_same(before, after),
        biggest=float(np.abs(before - after).max()),
        before=float((before.argmax(axis=1) == frames.label).mean()),
        after=float((after.argmax(axis=1) == frames.label).mean()),
        xnnpack_same=_asked(xnnpack, frames.inputs, before),
    )


def _asked(xnnpack: Callable[[Array], Array] | None, inputs: Array, before: Array) -> float | None:
    try:
        return None if xnnpack is None else _same(before, xnnpack(inputs))
    except RuntimeError:  # it cannot run the file; TensorFlow Lite's own kernels can
        return None


def _same(before: Array, after: Array) -> float:
    return float((before.argmax(axis=1) == after.argmax(axis=1)).mean())
