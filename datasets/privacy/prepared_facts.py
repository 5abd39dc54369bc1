"""The findings, facts and notes of a dataset that was prepared for sharing."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from aslkit.core.letters import LABELS, MOTION_LETTERS
from aslkit.datasets import parquet_store
from aslkit.datasets.info import as_dict
from aslkit.datasets.privacy.config import PrivacyConfig
from aslkit.datasets.privacy.preparation import Preparation
from aslkit.datasets.split import Split
from aslkit.datasets.summary import summarise_dataset

NO_HAND: Final = "no-hand"
"""Reason code in rejected.parquet for frames that cannot be cropped, the same as that of curation."""

_VISIBLE: Final = "Faces are visible in"
_PIXELATED: Final = "Faces are pixelated in"

_SEEN: Final = "Faces are seen in"
"""Start of the note about visible faces in earlier versions."""


@dataclass(frozen=True, kw_only=True)
class PreparedFindings:
    """The rows of rejected.parquet, flagged.parquet and reviewed.parquet."""

    rejected: list[dict[str, Any]]
    flagged: list[dict[str, Any]]
    reviewed: list[dict[str, Any]]

    @property
    def rows(self) -> Iterator[dict[str, Any]]:
        """All rows."""
        return chain(self.rejected, self.flagged, self.reviewed)


def prepare_findings(folder: Path, work: Preparation) -> PreparedFindings:
    """Return the findings and decisions of a dataset as the prepared one stores them.

    For crops, the pixel hashes are removed: they belong to the uncropped frames.
    """
    kept_paths = {row["path"] for row in work.kept}
    rejected, flagged, reviewed = (
        read(folder).to_pylist()
        for read in (parquet_store.read_rejected, parquet_store.read_flagged, parquet_store.read_reviewed)
    )
    left_out = {row["clip"] or row["image"]["path"]: row for row in work.left_out if row["parent"] is None}
    for path, row in left_out.items():  # one for each clip
        columns = {"path": path, "signer": row["signer"], "session": row["session"]}
        rejected.append({**columns, "letter": LABELS[row["label"]], "reason": NO_HAND, "detail": "no hand to crop to"})
    flagged = [row for row in flagged if row["path"] in kept_paths]
    findings = PreparedFindings(rejected=rejected, flagged=flagged, reviewed=reviewed)
    if work.config.crop:
        for row in findings.rows:
            row |= {"sha256": None, "group": None}
    if (names := work.names) is not None:
        for row in findings.rows:
            signer, session = row["signer"] or "", row["session"] or ""
            row |= {"path": names.files[row["path"]], "detail": work.masker.mask_text(row["detail"] or "")}
            row |= {"signer": names.signers[signer], "session": names.session(signer, session)}
    return findings


def make_facts(original: dict[str, Any], work: Preparation, findings: PreparedFindings) -> dict[str, Any]:
    """Return the facts that the prepared dataset stores.

    Args:
        original: facts of the dataset.
        work: the finished preparation.
        findings: result of `prepare_findings`.
    """
    original = {key: value for key, value in original.items() if key not in ("aslkit", "schema_version")}
    original_summary = as_dict(original.get("summary"))
    table = pa.table({key: pa.array([row[key] for row in work.kept]) for key in ("label", "landmarks")})
    # Sign Language MNIST has no near-duplicate groups.
    group = pa.array([row["group"] for row in work.kept], pa.int64()).fill_null(-1)
    table = table.append_column("group", group)
    table = table.append_column("signer", pa.array([row["signer"] or "" for row in work.kept], pa.string()))
    table = table.append_column("clip", pa.array([row["clip"] for row in work.kept], pa.string()))
    split = Split(names=np.array([row["split"] for row in work.kept]), by=original_summary.get("split_by", "signer"))
    summary = summarise_dataset(
        table,
        split,
        rejected=(row["reason"] for row in findings.rejected if row["letter"] not in MOTION_LETTERS),
        rejected_clips=(row["reason"] for row in findings.rejected if row["letter"] in MOTION_LETTERS),
        flagged=(row["reason"] for row in findings.flagged),
        reviewed=(row["reason"] for row in findings.reviewed),
    )
    earlier_notes = work.masker.mask_all(original_summary.get("notes", []))
    summary |= {"augmented": work.copies, "notes": _write_notes(work, earlier_notes)}
    new = {"summary": summary, "privacy": asdict(work.config) | asdict(work.report)}
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


def _write_notes(work: Preparation, earlier_notes: list[str]) -> list[str]:
    notes = []
    outdated = (_VISIBLE, _SEEN, _PIXELATED) if work.config.crop else (_VISIBLE, _SEEN)
    if work.config.landmarks_only:
        notes.append("No images, only landmarks and measurements: `image.bytes` is null.")
    if work.config.crop:
        notes.append(f"Images are cropped to the hand; {len(work.left_out):,} rows without a hand were left out.")
        notes.append(
            f"{_PIXELATED} {work.pixelated:,} of {work.images:,} images. MediaPipe found them; faces that it missed "
            "are visible."
        )
    elif work.images:
        notes.append(f"{_VISIBLE} {work.faces:,} of {work.images:,} images, according to MediaPipe.")
    if work.config.pseudonyms:
        notes.append("The names of signers, sessions, cameras and files are pseudonyms.")
    return notes + [note for note in earlier_notes if note not in notes and not note.startswith(outdated)]
