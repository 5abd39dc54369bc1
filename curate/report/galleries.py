"""For each reason a few frames to look at, with what they are like beside them; as small pictures inside the page."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from aslkit.curate.filter.checks import OF_LETTERS
from aslkit.curate.filter.exact_duplicates import Rejection
from aslkit.vision.crop import crop_square, hand_square, jpeg_data_uri, shrink
from aslkit.vision.hand_landmarker import FINGERS, WRIST
from aslkit.vision.images import Frame, ImageError, decode_image, read_image_file

SHOWN: Final = 8
"""Frames of one reason."""

MOST_PICTURES: Final = 78
"""In all galleries together; with the outliers of 24 letters some 150 pictures, less than a megabyte."""

SIDE: Final = 144
"""Longer side of a small picture, pixels; twice what a narrow telephone shows."""

_QUALITY: Final = 72
_MARGIN: Final = 0.35
"""Around a hand, of its box's longer side."""

_LINE: Final = (40, 200, 255)
"""Of bones drawn over a picture: BGR, amber, seen on skin and on most walls."""

ABOUT: Final = {
    "unreadable": "The file cannot be decoded, so there is no picture to show.",
    "conflicting-label": "The same pixels lie under two letters; nobody knows the right one, so neither is taken.",
    "duplicate": "The same pixels again; the first is taken.",
    "small-image": "The image has too few pixels.",
    "dark": "Too dark, and darker than the rest of its sitting.",
    "bright": "White without detail, more than in the rest of its sitting.",
    "low-contrast": "Hardly any difference between light and dark, as in fog.",
    "no-hand": "No hand was found. A recogniser that works on landmarks has nothing to go by here.",
    "two-hands": "More than one hand was found.",
    "cut-off": "Joints lie outside of the picture.",
    "tiny-hand": "The hand is small in the picture: come closer.",
    "blurred": "Blurred, and more so than the rest of its sitting.",
    "wrong-hand": "Looks like the signer's other hand. Perhaps the picture is mirrored, or somebody else is in it.",
    "label-doubt": "To classifiers that did not learn from it, the hand looks like another letter. They may be wrong.",
    "few-frames": "The signer has too few frames of the letter.",
    "one-sitting": "The signer's letter was recorded in one sitting only.",
    "near-duplicate": "Nearly the same picture as one that is taken, and less sharp.",
    "gap": "Between train and test in time, where neighbours are alike.",
}
"""What each reason means, in the order in which frames are judged."""

_LAST: Final = ("unreadable", "conflicting-label", "duplicate", "gap")
_OF_LETTERS: Final = tuple(name.replace("_", "-") for name in OF_LETTERS)
"""Not for looking at: nothing is wrong with the frames themselves."""

_TWIN: Final = {"conflicting-label": ("same pixels as ", ""), "duplicate": ("same pixels as ", ""),
                "near-duplicate": ("like ", ", which is sharper")}  # fmt: skip
"""What stands before and after another frame's key in a finding's detail."""


@dataclass(frozen=True, kw_only=True)
class GalleryImage:
    """One frame to be looked at.

    Attributes:
        frame: key, letter, signer and session of it.
        detail: why.
        picture: a data: URI; None where it cannot be shown.
        twin: key and picture of the frame it is like; None where there is none.
    """

    frame: dict[str, str]
    detail: str
    picture: str | None
    twin: tuple[str, str | None] | None = None


@dataclass(frozen=True, kw_only=True)
class Gallery:
    """Frames of one reason.

    Attributes:
        reason: as in rejected.parquet or flagged.parquet.
        count: of all that there are.
        taken: whether they are in the dataset.
        restorable: whether `--restore` takes them.
        about: what the reason means.
        shots: some of them.
    """

    reason: str
    count: int
    taken: bool
    restorable: bool
    about: str
    shots: list[GalleryImage]


