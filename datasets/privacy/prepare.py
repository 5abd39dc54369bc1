"""A dataset as others are to have it: the hand alone, or no picture at all; other names; and a count of the faces left.

It is written anew, from the rows; nothing is copied that was not looked at: no EXIF, no report, no name.
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

_FACES: Final = "Faces are seen in"

NO_HAND: Final = "no-hand"
"""Why a frame is left out of crops; curation's word for it."""


@dataclass(frozen=True, kw_only=True)
class PrivacyConfig:
    """What others are to see.

    Attributes:
        crop: the hand alone.
        landmarks_only: no picture at all.
        pseudonyms: other names for signers, sessions, cameras and files.
    """

    crop: bool = False
    landmarks_only: bool = False
    pseudonyms: bool = False

    def __post_init__(self) -> None:
        """Check them once."""
        if self.crop and self.landmarks_only:
            raise InputError("--crop and --landmarks-only exclude each other: without pictures there is none to crop.")


@dataclass(frozen=True, kw_only=True)
class PrivacyReport:
    """What was written: images with a face in them, images in all, and frames left out for want of a hand."""

    faces: int
    images: int
    left_out: int


@dataclass(kw_only=True)
class _Work:
    """One preparation under way: what it is told, and what it finds out."""

    config: PrivacyConfig
    names: Pseudonyms | None
    hiding: NameMasker
    faces: int = 0
    images: int = 0
    copies: int = 0
    left_out: list[dict[str, Any]] = field(default_factory=list)
    kept: list[dict[str, Any]] = field(default_factory=list)
    changed: dict[str, str] = field(default_factory=dict)
    finders: list[FaceDetector] = field(default_factory=list)
    own: local = field(default_factory=local)

    def has_face(self, frame: Frame, hand_box: list[float] | None) -> bool:
        """Whether there is a face; each thread has a finder of its own."""
        if not hasattr(self.own, "finder"):
            self.own.finder = FaceDetector()
            self.finders.append(self.own.finder)
        found: bool = self.own.finder.has_face(frame, hand_box)
        return found


def prepare_for_sharing(
    folder: Path, target: Path, *, name: str, config: PrivacyConfig, names: Pseudonyms | None
) -> PrivacyReport:
    """Write a dataset as others are to have it.

    Args:
        folder: the dataset. Only read.
        target: where the other one goes.
        name: of the dataset.
        config: what others are to see.
        names: other names, for `config.pseudonyms`; what is missing is drawn.

    Raises:
        InputError: no dataset there.
        AslkitError: it is damaged, or no row would be left.
    """
    total = parquet_store.count_rows(folder)
    if names is not None:
        names.register(named(folder))
    work = _Work(config=config, names=names, hiding=(names or Pseudonyms()).masker())
    with atomic_write(target) as new:
        with progress_bar("Preparing", total) as advance, ThreadPoolExecutor(os.cpu_count()) as pool:
            for path in parquet_store.list_files(folder):
                for number, table in enumerate(parquet_store.iter_file_row_groups(path, schema.COLUMNS.names)):
                    rows = _prepared(table, path.name.split("-")[0], work, pool)
                    _keep(new / _PARTS / f"{path.stem}-{number:09d}.parquet", rows)
                    advance(len(table))
        for finder in work.finders:
            finder.close()
        if not work.kept:
            raise AslkitError(f"No frame of {folder} has a hand that could be cut out. Nothing would be left.")
        _write(new, folder, name, work)
    return PrivacyReport(faces=work.faces, images=work.images, left_out=len(work.left_out))


def read_privacy_report(folder: Path) -> PrivacyReport:
    """What `prepare_for_sharing` said when it wrote this folder."""
    about = parquet_store.read_facts(folder)["privacy"]
    return PrivacyReport(**{each.name: int(about[each.name]) for each in fields(PrivacyReport)})


