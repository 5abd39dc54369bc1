"""The origins, counts and notes of a merged dataset."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from aslkit.core.letters import LABELS, MOTION_LETTERS
from aslkit.core.sanitize import format_count
from aslkit.core.workspace import SYNTHETIC_PREFIX
from aslkit.datasets import duplicate_signers
from aslkit.datasets.merging.entries import MergeSource
from aslkit.datasets.merging.join import JoinedRows
from aslkit.datasets.merging.source_row import SourceRow
from aslkit.datasets.split import Split
from aslkit.datasets.summary import summarise_dataset


def merge_origins(sources: Sequence[MergeSource]) -> list[dict[str, Any]]:
    """Combine the origins of all sources, one for each fingerprint."""
    merged: dict[str, dict[str, Any]] = {}
    for origin in (origin for source in sources for origin in source.origins):
        known = merged.get(origin["fingerprint"], origin)
        names = sorted({*known["names"], *origin["names"]})
        counts: dict[str, Any] = {
            key: min(origin[key], known.get(key, origin[key])) for key in ("frames", "clips") if key in origin
        }
        merged[origin["fingerprint"]] = {**origin, "names": names, **counts}
    return [merged[fingerprint] for fingerprint in sorted(merged)]


def summarise_merge(joined: JoinedRows, split: Split, origins: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the summary of a merged dataset, see `summary.summarise_dataset`.

    Args:
        joined: the rows.
        split: their split.
        origins: result of `merge_origins`.
    """
    table = pa.table(
        {
            "label": pa.array([entry.label for entry in joined.kept], pa.int64()),
            "signer": pa.array([entry.signer for entry in joined.kept]),
            "landmarks": pa.array([True if entry.has_hand else None for entry in joined.kept], pa.bool_()),
            "group": pa.array(joined.group),
            "clip": pa.array([entry.clip for entry in joined.kept], pa.string()),
        }
    )
    rejected = [
        *((row["letter"], row["reason"]) for row in joined.rejected),
        *((LABELS[each.entry.label], each.reason) for each in joined.excluded),
    ]
    flagged, reviewed = ([row["reason"] for row in rows] for rows in (joined.flagged, joined.reviewed))
    summary = summarise_dataset(
        table, split, flagged=flagged, reviewed=reviewed,
        rejected=[reason for letter, reason in rejected if letter not in MOTION_LETTERS],
        rejected_clips=[reason for letter, reason in rejected if letter in MOTION_LETTERS],
    )  # fmt: skip
    sources = ", ".join(sorted(map(_describe_origin, origins)))
    notes = [f"Merged from {sources}."]
    synthetic = [signer for signer in summary["signers"] if signer.startswith(SYNTHETIC_PREFIX)]
    if synthetic and len(synthetic) < len(summary["signers"]):
        notes.append(f"Contains images of synthetic signers: {', '.join(synthetic)}.")
    return summary | {"notes": [*notes, *summary["notes"], *_duplicate_signer_warnings(joined.kept)]}


def _describe_origin(origin: dict[str, Any]) -> str:
    clips = f", {format_count(origin['clips'], 'clip')}" if "clips" in origin else ""
    return f"{'/'.join(origin['names'])} ({origin['frames']:,} images{clips})"


def _duplicate_signer_warnings(rows: Sequence[SourceRow]) -> list[str]:
    """Return a warning for each pair of signers who may be the same person."""
    compared = [
        row
        for row in rows
        if row.parent is None and row.clip is None and row.phash is not None and row.joints is not None
    ]
    joints = np.frombuffer(b"".join(row.joints or b"" for row in compared), np.float16).astype(np.float32)
    frames = duplicate_signers.ComparedHands(
        signer=np.array([row.signer for row in compared], str),
        phash=np.array([row.phash for row in compared], np.uint64),
        joints=joints.reshape(-1, 21, 2),
    )
    return duplicate_signers.write_warnings(duplicate_signers.find_duplicate_signers(frames))