def build_galleries(
    refused: Sequence[Rejection], flagged: Sequence[Rejection], paths: Mapping[str, Path]
) -> list[Gallery]:  # fmt: skip
    """Choose up to SHOWN varied frames of each reason, fewer where there are many reasons.

    Args:
        refused: what was not taken.
        flagged: what is to be known of what was taken.
        paths: of all frames, by key.
    """
    wanted = [
        (reason, taken, [each for each in findings if each.reason == reason])
        for findings, taken in ((refused, False), (flagged, True))
        for reason in sorted({each.reason for each in findings} - set(_OF_LETTERS), key=reason_order)
    ]
    sizes = [(len(findings), 2 if reason in _TWIN else 1) for reason, _, findings in wanted if reason != "unreadable"]
    most = next((m for m in range(SHOWN, 1, -1) if sum(min(m, n) * each for n, each in sizes) <= MOST_PICTURES), 2)
    return [
        Gallery(
            reason=reason,
            count=len(findings),
            taken=taken,
            restorable=not taken and reason not in _LAST,
            about=ABOUT.get(reason, ""),
            shots=[_shot(each, paths) for each in sample_diverse(findings, most)],
        )
        for reason, taken, findings in wanted
    ]


def reason_order(reason: str) -> tuple[int, str]:
    """Sort key: reasons in the order in which frames are judged."""
    order = list(ABOUT)
    return (order.index(reason) if reason in order else len(order), reason)


def sample_diverse(findings: Sequence[Rejection], most: int) -> list[Rejection]:
    """Choose at most so many, of as many letters and signers as there are; of those equal in that, the first."""
    left, chosen, used = list(findings), list[Rejection](), Counter[tuple[str, str]]()
    while left and len(chosen) < most:
        best = min(left, key=lambda each: used["signer", each.frame.signer] + used["letter", each.frame.letter])
        left.remove(best)
        chosen.append(best)
        used.update([("signer", best.frame.signer), ("letter", best.frame.letter)])
    return chosen


def _shot(finding: Rejection, paths: Mapping[str, Path]) -> GalleryImage:
    frame, twin = finding.frame, None
    if (around := _TWIN.get(finding.reason)) is not None:
        other = finding.detail.removeprefix(around[0]).removesuffix(around[1])
        twin = (other, thumbnail(paths[other])) if other in paths else None
    about = {"key": frame.key, "letter": frame.letter, "signer": frame.signer, "session": frame.session}
    return GalleryImage(frame=about, detail=finding.detail, picture=thumbnail(frame.path), twin=twin)


def thumbnail(path: Path, landmarks: npt.NDArray[np.float32] | None = None) -> str | None:
    """Make a small picture of a frame, as a data: URI; None where the file cannot be shown.

    Args:
        path: of the image file.
        landmarks: float32 (21, 3), as `Hand.landmarks`: then the hand alone is shown, with its bones drawn in.
    """
    if not path.is_file():  # to open a pipe is to wait for whoever writes into it
        return None
    try:
        frame = decode_image(read_image_file(path))
    except (ImageError, OSError):
        return None
    return jpeg_data_uri(shrink(frame, SIDE) if landmarks is None else _draw_hand(frame, landmarks), quality=_QUALITY)


def _draw_hand(frame: Frame, landmarks: npt.NDArray[np.float32]) -> Frame:
    """Return a crop of the hand with its bones drawn in, uint8 (SIDE, SIDE, 3)."""
    import cv2

    points = landmarks[:, :2]
    middle, span = hand_square(frame, [*points.min(axis=0), *points.max(axis=0)], margin=_MARGIN)
    crop = crop_square(frame, middle=middle, span=span, side=SIDE, smooth=True)
    pixels = points * np.array(frame.shape[1::-1], np.float32)
    joints = (pixels - np.array(middle, np.float32)) * (SIDE / span) + SIDE / 2
    bones = [joints[[WRIST, *finger]].round().astype(np.int32) for finger in FINGERS]
    return np.asarray(cv2.polylines(crop, bones, False, _LINE, 1, cv2.LINE_AA), np.uint8)
