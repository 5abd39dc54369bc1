"""Signer outliers: letters that one signer forms unlike the others, measured from landmarks without training."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from aslkit.core.letters import LETTERS
from aslkit.core.robust_statistics import robust_std
from aslkit.train.data.samples import Samples
from aslkit.vision.hand_landmarker import PARENT
from aslkit.vision.preprocess import Array

OUTLIER_MADS: Final = 3.0
"""A form is an outlier if its distance to the most similar other signer exceeds the median distance by this many median
absolute deviations, scaled as in `robust_std`."""

MAX_LOOKALIKE_RATIO: Final = 1.5
"""A form looks like another letter if its distance to that letter is at most this many times the median distance."""

ADVICE: Final = (
    "Check these images. If they show the letter from another side or in another variant, keep both forms and record "
    "more signers who sign it this way. If they show another letter, relabel them."
)
"""What to do about signer outliers."""

MAX_FRAMES: Final = 1000
"""Frames of a signer's letter that are compared, at most."""

MIN_FRAMES: Final = 5
"""Minimum number of a signer's frames of a letter; with fewer, the letter is not compared."""


@dataclass(frozen=True, kw_only=True)
class SignerOutlier:
    """A letter that one signer forms unlike the others.

    A signer's form of a letter is the mean over their frames. The distance between two forms is the mean angle between
    corresponding bones, degrees.

    Attributes:
        signer, letter: the signer and the letter.
        distance: distance to the most similar form of the same letter by another signer, degrees.
        usual: median of that distance over all signers and letters, degrees.
        looks_like: letter and signer of the most similar form of all, if it is another letter; else ("", "").
        nearness: distance to the most similar form of all, degrees.
        stray: share of the signer's frames that are more similar to another letter than to this one, 0–1.
        key: key of the signer's most typical frame.
        other_key: key of the most typical frame of the most similar other signer.
    """

    signer: str
    letter: str
    distance: float
    usual: float
    looks_like: tuple[str, str]
    nearness: float
    stray: float
    key: str
    other_key: str

    @property
    def text(self) -> str:
        """Description in one sentence."""
        other_letter, other_signer = self.looks_like
        if other_letter and self.nearness <= MAX_LOOKALIKE_RATIO * self.usual:
            return (
                f"{self.letter} of {self.signer} looks like {other_letter} of {other_signer}: {self.stray:.0%} of the "
                "frames are more similar to another letter."
            )
        return (
            f"{self.letter} of {self.signer} differs from all others: {self.distance:.0f}° from the most similar "
            f"signer; {self.usual:.0f}° is usual."
        )


def find_signer_outliers(samples: Samples) -> list[SignerOutlier]:
    """Find letters that one signer forms unlike all other signers, largest distance first.

    Signers of the test set are ignored. A letter is compared if at least two signers have MIN_FRAMES frames of it. With
    exactly two signers it is unknown which one is the outlier, so both are reported.

    Args:
        samples: the dataset, with landmarks. For crops the result is empty.
    """
    if samples.hands.ndim != 3:
        return []
    rows = np.flatnonzero((samples.split != "test") & samples.hand_found & ~samples.is_copy)
    rows = _limit_frames(rows, samples.signer[rows], samples.label[rows])
    bones, signer, label = _bone_directions(samples.read_hands(rows)), samples.signer[rows], samples.label[rows]
    forms = [
        (str(name), int(letter))
        for name in np.unique(signer)
        for letter in np.unique(label)
        if ((signer == name) & (label == letter)).sum() >= MIN_FRAMES
    ]
    if len({name for name, _ in forms}) < 2:
        return []
    _align_handedness(bones, signer, label, forms)
    means = np.stack([_mean_directions(bones[(signer == name) & (label == letter)]) for name, letter in forms])
    distances = _mean_angles(means, means)
    names, letters = np.array([name for name, _ in forms]), np.array([letter for _, letter in forms])
    other_signer = names[:, None] != names[None]
    # Infinite if two forms cannot be compared, so that they are never the nearest.
    same_letter = np.where(other_signer & (letters[:, None] == letters[None]), distances, np.inf)
    nearest = same_letter.min(axis=1)
    comparable = np.isfinite(nearest)
    usual = float(np.median(nearest[comparable])) if comparable.any() else 0.0
    limit = usual + OUTLIER_MADS * robust_std(nearest[comparable], usual) if comparable.any() else np.inf
    outliers = []
    for form in np.flatnonzero(comparable & (nearest > limit)):
        others = other_signer[form]
        to_others = _mean_angles(bones[(signer == names[form]) & (label == letters[form])], means[others])
        stray = float((letters[others][to_others.argmin(axis=1)] != letters[form]).mean())
        like = int(np.where(others, distances[form], np.inf).argmin())
        other = int(same_letter[form].argmin())
        outliers.append(
            SignerOutlier(
                signer=str(names[form]),
                letter=LETTERS[letters[form]],
                distance=round(float(nearest[form]), 1),
                usual=round(usual, 1),
                looks_like=("", "") if letters[like] == letters[form] else (LETTERS[letters[like]], str(names[like])),
                nearness=round(float(distances[form, like]), 1),
                stray=round(stray, 3),
                key=_most_typical_key(samples, rows, bones, signer, label, forms[form], means[form]),
                other_key=_most_typical_key(samples, rows, bones, signer, label, forms[other], means[other]),
            )
        )
    return sorted(outliers, key=lambda outlier: -outlier.distance)


