"""Letters that one person signs unlike everybody else: found in the landmarks, before anything is trained."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from aslkit.core.letters import LETTERS
from aslkit.core.robust_statistics import robust_std
from aslkit.train.data.samples import Samples
from aslkit.vision.hand_landmarker import PARENT
from aslkit.vision.preprocess import Array

FAR: Final = 3.0
"""Median deviations above the median distance to the nearest other person's, from which a form counts as far."""

LIKE: Final = 1.5
"""Times the usual distance, up to which a form may be another letter under a wrong name."""

ADVICE: Final = (
    "Look at them. If it is the letter, seen from another side or signed another way, keep both forms and record more "
    "people who sign it so; if it is another letter, relabel it."
)
"""What to do about odd forms."""

FEWEST: Final = 5
"""Frames of a letter of a signer, without which nothing is said of it."""


@dataclass(frozen=True, kw_only=True)
class SignerOutlier:
    """A letter that a signer signs unlike the others.

    Attributes:
        signer, letter: whose, of which.
        distance: to the nearest other signer's form of the letter: mean angle between bones, degrees.
        usual: the median of that over all letters and signers, degrees.
        looks_like: letter and signer to whose form it lies nearest, if that is another letter; else "" and "".
        nearness: distance to that one, degrees.
        stray: share of its frames nearer to the middle of another letter of others than to that of the same letter.
        key: of the frame in its middle.
        other_key: of the frame in the middle of the nearest other signer's form of the letter.
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
        """What is odd about it, in a sentence."""
        letter, whose = self.looks_like
        own = f"{self.letter} of {self.signer}"
        if letter and self.nearness <= LIKE * self.usual:
            return f"{own} looks like {whose}'s {letter}: {self.stray:.0%} of its frames are nearer to another letter."
        apart = f"{self.distance:.0f}° from the nearest other, where {self.usual:.0f}° is usual"
        return f"{own} is a form of its own: {apart}."


def find_signer_outliers(samples: Samples) -> list[SignerOutlier]:
    """Find letters of signers that are far from everyone else's; the farthest first.

    Only people who are trained on are looked at. With fewer than two signers of a letter nothing can be said of it.
    With two, nobody can tell whose form is the odd one, and both are named.

    Args:
        samples: with landmarks; of other features nothing is found.
    """
    if samples.raw.ndim != 3:
        return []
    rows = np.flatnonzero((samples.split != "test") & samples.found & ~samples.copy)
    bones, signer, label = _directions(samples.raw[rows]), samples.signer[rows], samples.label[rows]
    cells = [
        (str(name), int(letter))
        for name in np.unique(signer)
        for letter in np.unique(label)
        if ((signer == name) & (label == letter)).sum() >= FEWEST
    ]
    if len({name for name, _ in cells}) < 2:
        return []
    _to_one_side(bones, signer, label, cells)
    means = np.stack([_mean(bones[(signer == name) & (label == letter)]) for name, letter in cells])
    apart = _angles(means, means)
    names, letters = np.array([name for name, _ in cells]), np.array([letter for _, letter in cells])
    others = names[:, None] != names[None]
    same = np.where(others & (letters[:, None] == letters[None]), apart, np.inf)
    nearest = same.min(axis=1)
    known = np.isfinite(nearest)
    usual = float(np.median(nearest[known])) if known.any() else 0.0
    limit = usual + FAR * robust_std(nearest[known], usual) if known.any() else np.inf
    found = []
    for cell in np.flatnonzero(known & (nearest > limit)):
        distances = _angles(bones[(signer == names[cell]) & (label == letters[cell])], means[others[cell]])
        stray = float((letters[others[cell]][distances.argmin(axis=1)] != letters[cell]).mean())
        like = int(np.where(others[cell], apart[cell], np.inf).argmin())
        other = int(same[cell].argmin())
        found.append(
            SignerOutlier(
                signer=str(names[cell]),
                letter=LETTERS[letters[cell]],
                distance=round(float(nearest[cell]), 1),
                usual=round(usual, 1),
                looks_like=("", "") if letters[like] == letters[cell] else (LETTERS[letters[like]], str(names[like])),
                nearness=round(float(apart[cell, like]), 1),
                stray=round(stray, 3),
                key=_middle(samples, rows, bones, signer, label, cells[cell], means[cell]),
                other_key=_middle(samples, rows, bones, signer, label, cells[other], means[other]),
            )
        )
    return sorted(found, key=lambda form: -form.distance)


def _directions(points: Array) -> Array:
    """Unit vectors of bones, float32 (n, 20, 3); the depth, which MediaPipe only guesses, counts half."""
    bones = (points[:, 1:] - points[:, PARENT]) * np.array([1, 1, 0.5], np.float32)
    result: Array = bones / (np.linalg.norm(bones, axis=-1, keepdims=True) + np.float32(1e-6))
    return result


def _mean(bones: Array) -> Array:
    middle = bones.mean(axis=0)
    result: Array = middle / (np.linalg.norm(middle, axis=-1, keepdims=True) + np.float32(1e-6))
    return result


def _angles(first: Array, second: Array) -> npt.NDArray[np.float64]:
    """Mean angle between the bones of (n, 20, 3) and (m, 20, 3) hands, degrees: (n, m)."""
    cosines = np.einsum("nbk,mbk->nmb", first, second)
    return np.asarray(np.degrees(np.arccos(np.clip(cosines, -1, 1))).mean(axis=-1), np.float64)


def _to_one_side(bones: Array, signer: Any, label: Any, cells: list[tuple[str, int]]) -> None:
    """Mirror whole signers, in place, where that brings them nearer to the first: MediaPipe mistakes hands."""
    first = cells[0][0]
    of_first = {letter: _mean(bones[(signer == first) & (label == letter)]) for name, letter in cells if name == first}
    flip = np.array([-1, 1, 1], np.float32)
    for name in dict.fromkeys(name for name, _ in cells if name != first):
        shared = [letter for who, letter in cells if who == name and letter in of_first]
        own = [_mean(bones[(signer == name) & (label == letter)]) for letter in shared]
        far = sum(float(_angles(m[None], of_first[x][None])[0, 0]) for m, x in zip(own, shared, strict=True))
        mirrored = sum(
            float(_angles((m * flip)[None], of_first[x][None])[0, 0]) for m, x in zip(own, shared, strict=True)
        )
        if mirrored < far:
            bones[signer == name] *= flip


def _middle(
    samples: Samples, rows: Any, bones: Array, signer: Any, label: Any, cell: tuple[str, int], mean: Array
) -> str:
    own = np.flatnonzero((signer == cell[0]) & (label == cell[1]))
    return str(samples.key[rows[own[_angles(bones[own], mean[None])[:, 0].argmin()]]])
