"""Prepare a dataset for sharing: hand crops or no images, pseudonyms, and the number of images with faces.

The dataset is written again from its rows. Only checked content is copied: no EXIF metadata, no report and no names.
"""

import hashlib
import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, fields
from functools import partial
from pathlib import Path, PurePosixPath
from threading import local
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from aslkit.core.errors import AslkitError, InputError
from aslkit.core.files import atomic_write, remove
from aslkit.core.letters import LETTERS
from aslkit.core.progress import progress_bar
from aslkit.datasets import card, licences, parquet_store, schema
from aslkit.datasets.info import as_dict
from aslkit.datasets.privacy.face_detector import FaceDetector
from aslkit.datasets.privacy.hand_crop import crop_row
from aslkit.datasets.privacy.pseudonyms import NameMasker, Pseudonyms
from aslkit.datasets.split import Split
from aslkit.datasets.summary import summarise_dataset
from aslkit.vision.images import (
    Frame,
    ImageError,
    decode_image,
    measure_quality,
    perceptual_hash,
    pixel_hash,
    strip_metadata,
)

_PARTS: Final = "parts"
"""Temporary folder for prepared rows."""

_FACE_NOTE_PREFIXES: Final = ("Faces are visible in", "Faces are seen in")
"""Start of the note about faces, now and in earlier versions. Such a note is replaced when a dataset is prepared
again."""

NO_HAND: Final = "no-hand"
"""Reason code in rejected.parquet for frames that cannot be cropped, the same as that of curation."""


@dataclass(frozen=True, kw_only=True)
class PrivacyConfig:
    """What the shared dataset contains.

    Attributes:
        crop: crop images to the hand.
        landmarks_only: remove the images.
        pseudonyms: replace the names of signers, sessions, cameras and files.
    """

    crop: bool = False
    landmarks_only: bool = False
    pseudonyms: bool = False

    def __post_init__(self) -> None:
        """Check that the settings are compatible."""
        if self.crop and self.landmarks_only:
            raise InputError("--crop and --landmarks-only exclude each other: without images there is nothing to crop.")


@dataclass(frozen=True, kw_only=True)
class PrivacyReport:
    """Statistics of a prepared dataset.

    Attributes:
        faces: number of images with a face.
        images: number of images.
        left_out: number of rows dropped because no hand was detected.
    """

    faces: int
    images: int
    left_out: int


@dataclass(kw_only=True)
class _Preparation:
    """State of one preparation."""

    config: PrivacyConfig
    names: Pseudonyms | None
    masker: NameMasker
    faces: int = 0
    images: int = 0
    copies: int = 0
    left_out: list[dict[str, Any]] = field(default_factory=list)
    kept: list[dict[str, Any]] = field(default_factory=list)
    new_hashes: dict[str, str] = field(default_factory=dict)
    detectors: list[FaceDetector] = field(default_factory=list)
    thread_local: local = field(default_factory=local)

    def has_face(self, frame: Frame, hand_box: list[float] | None) -> bool:
        """Return whether a frame shows a face. Each thread uses its own detector."""
        if not hasattr(self.thread_local, "detector"):
            self.thread_local.detector = FaceDetector()
            self.detectors.append(self.thread_local.detector)
        found: bool = self.thread_local.detector.has_face(frame, hand_box)
        return found


def prepare_for_sharing(
    folder: Path, target: Path, *, name: str, config: PrivacyConfig, names: Pseudonyms | None
) -> PrivacyReport:
    """Write a copy of a dataset that is prepared for sharing.

    Args:
        folder: the dataset folder. It is not modified.
        target: folder of the prepared dataset.
        name: name of the dataset.
        config: what the prepared dataset contains.
        names: pseudonyms, required for `config.pseudonyms`. Missing pseudonyms are added.

    Raises:
        InputError: the folder contains no dataset.
        AslkitError: the dataset is damaged, or no row would be left.
    """
    total = parquet_store.count_rows(folder)
    if names is not None:
        names.register(iter_names(folder))
    work = _Preparation(config=config, names=names, masker=(names or Pseudonyms()).masker())
    with atomic_write(target) as new:
        with progress_bar("Preparing", total) as advance, ThreadPoolExecutor(os.cpu_count()) as pool:
            for path in parquet_store.list_files(folder):
                for number, table in enumerate(parquet_store.iter_file_row_groups(path, schema.COLUMNS.names)):
                    rows = _prepare_rows(table, path.name.split("-")[0], work, pool)
                    _write_part(new / _PARTS / f"{path.stem}-{number:09d}.parquet", rows)
                    advance(len(table))
        # After the pool has ended, because its threads use the detectors.
        for detector in work.detectors:
            detector.close()
        if not work.kept:
            raise AslkitError(f"No frame of {folder} has a hand to crop to, so nothing would be left.")
        _write_dataset(new, folder, name, work)
    return PrivacyReport(faces=work.faces, images=work.images, left_out=len(work.left_out))