def _limit_frames(rows: Any, signer: Any, label: Any) -> Any:
    """Return at most MAX_FRAMES rows of each signer and letter, evenly spread over the recording."""
    _, form = np.unique(np.unique(signer, return_inverse=True)[1] * len(LETTERS) + label, return_inverse=True)
    order = np.argsort(form, kind="stable")
    count = np.bincount(form)
    rank = np.arange(len(rows)) - np.repeat(np.cumsum(count) - count, count)
    step = -(-count // MAX_FRAMES)[form[order]]
    return np.sort(rows[order[rank % step == 0]])


def _bone_directions(points: Array) -> Array:
    """Return unit vectors of the bones, float32 (n, 20, 3). Depth has half weight: MediaPipe only estimates it."""
    bones = (points[:, 1:] - points[:, PARENT]) * np.array([1, 1, 0.5], np.float32)
    result: Array = bones / (np.linalg.norm(bones, axis=-1, keepdims=True) + np.float32(1e-6))
    return result


def _mean_directions(bones: Array) -> Array:
    mean = bones.mean(axis=0)
    result: Array = mean / (np.linalg.norm(mean, axis=-1, keepdims=True) + np.float32(1e-6))
    return result


def _mean_angles(first: Array, second: Array) -> npt.NDArray[np.float64]:
    """Return the mean angle between the bones of (n, 20, 3) and (m, 20, 3) hands, degrees, (n, m)."""
    # (n, m, 20). Rounding can give 1.0000001, which arccos would turn into NaN.
    cosines = np.einsum("nbk,mbk->nmb", first, second)
    return np.asarray(np.degrees(np.arccos(np.clip(cosines, -1, 1))).mean(axis=-1), np.float64)


def _align_handedness(bones: Array, signer: Any, label: Any, forms: list[tuple[str, int]]) -> None:
    """Mirror all hands of a signer, in place, if that makes them more similar to the first signer's.

    MediaPipe sometimes mistakes left and right hands.
    """
    first = forms[0][0]
    reference = {
        letter: _mean_directions(bones[(signer == first) & (label == letter)])
        for name, letter in forms
        if name == first
    }
    flip = np.array([-1, 1, 1], np.float32)
    for name in dict.fromkeys(name for name, _ in forms if name != first):
        shared = [letter for other, letter in forms if other == name and letter in reference]
        means = [_mean_directions(bones[(signer == name) & (label == letter)]) for letter in shared]
        distance = sum(
            float(_mean_angles(mean[None], reference[letter][None])[0, 0])
            for mean, letter in zip(means, shared, strict=True)
        )
        mirrored_distance = sum(
            float(_mean_angles((mean * flip)[None], reference[letter][None])[0, 0])
            for mean, letter in zip(means, shared, strict=True)
        )
        if mirrored_distance < distance:
            bones[signer == name] *= flip


def _most_typical_key(
    samples: Samples, rows: Any, bones: Array, signer: Any, label: Any, form: tuple[str, int], mean: Array
) -> str:
    """Return the key of the frame that is most similar to the mean of a form."""
    own = np.flatnonzero((signer == form[0]) & (label == form[1]))
    return str(samples.key[rows[own[_mean_angles(bones[own], mean[None])[:, 0].argmin()]]])