def named(folder: Path) -> Iterator[dict[str, Any]]:
    """Whoever and whatever has a name, for `Pseudonyms.learn`: rows, and what curation left out or flagged."""
    for table in parquet_store.iter_row_groups(folder, ["signer", "session", "camera", "image.path"]):
        for row in table.to_pylist():
            yield {**row, "path": (row["image"] or {}).get("path") or ""}
    for table in (parquet_store.read_rejected(folder), parquet_store.read_flagged(folder)):
        for row in table.to_pylist():
            yield {"camera": None, **{key: row.get(key) or "" for key in ("signer", "session", "path")}}


def _prepared(table: pa.Table, split: str, work: _Work, pool: ThreadPoolExecutor) -> list[dict[str, Any]]:
    """The rows of a row group as others are to have them, without those that have nothing to show."""
    rows = table.to_pylist()
    kept = []
    for row, (data, face) in zip(rows, pool.map(partial(_looked_at, work=work), rows), strict=True):
        if data is None or (work.config.crop and row["parent"] and row["parent"] not in work.changed):
            work.left_out.append(row)
            continue
        if work.config.crop:
            work.changed[row["sha256"]] = data["sha256"]
            data["parent"] = work.changed.get(row["parent"])
        work.faces += face
        work.images += data["image"]["bytes"] is not None
        if work.names is not None:
            data = _renamed(data, row["image"]["path"], work.names, work.hiding)
        kept.append(data)
        work.copies += data["parent"] is not None
        if data["parent"] is None:
            about = {key: data[key] for key in ("label", "signer", "group")}
            work.kept.append(
                {**about, "landmarks": data["landmarks"] and True, "split": split, "path": row["image"]["path"]}
            )
    return kept


def _looked_at(row: dict[str, Any], *, work: _Work) -> tuple[dict[str, Any] | None, bool]:
    """A row as others are to have it, but for names, and whether its picture shows a face; None without a hand."""
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
        data, place = crop_row(row, frame)
        frame = decode_image(data)
        row = {**row, **place, **_measured(frame)}
        image = {"path": row.pop("path")}
    return {**row, "image": {"bytes": data, "path": image["path"]}}, work.has_face(frame, row["hand_box"])


def _measured(frame: Frame) -> dict[str, Any]:
    """The columns that are measured on the pixels."""
    about = {"sha256": pixel_hash(frame), "phash": perceptual_hash(frame)}
    return {**asdict(measure_quality(frame)), **about, "width": frame.shape[1], "height": frame.shape[0]}


def _renamed(row: dict[str, Any], path: str, names: Pseudonyms, hiding: NameMasker) -> dict[str, Any]:
    signer, session, camera, licence = row["signer"], row["session"], row["camera"], row["licence"]
    told = licence and licences.canonical_licence(licence) not in licences.MAY_BECOME  # in words of somebody's own
    return {
        **row,
        "image": {"bytes": row["image"]["bytes"], "path": _file(path, row["image"]["path"], names)},
        "signer": names.signers[signer] if signer else signer,
        "session": names.session(signer or "", session) if session else session,
        "camera": names.cameras[camera] if camera else camera,
        "consent": hiding.mask_text(row["consent"]) if row["consent"] else row["consent"],
        "licence": hiding.mask_text(licence) if told else licence,
    }


def _file(path: str, now: str, names: Pseudonyms) -> str:
    """Another name of a file; a crop may have another suffix than the file it was cut from."""
    other = names.files[path]
    return other if now == path else PurePosixPath(other).with_suffix(PurePosixPath(now).suffix).as_posix()


