"""Frames that show no letter, made from those that do: a hand on its way between two letters, at rest, or misfound."""

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

from aslkit.vision.hand_landmarker import PARENT
from aslkit.vision.preprocess import Array

KINDS: Final = ("on the way", "at rest", "misfound")

_REST_TURN_DEG: Final = (120.0, 240.0)
"""A resting hand hangs or lies, fingers down or to the side, seen from where an upright one is at 0."""

_MISFOUND: Final = 0.3
"""Standard deviation of the joints' places, palm lengths, where the landmarker took something else for a hand."""

STEPS: Final = 5
"""Frames of a hand on its way: a third of a second at 15 frames a second."""

HELD: Final = 3
"""Frames for which a letter must be said to count as said: a fifth of a second."""

A_MINUTE: Final = 60
"""Ways from letter to letter in a minute, at the pace of a learner, a letter a second."""

Labels = npt.NDArray[np.int64]
People = npt.NDArray[np.str_]


def make_negatives(raw: Array, label: Labels, signer: People, kind: str, count: int, rng: np.random.Generator) -> Array:
    """Make frames without a letter out of hands.

    Args:
        raw: float32 (n, 21, 3) hands as `canonical_points` gives them, or (n, size, size, 1) crops.
        label: int64 (n,), their letters.
        signer: str (n,).
        kind: one of KINDS.
        count: how many; none come where there are fewer than two letters of a signer.
        rng: source of chance.

    Returns:
        float32 (at most count, …), as `raw`.
    """
    make = (_MAKE if raw.ndim == 3 else _MAKE_CROPS)[kind]
    first, second = draw_letter_pairs(label, signer, count, rng)
    return make(raw[first], raw[second], rng)


def make_transitions(
    raw: Array, label: Labels, signer: People, count: int, rng: np.random.Generator
) -> tuple[Array, Labels]:
    """Make whole ways from one letter to another, frame by frame.

    Returns:
        raw, float32 (count, STEPS, …), and the two letters, int64 (count, 2).
    """
    first, second = draw_letter_pairs(label, signer, count, rng)
    blend = interpolate_hands if raw.ndim == 3 else _mixed
    shares = np.linspace(0, 1, STEPS + 2)[1:-1]
    frames = [blend(raw[first], raw[second], np.full(len(first), share)) for share in shares]
    return np.stack(frames, axis=1), np.stack([label[first], label[second]], axis=1)


def false_letter_rate(said: Labels, ends: Labels) -> float | None:
    """Letters said in a minute of spelling that were not signed.

    Args:
        said: int64 (count, STEPS), of the frames of each way; negative where refused.
        ends: int64 (count, 2), the letters between which it leads: saying one of those a little early is no fault.

    Returns:
        expected number a minute, at A_MINUTE ways; None where there are no ways to ask about.
    """
    if not len(said):
        return None
    runs = [said[:, start : start + HELD] for start in range(STEPS - HELD + 1)]
    held = np.stack([np.where((run == run[:, :1]).all(axis=1), run[:, 0], -1) for run in runs], axis=1)
    false = (held >= 0) & (held != ends[:, :1]) & (held != ends[:, 1:])
    return float(false.any(axis=1).mean() * A_MINUTE)


def draw_letter_pairs(label: Labels, signer: People, count: int, rng: np.random.Generator) -> tuple[Labels, Labels]:
    """Draw pairs of frames of one signer and two letters: their rows."""
    if not len(label):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    first = rng.integers(len(label), size=count)
    second = np.empty_like(first)
    for name in np.unique(signer):
        own = np.flatnonzero(signer == name)
        mine = signer[first] == name
        second[mine] = rng.choice(own, size=int(mine.sum()))
    apart = label[first] != label[second]
    return first[apart], second[apart]


def interpolate_hands(first: Array, second: Array, share: npt.NDArray[np.float64]) -> Array:
    """Hands between two others: each bone points between the two directions and is as long as the two on average."""
    bones = [hand[:, 1:] - hand[:, PARENT] for hand in (first, second)]
    lengths = [np.linalg.norm(each, axis=-1, keepdims=True) + 1e-6 for each in bones]
    other = share[:, None, None]
    ahead = (1 - other) * bones[0] / lengths[0] + other * bones[1] / lengths[1]
    ahead /= np.linalg.norm(ahead, axis=-1, keepdims=True) + 1e-6
    ahead *= (1 - other) * lengths[0] + other * lengths[1]
    points = np.zeros_like(first)
    for joint in range(1, 21):
        points[:, joint] = points[:, PARENT[joint - 1]] + ahead[:, joint - 1]
    return points


def _on_the_way(first: Array, second: Array, rng: np.random.Generator) -> Array:
    return interpolate_hands(first, second, rng.uniform(0.3, 0.7, len(first)))


def make_rest_hands(first: Array, second: Array, rng: np.random.Generator) -> Array:
    """Half-closed as between two letters, and hanging."""
    hands = _on_the_way(first, second, rng)
    angle = np.deg2rad(rng.uniform(*_REST_TURN_DEG, len(hands)))
    turned = hands.copy()
    turned[..., 0] = hands[..., 0] * np.cos(angle)[:, None] - hands[..., 1] * np.sin(angle)[:, None]
    turned[..., 1] = hands[..., 0] * np.sin(angle)[:, None] + hands[..., 1] * np.cos(angle)[:, None]
    return turned


def _misfound(first: Array, second: Array, rng: np.random.Generator) -> Array:
    size = np.linalg.norm(first[:, 9], axis=-1)[:, None, None]
    return np.asarray(first + rng.normal(0, _MISFOUND, first.shape) * size, np.float32)


def _mixed(first: Array, second: Array, share: npt.NDArray[np.float64]) -> Array:
    other = share[:, None, None, None].astype(np.float32)
    return np.asarray((1 - other) * first + other * second, np.float32)


def _crops_on_the_way(first: Array, second: Array, rng: np.random.Generator) -> Array:
    return _mixed(first, second, rng.uniform(0.3, 0.7, len(first)))


def _cropsat_rest(first: Array, second: Array, rng: np.random.Generator) -> Array:
    return np.ascontiguousarray(_crops_on_the_way(first, second, rng)[:, ::-1])


def _crops_misfound(first: Array, second: Array, rng: np.random.Generator) -> Array:
    """Mostly background: the crop, moved until only a corner of the hand is in it."""
    size = first.shape[1]
    steps = rng.choice([-1, 1], size=(len(first), 2)) * rng.integers(size // 2, 3 * size // 4 + 1, (len(first), 2))
    moved = np.empty_like(first)
    for index, (down, right) in enumerate(steps):
        rows, columns = (np.clip(np.arange(size) + step, 0, size - 1) for step in (down, right))
        moved[index] = first[index][rows][:, columns]
    return moved


_MAKE: Final[dict[str, Callable[[Array, Array, np.random.Generator], Array]]] = dict(
    zip(KINDS, (_on_the_way, make_rest_hands, _misfound), strict=True)
)
_MAKE_CROPS: Final[dict[str, Callable[[Array, Array, np.random.Generator], Array]]] = dict(
    zip(KINDS, (_crops_on_the_way, _cropsat_rest, _crops_misfound), strict=True)
)
