"""Synthetic negative samples, derived from frames with a letter: transitions, rest poses and false detections."""

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

from aslkit.train.data.embedding_views import embedding_inputs, join_hands, split_hands
from aslkit.vision.hand_landmarker import PARENT
from aslkit.vision.preprocess import Array

KINDS: Final = ("on the way", "at rest", "misfound")
"""Transitions, rest poses and false detections, as metrics.json names them."""

_REST_ROTATION_DEG: Final = (120.0, 240.0)
"""Range of the rotation of a rest pose, degrees, from an upright hand: the fingers point down or to the side."""

_FALSE_DETECTION_STD: Final = 0.3
"""Standard deviation of the landmarks of a false detection, palm lengths."""

TRANSITION_FRAMES: Final = 5
"""Frames of a transition: a third of a second at 15 frames per second."""

MIN_HELD_FRAMES: Final = 3
"""Consecutive frames in which a letter must be predicted to be recognised: a fifth of a second."""

TRANSITIONS_PER_MINUTE: Final = 60
"""Transitions per minute when spelling one letter per second, the speed of a learner."""

Labels = npt.NDArray[np.int64]
Signers = npt.NDArray[np.str_] | npt.NDArray[np.object_]


def make_negatives(
    hands: Array, label: Labels, signer: Signers, kind: str, count: int, rng: np.random.Generator
) -> Array:
    """Derive negative samples from pairs of hands of one signer that show different letters.

    Args:
        hands: as in `Samples.hands`.
        label: index of the letter, int64 (n,).
        signer: names, str (n,).
        kind: one of KINDS.
        count: number of pairs to draw. Pairs of the same letter are dropped.
        rng: random number generator.

    Returns:
        At most `count` hands, float32, of the same shape as `hands`; none if no signer has two letters.
    """
    make = _MAKERS[hands.ndim][kind]
    first, second = draw_letter_pairs(label, signer, count, rng)
    return make(hands[first], hands[second], rng)


def make_transitions(
    hands: Array, label: Labels, signer: Signers, count: int, rng: np.random.Generator
) -> tuple[Array, Labels]:
    """Derive transitions from one letter to another, frame by frame.

    Args:
        hands: see `make_negatives`.
        label: see `make_negatives`.
        signer: see `make_negatives`.
        count: number of pairs to draw. Pairs of the same letter are dropped.
        rng: random number generator.

    Returns:
        The hands, float32 (m, TRANSITION_FRAMES, …) with m at most `count`, and the first and the last letter of each
        transition, int64 (m, 2).
    """
    first, second = draw_letter_pairs(label, signer, count, rng)
    blend = {2: _interpolate_rows, 3: interpolate_hands, 4: _blend_crops}[hands.ndim]
    shares = np.linspace(0, 1, TRANSITION_FRAMES + 2)[1:-1]
    frames = [blend(hands[first], hands[second], np.full(len(first), share)) for share in shares]
    return np.stack(frames, axis=1), np.stack([label[first], label[second]], axis=1)


def false_letter_rate(predicted: Labels, ends: Labels) -> float | None:
    """Return how many letters per minute of spelling are recognised that were not signed.

    Args:
        predicted: predicted letter in each frame of each transition, int64 (n, TRANSITION_FRAMES); negative if
            rejected.
        ends: first and last letter of each transition, int64 (n, 2). Recognising one of them is not an error.

    Returns:
        Expected number per minute, at TRANSITIONS_PER_MINUTE; None without transitions.
    """
    if not len(predicted):
        return None
    windows = [
        predicted[:, start : start + MIN_HELD_FRAMES] for start in range(TRANSITION_FRAMES - MIN_HELD_FRAMES + 1)
    ]
    held = np.stack([np.where((window == window[:, :1]).all(axis=1), window[:, 0], -1) for window in windows], axis=1)
    false = (held >= 0) & (held != ends[:, :1]) & (held != ends[:, 1:])
    return float(false.any(axis=1).mean() * TRANSITIONS_PER_MINUTE)


def draw_letter_pairs(label: Labels, signer: Signers, count: int, rng: np.random.Generator) -> tuple[Labels, Labels]:
    """Draw `count` pairs of frames of one signer, and return the rows of those with two different letters."""
    if not len(label):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    first = rng.integers(len(label), size=count)
    second = np.empty_like(first)
    for name in np.unique(signer):
        rows = np.flatnonzero(signer == name)
        of_signer = signer[first] == name
        second[of_signer] = rng.choice(rows, size=int(of_signer.sum()))
    different = label[first] != label[second]
    return first[different], second[different]


def interpolate_hands(first: Array, second: Array, share: npt.NDArray[np.float64]) -> Array:
    """Interpolate between hands: the direction of each bone, and its length.

    Args:
        first: landmarks, float32 (n, 21, 3).
        second: landmarks, float32 (n, 21, 3).
        share: position between first (0) and second (1), float64 (n,).

    Returns:
        float32 (n, 21, 3).
    """
    bones = [hand[:, 1:] - hand[:, PARENT] for hand in (first, second)]
    lengths = [np.linalg.norm(each, axis=-1, keepdims=True) + 1e-6 for each in bones]
    weight = share[:, None, None]
    blended = (1 - weight) * bones[0] / lengths[0] + weight * bones[1] / lengths[1]
    blended /= np.linalg.norm(blended, axis=-1, keepdims=True) + 1e-6
    blended *= (1 - weight) * lengths[0] + weight * lengths[1]
    points = np.zeros_like(first)
    for joint in range(1, 21):
        points[:, joint] = points[:, PARENT[joint - 1]] + blended[:, joint - 1]
    return points