def read_privacy_report(folder: Path) -> PrivacyReport:
    """Read the report that `prepare_for_sharing` stored in a prepared dataset."""
    values = parquet_store.read_facts(folder)["privacy"]
    return PrivacyReport(**{each.name: int(values[each.name]) for each in fields(PrivacyReport)})


def iter_names(folder: Path) -> Iterator[dict[str, Any]]:
    """Yield signer, session, camera and path of all rows and findings, for `Pseudonyms.register`."""
    for table in parquet_store.iter_row_groups(folder, ["signer", "session", "camera", "image.path"]):
        for row in table.to_pylist():
            yield {**row, "path": (row["image"] or {}).get("path") or ""}
    for table in (parquet_store.read_rejected(folder), parquet_store.read_flagged(folder)):
        for row in table.to_pylist():
            yield {"camera": None, **{key: row.get(key) or "" for key in ("signer", "session", "path")}}


def _prepare_rows(table: pa.Table, split: str, work: _Preparation, pool: ThreadPoolExecutor) -> list[dict[str, Any]]:
    """Return the prepared rows of a row group, without the rows that cannot be cropped."""
    rows = table.to_pylist()
    prepared = []
    for row, (data, has_face) in zip(rows, pool.map(partial(_prepare_image, work=work), rows), strict=True):
        # A copy whose original could not be cropped would refer to a missing parent.
        if data is None or (work.config.crop and row["parent"] and row["parent"] not in work.new_hashes):
            work.left_out.append(row)
            continue
        if work.config.crop:
            work.new_hashes[row["sha256"]] = data["sha256"]
            data["parent"] = work.new_hashes.get(row["parent"])
        work.faces += has_face
        work.images += data["image"]["bytes"] is not None
        if work.names is not None:
            data = _apply_pseudonyms(data, row["image"]["path"], work.names, work.masker)
        prepared.append(data)
        work.copies += data["parent"] is not None
        if data["parent"] is None:
            columns = {key: data[key] for key in ("label", "signer", "group")}
            work.kept.append(
                {**columns, "landmarks": data["landmarks"] and True, "split": split, "path": row["image"]["path"]}
            )
    return prepared


def _prepare_image(row: dict[str, Any], *, work: _Preparation) -> tuple[dict[str, Any] | None, bool]:
    """Return a row with its prepared image, and whether the image shows a face.

    The row is None if it cannot be cropped. Names are not replaced.
    """
    image = row["image"] = row["image"] or {"bytes": None, "path": ""}
    if work.config.crop and (row["hand_box"] is None or row["landmarks"] is None):
        return None, False
    if work.config.landmarks_only or image["bytes"] is None:
        return {**row, "image": {"bytes": None, "path": image["path"]}}, False
    try:
        data = strip_metadata(image["bytes"])
        frame = decode_image(data)
    except ImageError as error:
        raise AslkitError(f"The dataset's image {image['path']!r} is {error.message}.") from error
    if work.config.crop:
        data, crop_values = crop_row(row, frame)
        frame = decode_image(data)
        # Measured on the decoded JPEG, not on the crop before encoding, because readers check these hashes.
        row = {**row, **crop_values, **_measure_pixels(frame)}
        image = {"path": row.pop("path")}
    return {**row, "image": {"bytes": data, "path": image["path"]}}, work.has_face(frame, row["hand_box"])


def _measure_pixels(frame: Frame) -> dict[str, Any]:
    """Return the values of the columns that are computed from the pixels."""
    hashes = {"sha256": pixel_hash(frame), "phash": perceptual_hash(frame)}
    return {**asdict(measure_quality(frame)), **hashes, "width": frame.shape[1], "height": frame.shape[0]}


