"""Prepare a row for sharing: crop its image, pixelate faces, and replace names."""

from dataclasses import asdict, dataclass
from pathlib import PurePosixPath
from typing import Any

import numpy as np

from aslkit.core.errors import AslkitError
from aslkit.datasets import licences
from aslkit.datasets.privacy.face_detector import MIN_SCORE, MIN_SCORE_TO_PIXELATE
from aslkit.datasets.privacy.hand_crop import crop_row, encode_crop, move_to_crop
from aslkit.datasets.privacy.pixelate import pixelate_faces
from aslkit.datasets.privacy.preparation import Preparation
from aslkit.datasets.privacy.pseudonyms import NameMasker, Pseudonyms
from aslkit.vision.images import (
    Frame,
    ImageError,
    decode_image,
    measure_quality,
    perceptual_hash,
    pixel_hash,
    strip_metadata,
)


@dataclass(frozen=True, kw_only=True)
class PreparedImage:
    """A row with its prepared image.

    Attributes:
        row: the row. Names are not replaced.
        has_face: whether a face is visible.
        is_pixelated: whether a face was pixelated.
    """

    row: dict[str, Any]
    has_face: bool = False
    is_pixelated: bool = False


def prepare_image(row: dict[str, Any], *, work: Preparation) -> PreparedImage | None:
    """Return a row with its prepared image, or None if it cannot be cropped.

    Raises:
        AslkitError: the image is damaged.
    """
    image = row["image"] = row["image"] or {"bytes": None, "path": ""}
    region = _crop_region(row, work) if work.config.crop else None
    if work.config.crop and region is None:
        return None
    if work.config.landmarks_only or image["bytes"] is None:
        return PreparedImage(row={**row, "image": {"bytes": None, "path": image["path"]}})
    try:
        data = strip_metadata(image["bytes"])
        frame = decode_image(data)
    except ImageError as error:
        raise AslkitError(f"The dataset's image {image['path']!r} is {error.message}.") from error
    if region is not None:
        return _crop_image(row, frame, region, work)
    has_face = bool(work.find_faces(frame, row["landmarks"], min_score=MIN_SCORE))
    return PreparedImage(row={**row, "image": {"bytes": data, "path": image["path"]}}, has_face=has_face)


def _crop_region(row: dict[str, Any], work: Preparation) -> list[float] | None:
    """Return the box to crop to: that of the hand, or of all hands of the clip; None without a hand."""
    if row["clip"] is not None:
        return work.clip_regions.get(row["clip"])
    box: list[float] | None = row["hand_box"]
    return box if row["landmarks"] is not None else None


def _crop_image(row: dict[str, Any], frame: Frame, region: list[float], work: Preparation) -> PreparedImage:
    """Crop the image of a row to a region, and pixelate the faces in the crop."""
    crop, values = crop_row(row, frame, region, max_side=work.config.crop_size)
    # In the whole frame as well, because the crop often shows only part of a face.
    found = work.find_faces(frame, row["landmarks"], min_score=MIN_SCORE_TO_PIXELATE)
    faces = [move_to_crop(face, region, frame) for face in found]
    faces += work.find_faces(crop, values["landmarks"], min_score=MIN_SCORE_TO_PIXELATE)
    hand = None if values["landmarks"] is None else np.array(values["landmarks"]).reshape(21, 3)
    is_pixelated = pixelate_faces(crop, faces, hand)
    image = encode_crop(crop, row["image"])
    # Measured on the decoded JPEG, not on the crop before encoding, because readers check these hashes.
    pixels = _measure_pixels(decode_image(image["bytes"]))
    return PreparedImage(row={**row, **values, **pixels, "image": image}, is_pixelated=is_pixelated)


def _measure_pixels(frame: Frame) -> dict[str, Any]:
    """Return the values of the columns that are computed from the pixels."""
    hashes = {"sha256": pixel_hash(frame), "phash": perceptual_hash(frame)}
    return {**asdict(measure_quality(frame)), **hashes, "width": frame.shape[1], "height": frame.shape[0]}


def apply_pseudonyms(row: dict[str, Any], original_path: str, names: Pseudonyms, masker: NameMasker) -> dict[str, Any]:
    """Return a row with pseudonyms.

    Args:
        row: the prepared row.
        original_path: path of its image in the dataset.
        names: the pseudonyms.
        masker: replaces names in text.
    """
    signer, session, camera, licence = row["signer"], row["session"], row["camera"], row["licence"]
    # A licence that is not one of the known ones is free text and can contain names.
    is_free_text = licence and licences.canonical_licence(licence) not in licences.ADAPTATION_LICENCES
    return {
        **row,
        "image": {"bytes": row["image"]["bytes"], "path": _file_pseudonym(original_path, row["image"]["path"], names)},
        "signer": names.signers[signer] if signer else signer,
        "session": names.session(signer or "", session) if session else session,
        "clip": names.files[row["clip"]] if row["clip"] else row["clip"],
        "camera": names.cameras[camera] if camera else camera,
        "consent": masker.mask_text(row["consent"]) if row["consent"] else row["consent"],
        "licence": masker.mask_text(licence) if is_free_text else licence,
    }


def _file_pseudonym(original_path: str, new_path: str, names: Pseudonyms) -> str:
    """Return the pseudonym of a file, with the suffix of `new_path`, because cropping can change the suffix."""
    pseudonym = names.files[original_path]
    if new_path == original_path:
        return pseudonym
    return PurePosixPath(pseudonym).with_suffix(PurePosixPath(new_path).suffix).as_posix()