def _keep(path: Path, rows: list[dict[str, Any]]) -> None:
    """Keep rows until all that the facts say of them is known: facts stand in every file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows, schema.COLUMNS), path, compression="none")


def _write(new: Path, folder: Path, name: str, work: _Work) -> None:
    rejected, flagged = _findings(folder, work)
    facts = _facts(parquet_store.read_facts(folder), work, rejected, flagged)
    for split in schema.SPLITS:
        parts = sorted((new / _PARTS).glob(f"{split}-*.parquet"))
        parquet_store.write_split(new, split, (pq.read_table(part) for part in parts), facts=facts)
    remove(new / _PARTS)
    pq.write_table(
        pa.Table.from_pylist(rejected, schema.WITHHELD), new / parquet_store.REJECTED_FILE, compression="zstd"
    )
    pq.write_table(pa.Table.from_pylist(flagged, schema.FLAGGED), new / parquet_store.FLAGGED_FILE, compression="zstd")
    card.write_card(new, name=work.hiding.mask_text(name), facts=facts)


def _findings(folder: Path, work: _Work) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Rows of rejected.parquet and flagged.parquet; of crops the hashes of the frames' pixels say nothing any more."""
    shown = {row["path"] for row in work.kept}
    rejected, flagged = parquet_store.read_rejected(folder).to_pylist(), parquet_store.read_flagged(folder).to_pylist()
    for row in work.left_out:
        about = {"path": row["image"]["path"], "signer": row["signer"], "session": row["session"]}
        if row["parent"] is None:
            rejected.append(
                {**about, "letter": LETTERS[row["label"]], "reason": NO_HAND, "detail": "nothing to cut out"}
            )
    found = (rejected, [row for row in flagged if row["path"] in shown])
    if work.config.crop:
        for row in (*found[0], *found[1]):
            row |= {"sha256": None, "group": None}
    if (names := work.names) is not None:
        for row in (*found[0], *found[1]):
            signer, session = row["signer"] or "", row["session"] or ""
            row |= {"path": names.files[row["path"]], "detail": work.hiding.mask_text(row["detail"] or "")}
            row |= {"signer": names.signers[signer], "session": names.session(signer, session)}
    return found


def _facts(
    before: dict[str, Any], work: _Work, rejected: list[dict[str, Any]], flagged: list[dict[str, Any]]
) -> dict[str, Any]:
    hide = work.hiding.mask_all
    before = {key: value for key, value in before.items() if key not in ("aslkit", "schema_version")}
    was = as_dict(before.get("summary"))
    table = pa.table({key: pa.array([row[key] for row in work.kept]) for key in ("label", "landmarks")})
    group = pa.array([row["group"] for row in work.kept], pa.int64()).fill_null(
        -1
    )  # no one grouped Sign Language MNIST
    table = table.append_column("group", group)
    table = table.append_column("signer", pa.array([row["signer"] or "" for row in work.kept], pa.string()))
    parts = Split(names=np.array([row["split"] for row in work.kept]), by=was.get("split_by", "signer"))
    reasons = [[row["reason"] for row in rows] for rows in (rejected, flagged)]
    summary = summarise_dataset(table, parts, rejected=reasons[0], flagged=reasons[1])
    notes = _notes(work)
    earlier = [note for note in hide(was.get("notes", [])) if note not in notes and not note.startswith(_FACES)]
    summary |= {"augmented": work.copies, "notes": [*notes, *earlier]}
    said = PrivacyReport(faces=work.faces, images=work.images, left_out=len(work.left_out))
    about = {"summary": summary, "privacy": asdict(work.config) | asdict(said)}
    if work.config == PrivacyConfig():
        return before | about
    mark = json.dumps([before.get("fingerprint"), asdict(work.config), summary["signers"]])
    others = {key: value for key, value in before.items() if key not in ("merged", "leaks", "fingerprint")}
    return {
        **hide(others),
        **about,
        "fingerprint": hashlib.sha256(mark.encode()).hexdigest(),
        "pixels": not work.config.landmarks_only and before.get("pixels", True),
    }


def _notes(work: _Work) -> list[str]:
    notes = []
    if work.config.landmarks_only:
        notes.append("There are no pictures, only landmarks and what was measured: `image.bytes` is null.")
    if work.config.crop:
        notes.append(f"Pictures show the hand alone; {len(work.left_out):,} rows without a hand were left out.")
    if work.config.pseudonyms:
        notes.append("Signers, sessions, cameras and files have other names than they had when they were recorded.")
    if work.images:
        notes.append(f"{_FACES} {work.faces:,} of {work.images:,} images, as far as MediaPipe finds them.")
    return notes