def _apply_pseudonyms(row: dict[str, Any], original_path: str, names: Pseudonyms, masker: NameMasker) -> dict[str, Any]:
    signer, session, camera, licence = row["signer"], row["session"], row["camera"], row["licence"]
    # A licence that is not one of the known ones is free text and can contain names.
    is_free_text = licence and licences.canonical_licence(licence) not in licences.ADAPTATION_LICENCES
    return {
        **row,
        "image": {"bytes": row["image"]["bytes"], "path": _file_pseudonym(original_path, row["image"]["path"], names)},
        "signer": names.signers[signer] if signer else signer,
        "session": names.session(signer or "", session) if session else session,
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


def _write_part(path: Path, rows: list[dict[str, Any]]) -> None:
    """Write prepared rows to a temporary file.

    The final files cannot be written yet: each of them contains the facts, which are only known when all rows are done.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows, schema.COLUMNS), path, compression="none")


def _write_dataset(new: Path, folder: Path, name: str, work: _Preparation) -> None:
    rejected, flagged = _prepare_findings(folder, work)
    facts = _make_facts(parquet_store.read_facts(folder), work, rejected, flagged)
    for split in schema.SPLITS:
        parts = sorted((new / _PARTS).glob(f"{split}-*.parquet"))
        parquet_store.write_split(new, split, (pq.read_table(part) for part in parts), facts=facts)
    remove(new / _PARTS)
    for file, columns, findings in (
        (parquet_store.REJECTED_FILE, schema.MERGED_REJECTED, rejected),
        (parquet_store.FLAGGED_FILE, schema.MERGED_FLAGGED, flagged),
    ):
        pq.write_table(pa.Table.from_pylist(findings, columns), new / file, compression="zstd")
    card.write_card(new, name=work.masker.mask_text(name), facts=facts)


def _prepare_findings(folder: Path, work: _Preparation) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the rows of rejected.parquet and flagged.parquet.

    For crops, the pixel hashes are removed: they belong to the uncropped frames.
    """
    kept_paths = {row["path"] for row in work.kept}
    rejected, flagged = parquet_store.read_rejected(folder).to_pylist(), parquet_store.read_flagged(folder).to_pylist()
    for row in work.left_out:
        columns = {"path": row["image"]["path"], "signer": row["signer"], "session": row["session"]}
        if row["parent"] is None:
            rejected.append(
                {**columns, "letter": LETTERS[row["label"]], "reason": NO_HAND, "detail": "no hand to crop to"}
            )
    findings = (rejected, [row for row in flagged if row["path"] in kept_paths])
    if work.config.crop:
        for row in (*findings[0], *findings[1]):
            row |= {"sha256": None, "group": None}
    if (names := work.names) is not None:
        for row in (*findings[0], *findings[1]):
            signer, session = row["signer"] or "", row["session"] or ""
            row |= {"path": names.files[row["path"]], "detail": work.masker.mask_text(row["detail"] or "")}
            row |= {"signer": names.signers[signer], "session": names.session(signer, session)}
    return findings


def _make_facts(
    original: dict[str, Any], work: _Preparation, rejected: list[dict[str, Any]], flagged: list[dict[str, Any]]
) -> dict[str, Any]:
    original = {key: value for key, value in original.items() if key not in ("aslkit", "schema_version")}
    original_summary = as_dict(original.get("summary"))
    table = pa.table({key: pa.array([row[key] for row in work.kept]) for key in ("label", "landmarks")})
    # Sign Language MNIST has no near-duplicate groups.
    group = pa.array([row["group"] for row in work.kept], pa.int64()).fill_null(-1)
    table = table.append_column("group", group)
    table = table.append_column("signer", pa.array([row["signer"] or "" for row in work.kept], pa.string()))
    split = Split(names=np.array([row["split"] for row in work.kept]), by=original_summary.get("split_by", "signer"))
    reasons = [[row["reason"] for row in rows] for rows in (rejected, flagged)]
    summary = summarise_dataset(table, split, rejected=reasons[0], flagged=reasons[1])
    notes = _write_notes(work)
    earlier_notes = [
        note
        for note in work.masker.mask_all(original_summary.get("notes", []))
        if note not in notes and not note.startswith(_FACE_NOTE_PREFIXES)
    ]
    summary |= {"augmented": work.copies, "notes": [*notes, *earlier_notes]}
    report = PrivacyReport(faces=work.faces, images=work.images, left_out=len(work.left_out))
    new = {"summary": summary, "privacy": asdict(work.config) | asdict(report)}
    if work.config == PrivacyConfig():
        return original | new
    fingerprint_input = json.dumps([original.get("fingerprint"), asdict(work.config), summary["signers"]])
    # These describe the unprepared images, and "merged" names the datasets.
    others = {key: value for key, value in original.items() if key not in ("merged", "leaks", "fingerprint")}
    return {
        **work.masker.mask_all(others),
        **new,
        "fingerprint": hashlib.sha256(fingerprint_input.encode()).hexdigest(),
        "pixels": not work.config.landmarks_only and original.get("pixels", True),
    }


def _write_notes(work: _Preparation) -> list[str]:
    notes = []
    if work.config.landmarks_only:
        notes.append("No images, only landmarks and measurements: `image.bytes` is null.")
    if work.config.crop:
        notes.append(f"Images are cropped to the hand; {len(work.left_out):,} rows without a hand were left out.")
    if work.config.pseudonyms:
        notes.append("The names of signers, sessions, cameras and files are pseudonyms.")
    if work.images:
        notes.append(f"{_FACE_NOTE_PREFIXES[0]} {work.faces:,} of {work.images:,} images, according to MediaPipe.")
    return notes
