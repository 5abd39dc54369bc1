"""Example images for each reason code, embedded in the report as small JPEGs, next to the image they duplicate."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from aslkit.curate.filter.checks import LETTER_CHECKS
from aslkit.curate.filter.exact_duplicates import Rejection
from aslkit.curate.report.pose_outliers import UNUSUAL_FORM
from aslkit.vision.crop import crop_square, hand_square, jpeg_data_uri, shrink
from aslkit.vision.hand_landmarker import FINGERS, WRIST
from aslkit.vision.images import Frame, ImageError, decode_image, read_image_file

MAX_IMAGES_PER_REASON: Final = 8

MAX_IMAGES: Final = 78
"""Maximum number of images in all galleries. With the pose outliers of 24 letters, a report has some 150 images, less
than a megabyte."""

IMAGE_SIDE: Final = 144
"""Longer side of an image, pixels; twice the size on a narrow phone."""

_JPEG_QUALITY: Final = 72

_HAND_MARGIN: Final = 0.35
"""Margin around a hand, relative to the longer side of its box."""

_BONE_COLOR: Final = (40, 200, 255)
"""Color of the bones drawn over an image, BGR: amber, visible on skin and on most walls."""

DESCRIPTIONS: Final = {
    "unreadable": "The file cannot be decoded, so no image is shown.",
    "misplaced": "The image is not in SIGNER/SESSION/LETTER, so it is not used. Move it there.",
    "damaged-clip": "frames.jsonl or an image of the clip is missing or cannot be read. Record the clip again.",
    "conflicting-label": "The same pixels have two different letters. Which one is right is unknown, so both are "
    "rejected.",
    "duplicate": "The same pixels as another image; the first one is kept.",
    "reviewed": "A person dropped it, or said that it shows no letter.",
    "small-image": "The image has too few pixels.",
    "dark": "Too dark, and darker than the rest of its session.",
    "bright": "Overexposed, and more so than the rest of its session.",
    "low-contrast": "Low contrast, as in fog.",
    "no-hand": "No hand was found, so there are no landmarks to recognise.",
    "two-hands": "Two hands were found; the larger one is used.",
    "cut-off": "Joints of the hand lie outside the frame.",
    "tiny-hand": "The hand is small in the frame. Move closer to the camera.",
    "blurred": "Blurred, and more so than the rest of its session.",
    "wrong-hand": "Not the signer's dominant hand. The image may be mirrored, or show another person.",
    "label-doubt": "The label may be wrong: the starter model predicts another letter.",
    UNUSUAL_FORM: "The hand differs most from the median pose of the letter; check the label.",
    "few-frames": "The signer has too few frames of the letter.",
    "one-sitting": "All frames of this signer's letter are from one session.",
    "near-duplicate": "A near-duplicate of an image that is kept, and less sharp.",
    "gap": "Recorded between the train and test frames, and similar to both.",
}
"""What each reason code means, in the order in which frames are checked."""

_NOT_RESTORABLE: Final = (
    "unreadable",
    "misplaced",
    "damaged-clip",
    "conflicting-label",
    "duplicate",
    "reviewed",
    "gap",
)

LETTER_REASONS: Final = tuple(name.replace("_", "-") for name in LETTER_CHECKS)
"""Reasons that apply to all frames of a letter: nothing is wrong with the images themselves."""

WITHOUT_GALLERY: Final = (*LETTER_REASONS, UNUSUAL_FORM)
"""Reasons without a gallery; unusual forms are shown next to the median pose."""

_DUPLICATE_REASONS: Final = {
    "conflicting-label": re.compile("same pixels as (.+)", re.DOTALL),
    "duplicate": re.compile("same pixels as (.+)", re.DOTALL),
    "near-duplicate": re.compile("like (.+?)(?:, which (?:is sharper|was kept in review))?", re.DOTALL),
}
"""Details that name the key of the other image."""


@dataclass(frozen=True, kw_only=True)
class GalleryImage:
    """An image in a gallery.

    Attributes:
        frame: key, letter, signer and session of the frame.
        detail: particulars of the finding.
        image: data: URI; None if the image cannot be shown.
        original: key and image of the frame that it duplicates; None without one.
    """

    frame: dict[str, str]
    detail: str
    image: str | None
    original: tuple[str, str | None] | None = None


@dataclass(frozen=True, kw_only=True)
class Gallery:
    """Example images of one reason.

    Attributes:
        reason: reason code as in rejected.parquet or flagged.parquet.
        count: number of frames with this reason.
        kept: whether the frames are in the dataset.
        restorable: whether `--restore` keeps them.
        description: what the reason means.
        images: some of the frames.
    """

    reason: str
    count: int
    kept: bool
    restorable: bool
    description: str
    images: list[GalleryImage]

    def shown_keys(self) -> set[str]:
        """Return the keys of all frames in the gallery."""
        return {key for each in self.images for key in (each.frame["key"], *(each.original or ())[:1])}


def build_galleries(
    rejected: Sequence[Rejection], flagged: Sequence[Rejection], paths: Mapping[str, Path]
) -> list[Gallery]:
    """Choose up to MAX_IMAGES_PER_REASON diverse frames of each reason, fewer if there are many reasons.

    No frame is shown twice: a frame with two reasons is shown at the first one.

    Args:
        rejected: rejected frames.
        flagged: flagged frames, which are kept.
        paths: paths of all frames, by key.
    """
    shown: set[str] = set()
    by_reason = [
        (reason, kept, [finding for finding in findings if finding.reason == reason])
        for findings, kept in ((rejected, False), (flagged, True))
        for reason in sorted({finding.reason for finding in findings} - set(WITHOUT_GALLERY), key=reason_order)
    ]
    limit = _images_per_reason({(reason, kept): len(findings) for reason, kept, findings in by_reason})
    return [
        Gallery(
            reason=reason,
            count=len(findings),
            kept=kept,
            restorable=not kept and reason not in _NOT_RESTORABLE,
            description=DESCRIPTIONS.get(reason, ""),
            images=[_build_image(each, paths) for each in _choose_findings(findings, limit, shown)],
        )
        for reason, kept, findings in by_reason
    ]


def _images_per_reason(counts: Mapping[tuple[str, bool], int]) -> int:
    """Return the largest number of frames per reason, at least 2, that needs at most MAX_IMAGES images."""
    sizes = [
        (count, 2 if reason in _DUPLICATE_REASONS else 1)
        for (reason, _), count in counts.items()
        if reason != "unreadable"
    ]
    for limit in range(MAX_IMAGES_PER_REASON, 2, -1):
        if sum(min(limit, count) * images for count, images in sizes) <= MAX_IMAGES:
            return limit
    return 2


def reason_order(reason: str) -> tuple[int, str]:
    """Return a sort key for reason codes, in the order in which frames are checked."""
    order = list(DESCRIPTIONS)
    return (order.index(reason) if reason in order else len(order), reason)


def sample_diverse(findings: Sequence[Rejection], limit: int) -> list[Rejection]:
    """Choose up to `limit` findings of as many letters and signers as possible, the first ones among equals."""
    remaining, chosen, used = list(findings), list[Rejection](), Counter[tuple[str, str]]()
    while remaining and len(chosen) < limit:
        best = min(remaining, key=lambda found: used["signer", found.frame.signer] + used["letter", found.frame.letter])
        remaining.remove(best)
        chosen.append(best)
        used.update([("signer", best.frame.signer), ("letter", best.frame.letter)])
    return chosen


def _choose_findings(findings: Sequence[Rejection], limit: int, shown: set[str]) -> list[Rejection]:
    """Choose up to `limit` findings of which neither the frame nor its original is in `shown`, and add both to it."""
    fresh = {_original_key(found) or found.frame.key: found for found in reversed(findings)}
    candidates = [found for key, found in reversed(fresh.items()) if not {key, found.frame.key} & shown]
    chosen = sample_diverse(candidates, limit)
    shown |= {key for found in chosen for key in (found.frame.key, _original_key(found)) if key}
    return chosen


def _original_key(finding: Rejection) -> str:
    return original_key(finding.reason, finding.detail) or ""


def original_key(reason: str, detail: str) -> str | None:
    """Return the key of the frame that a frame duplicates, given its finding; None without one."""
    pattern = _DUPLICATE_REASONS.get(reason)
    match = pattern.fullmatch(detail) if pattern else None
    return match[1] if match else None


def _build_image(finding: Rejection, paths: Mapping[str, Path]) -> GalleryImage:
    frame, original = finding.frame, None
    if (key := _original_key(finding)) in paths:
        original = (key, thumbnail(paths[key]))
    about = {"key": frame.key, "letter": frame.letter, "signer": frame.signer, "session": frame.session}
    return GalleryImage(frame=about, detail=finding.detail, image=thumbnail(frame.path), original=original)


def thumbnail(path: Path, landmarks: npt.NDArray[np.float32] | None = None) -> str | None:
    """Return a small version of an image as a data: URI; None if the file cannot be decoded.

    Args:
        path: image file.
        landmarks: float32 (21, 3), as `Hand.landmarks`; if given, only the hand is shown, with its bones drawn in.
    """
    if not path.is_file():  # opening a named pipe would block
        return None
    try:
        frame = decode_image(read_image_file(path))
    except (ImageError, OSError):
        return None
    image = shrink(frame, IMAGE_SIDE) if landmarks is None else _draw_hand(frame, landmarks)
    return jpeg_data_uri(image, quality=_JPEG_QUALITY)


def _draw_hand(frame: Frame, landmarks: npt.NDArray[np.float32]) -> Frame:
    """Return a crop of the hand with its bones drawn in, uint8 (IMAGE_SIDE, IMAGE_SIDE, 3)."""
    import cv2

    points = landmarks[:, :2]
    center, span = hand_square(frame, [*points.min(axis=0), *points.max(axis=0)], margin=_HAND_MARGIN)
    crop = crop_square(frame, middle=center, span=span, side=IMAGE_SIDE, smooth=True)
    pixels = points * np.array(frame.shape[1::-1], np.float32)
    joints = (pixels - np.array(center, np.float32)) * (IMAGE_SIDE / span) + IMAGE_SIDE / 2
    bones = [joints[[WRIST, *finger]].round().astype(np.int32) for finger in FINGERS]
    return np.asarray(cv2.polylines(crop, bones, False, _BONE_COLOR, 1, cv2.LINE_AA), np.uint8)


def summarise_reason(reason: str) -> str:
    """Return the first sentence of the description of a reason, without the period; empty for an unknown reason."""
    return DESCRIPTIONS.get(reason, "").partition(". ")[0].removesuffix(".")