def make_rest_hands(first: Array, second: Array, rng: np.random.Generator) -> Array:
    """Derive rest poses: hands halfway between two letters, rotated so that the fingers hang or lie.

    Args:
        first: landmarks, float32 (n, 21, 3).
        second: landmarks, float32 (n, 21, 3).
        rng: random number generator.

    Returns:
        float32 (n, 21, 3).
    """
    return _rotate(_interpolate_midway(first, second, rng), _rest_angles(len(first), rng))


def _rest_angles(count: int, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    return np.asarray(np.deg2rad(rng.uniform(*_REST_ROTATION_DEG, count)))


def _rotate(points: Array, angle: npt.NDArray[np.float64]) -> Array:
    """Rotate points, (n, k, 2) or (n, k, 3), in the image plane by an angle each, radians, clockwise as seen."""
    rotated = points.copy()
    rotated[..., 0] = points[..., 0] * np.cos(angle)[:, None] - points[..., 1] * np.sin(angle)[:, None]
    rotated[..., 1] = points[..., 0] * np.sin(angle)[:, None] + points[..., 1] * np.cos(angle)[:, None]
    return rotated


def _interpolate_midway(first: Array, second: Array, rng: np.random.Generator) -> Array:
    return interpolate_hands(first, second, rng.uniform(0.3, 0.7, len(first)))


def _make_false_detections(first: Array, second: Array, rng: np.random.Generator) -> Array:
    palm = np.linalg.norm(first[:, 9], axis=-1)[:, None, None]
    return np.asarray(first + rng.normal(0, _FALSE_DETECTION_STD, first.shape) * palm, np.float32)


def _interpolate_rows(first: Array, second: Array, share: npt.NDArray[np.float64]) -> Array:
    """Interpolate between rows of landmarks and embeddings; the result has the first view only."""
    weight = share[:, None].astype(np.float32)
    embeddings = (1 - weight) * embedding_inputs(first) + weight * embedding_inputs(second)
    return join_hands(interpolate_hands(split_hands(first)[0], split_hands(second)[0], share), embeddings[:, None])


def _interpolate_rows_midway(first: Array, second: Array, rng: np.random.Generator) -> Array:
    return _interpolate_rows(first, second, rng.uniform(0.3, 0.7, len(first)))


def _make_rest_rows(first: Array, second: Array, rng: np.random.Generator) -> Array:
    points, embeddings = split_hands(_interpolate_rows_midway(first, second, rng))
    angle = _rest_angles(len(first), rng)
    # The embedding ends with sine and cosine of the hand's clockwise rotation: the direction (x, -y) of its fingers.
    direction = embeddings[..., -2:] * np.array([1, -1], np.float32)
    rotated = _rotate(direction, angle) * np.array([1, -1], np.float32)
    return join_hands(_rotate(points, angle), np.concatenate([embeddings[..., :-2], rotated], axis=-1))


def _make_false_rows(first: Array, second: Array, rng: np.random.Generator) -> Array:
    points, embeddings = split_hands(first)
    # Half of the values are those of another letter: an embedding that no hand has.
    other = rng.random(embeddings[:, :1].shape) < 0.5
    mixed = np.where(other, split_hands(second)[1][:, :1], embeddings[:, :1])
    return join_hands(_make_false_detections(points, points, rng), mixed)


def _blend_crops(first: Array, second: Array, share: npt.NDArray[np.float64]) -> Array:
    weight = share[:, None, None, None].astype(np.float32)
    return np.asarray((1 - weight) * first + weight * second, np.float32)


def _blend_crops_midway(first: Array, second: Array, rng: np.random.Generator) -> Array:
    return _blend_crops(first, second, rng.uniform(0.3, 0.7, len(first)))


def _make_rest_crops(first: Array, second: Array, rng: np.random.Generator) -> Array:
    return np.ascontiguousarray(_blend_crops_midway(first, second, rng)[:, ::-1])


def _make_background_crops(first: Array, second: Array, rng: np.random.Generator) -> Array:
    """Shift crops until they show mostly background and only a corner of the hand."""
    size = first.shape[1]
    steps = rng.choice([-1, 1], size=(len(first), 2)) * rng.integers(size // 2, 3 * size // 4 + 1, (len(first), 2))
    shifted = np.empty_like(first)
    for index, (down, right) in enumerate(steps):
        rows, columns = (np.clip(np.arange(size) + step, 0, size - 1) for step in (down, right))
        shifted[index] = first[index][rows][:, columns]
    return shifted


_MAKERS: Final[dict[int, dict[str, Callable[[Array, Array, np.random.Generator], Array]]]] = {
    2: dict(zip(KINDS, (_interpolate_rows_midway, _make_rest_rows, _make_false_rows), strict=True)),
    3: dict(zip(KINDS, (_interpolate_midway, make_rest_hands, _make_false_detections), strict=True)),
    4: dict(zip(KINDS, (_blend_crops_midway, _make_rest_crops, _make_background_crops), strict=True)),
}
"""Number of dimensions of the hands to kind to function: rows of landmarks and embeddings, landmarks, or crops."""
