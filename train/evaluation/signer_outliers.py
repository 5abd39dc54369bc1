"""Signer outliers: letters that one signer forms unlike the others, measured from landmarks without training."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from aslkit.core.letters import LETTERS
from aslkit.core.robust_statistics import robust_std
from aslkit.train.data.embedding_views import read_points
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

MAX_FRAMES: Final = 100_000
"""Frames that are compared, over all signers and letters; with many of them, the same number of each, but at least
MIN_COMPARED."""

MIN_COMPARED: Final = 20

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
    if samples.hands.ndim > 3:
        return []
    forms = _read_forms(samples)
    if len(set(forms.signer.tolist())) < 2:
        return []
    _align_handedness(forms)
    other_signer = forms.signer[:, None] != forms.signer[None]
    nearest, partner = np.full(len(forms), np.inf), np.zeros(len(forms), np.int64)
    for letter in np.unique(forms.letter):
        own = np.flatnonzero(forms.letter == letter)
        # Infinite if two forms cannot be compared, so that they are never the nearest.
        distances = np.where(other_signer[np.ix_(own, own)], _mean_angles(forms.mean[own], forms.mean[own]), np.inf)
        nearest[own], partner[own] = distances.min(axis=1), own[distances.argmin(axis=1)]
    comparable = np.isfinite(nearest)
    if not comparable.any():
        return []
    usual = float(np.median(nearest[comparable]))
    limit = usual + OUTLIER_MADS * robust_std(nearest[comparable], usual)
    outliers = [
        _describe_outlier(samples, forms, form, int(partner[form]), float(nearest[form]), usual)
        for form in np.flatnonzero(comparable & (nearest > limit))
    ]
    return sorted(outliers, key=lambda outlier: -outlier.distance)


@dataclass(frozen=True, kw_only=True)
class _Forms:
    """The letters of each signer that have enough frames: m forms.

    Attributes:
        signer: name of the signer, object (m,) of str.
        letter: index of the letter, int64 (m,).
        rows: the frames of each form in the dataset.
        bones: bone directions of these frames, float32 (frames, 20, 3) for each form.
        mean: mean bone directions, float32 (m, 20, 3).
    """

    signer: npt.NDArray[np.object_]
    letter: npt.NDArray[np.int64]
    rows: list[npt.NDArray[np.int64]]
    bones: list[Array]
    mean: Array

    def __len__(self) -> int:
        """Number of forms."""
        return len(self.letter)


def _read_forms(samples: Samples) -> _Forms:
    """Return the forms outside the test set, signer by signer."""
    rows = np.flatnonzero((samples.split != "test") & samples.hand_found & ~samples.is_copy)
    names, signer = np.unique(samples.signer[rows], return_inverse=True)
    code = signer * len(LETTERS) + samples.label[rows]
    order = np.argsort(code, kind="stable")
    codes, counts = np.unique(code, return_counts=True)
    parts = zip(codes.tolist(), np.split(rows[order], np.cumsum(counts)[:-1]), strict=True)
    most = max(MIN_COMPARED, MAX_FRAMES // max(1, len(codes)))
    # Evenly spread over the recording, if there are more.
    kept = [(each, part[:: -(-len(part) // most)]) for each, part in parts if len(part) >= MIN_FRAMES]
    bones = [_bone_directions(read_points(samples.read_hands(part))) for _, part in kept]
    code = np.array([each for each, _ in kept], np.int64)
    return _Forms(
        signer=names[code // len(LETTERS)],
        letter=code % len(LETTERS),
        rows=[part for _, part in kept],
        bones=bones,
        mean=np.stack([_mean_directions(each) for each in bones]) if bones else np.zeros((0, 20, 3), np.float32),
    )


def _describe_outlier(
    samples: Samples, forms: _Forms, form: int, partner: int, distance: float, usual: float
) -> SignerOutlier:
    others = np.flatnonzero(forms.signer != forms.signer[form])
    to_others = _mean_angles(forms.mean[form][None], forms.mean[others])[0]
    like = others[to_others.argmin()]
    of_frames = _mean_angles(forms.bones[form], forms.mean[others])
    same_letter = forms.letter[like] == forms.letter[form]
    return SignerOutlier(
        signer=str(forms.signer[form]),
        letter=LETTERS[forms.letter[form]],
        distance=round(distance, 1),
        usual=round(usual, 1),
        looks_like=("", "") if same_letter else (LETTERS[forms.letter[like]], str(forms.signer[like])),
        nearness=round(float(to_others.min()), 1),
        stray=round(float((forms.letter[others][of_frames.argmin(axis=1)] != forms.letter[form]).mean()), 3),
        key=_most_typical_key(samples, forms, form),
        other_key=_most_typical_key(samples, forms, partner),
    )


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


def _align_handedness(forms: _Forms) -> None:
    """Mirror all hands of a signer, in place, if that makes them more similar to the first signer's.

    MediaPipe sometimes mistakes left and right hands.
    """
    flip = np.array([-1, 1, 1], np.float32)
    first = {forms.letter[form]: forms.mean[form] for form in np.flatnonzero(forms.signer == forms.signer[0])}
    for name in dict.fromkeys(forms.signer.tolist()):
        own = np.flatnonzero(forms.signer == name)
        shared = [form for form in own if forms.letter[form] in first and name != forms.signer[0]]
        distance, mirrored = (
            sum(float(_mean_angles((forms.mean[form] * sign)[None], first[forms.letter[form]][None])[0, 0])
                for form in shared) for sign in (np.float32(1), flip)
        )  # fmt: skip
        if mirrored < distance:
            forms.mean[own] *= flip
            for form in own:
                forms.bones[form] *= flip


def _most_typical_key(samples: Samples, forms: _Forms, form: int) -> str:
    """Return the key of the frame that is most similar to the mean of a form."""
    angles = _mean_angles(forms.bones[form], forms.mean[form][None])
    return str(samples.key[forms.rows[form][angles[:, 0].argmin()]])
