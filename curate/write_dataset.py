"""Split the selected frames and clips, and write the dataset folder with its card and report."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from aslkit import __version__
from aslkit.core.files import atomic_write
from aslkit.core.progress import iterate_with_progress
from aslkit.curate.augment import augment_images
from aslkit.curate.config import CurateConfig
from aslkit.curate.curate_clips import CuratedClips
from aslkit.curate.find_captures import Sessions
from aslkit.curate.kept_split import apply_kept_split, unused_split_note
from aslkit.curate.measure import table as measure_table
from aslkit.curate.measure.engine import Engine
from aslkit.curate.report import report
from aslkit.curate.report.dataset_leakage import DatasetLeakage, measure_dataset_leakage
from aslkit.curate.report.notes import mirrored_session_notes, misplaced_image_notes
from aslkit.curate.report.pose_outliers import flag_unusual_forms
from aslkit.curate.select_captures import SelectedFrames
from aslkit.datasets import card, duplicate_signers, parquet_store, schema
from aslkit.datasets.clip_split import split_rows
from aslkit.datasets.split import GAP, Split, SplitFrames
from aslkit.datasets.summary import summarise_dataset

_RECORDED_VERSIONS: Final = ("mediapipe", "numpy", "opencv-python", "pillow", "scikit-learn", "simplejpeg")
"""Packages that the measurements depend on; their versions are stored in the dataset."""


@dataclass(frozen=True, kw_only=True)
class _SplitRows:
    """The rows of a dataset with their splits.

    Attributes:
        selected: the n stills, without those in the gap between train and test.
        table: their rows of `schema.COLUMNS`, without images.
        split: their split.
        clips: the clips, m rows.
        clip_names: split of each row of the clips, str (m,).
    """

    selected: SelectedFrames
    table: pa.Table
    split: Split
    clips: CuratedClips
    clip_names: npt.NDArray[np.str_]


def write_dataset(
    folder: Path,
    selected: SelectedFrames,
    clips: CuratedClips,
    sessions: Sessions,
    config: CurateConfig,
    hold_out: Sequence[str],
    engine: Engine,
    facts: dict[str, Any],
) -> dict[str, Any]:
    """Split the frames and clips, write the dataset folder, and return its summary.

    Args:
        folder: folder of the dataset, which is replaced.
        selected: the frames of the dataset; there can be none if there are clips.
        clips: the clips of the dataset.
        sessions: by signer and session.
        config: settings of curation.
        hold_out: signers of the test split; chosen automatically if empty.
        engine: makes augmented copies.
        facts: options and fingerprint, which are stored in the dataset.

    Raises:
        InputError: no signer would be left for training.
    """
    rows = _split(selected, clips, sessions, config, hold_out)
    unusual = flag_unusual_forms(rows.table, rows.selected.frames, rows.selected.confirmed) if len(rows.table) else []
    rows = replace(rows, selected=replace(rows.selected, flagged=[*rows.selected.flagged, *unusual]))
    summary = _summarise(rows, config, facts["left_out"])
    leakage = _measure_leakage(rows, config) if len(rows.table) else None
    versions = {"aslkit": __version__} | {name: version(name) for name in _RECORDED_VERSIONS}
    facts = facts | {"summary": summary, "versions": versions, "leaks": asdict(leakage) if leakage else {}}
    rejected = [*rows.selected.rejected, *clips.rejected]
    with atomic_write(folder) as new:
        for name in schema.SPLITS:
            parquet_store.write_split(new, name, _split_images(name, rows, config, engine), facts=facts)
        for file, findings in (
            (parquet_store.REJECTED_FILE, rejected),
            (parquet_store.FLAGGED_FILE, rows.selected.flagged),
            (parquet_store.REVIEWED_FILE, rows.selected.decisions),
        ):
            parquet_store.write_findings(new / file, [finding.row() for finding in findings])
        card.write_card(new, name=folder.name, facts=facts)
        report.write_report(new, _report_input(folder.name, rows, leakage, summary, config))
    return summary


def _report_input(
    name: str, rows: _SplitRows, leakage: DatasetLeakage | None, summary: dict[str, Any], config: CurateConfig
) -> report.ReportInput:
    selected = rows.selected
    return report.ReportInput(
        name=name,
        table=rows.table,
        frames=selected.frames,
        suggested=selected.suggested,
        leakage=leakage,
        split=rows.split,
        rejected=selected.rejected,
        flagged=selected.flagged,
        summary=summary,
        config=config,
        confirmed=selected.confirmed,
        clips=rows.clips.clips,
        rejected_clips=rows.clips.rejected,
    )


def _summarise(rows: _SplitRows, config: CurateConfig, left_out: list[str]) -> dict[str, Any]:
    selected, table = rows.selected, rows.table
    names = np.concatenate([rows.split.names, rows.clip_names])
    summary = summarise_dataset(
        pa.concat_tables([table, rows.clips.table]),
        Split(names=names, by=rows.split.by),
        left_out=left_out,
        rejected=[rejection.reason for rejection in selected.rejected],
        flagged=[finding.reason for finding in selected.flagged],
        reviewed=[decision.reason for decision in selected.decisions],
        rejected_clips=[rejection.reason for rejection in rows.clips.rejected],
    )
    summary["augmented"] = config.augment * summary["splits"]["train"]
    summary["notes"] = [
        *misplaced_image_notes(selected.rejected),
        *selected.notes,
        *mirrored_session_notes(table),
        *summary["notes"],
        *duplicate_signers.duplicate_signer_warnings([table]),
    ]
    return summary


def _measure_leakage(rows: _SplitRows, config: CurateConfig) -> DatasetLeakage | None:
    thumbnails = measure_table.hashes_to_bytes(rows.selected.measurements.column("small"))
    hashes, labels = (rows.table.column(name).to_numpy() for name in ("phash", "label"))
    test = rows.split.names == "test"
    return measure_dataset_leakage(thumbnails, hashes, labels, test, distance=config.group_distance, seed=config.seed)


def _split_images(name: str, rows: _SplitRows, config: CurateConfig, engine: Engine) -> Iterator[pa.Table]:
    """Return the rows of a split with their images: stills, clips, and augmented copies of the stills in train."""
    chosen, frames = np.flatnonzero(rows.split.names == name), rows.selected.frames
    part = rows.table.take(chosen)
    clip_rows = np.flatnonzero(rows.clip_names == name)
    tables = [
        measure_table.add_images(part, frames, chosen),
        measure_table.add_images(rows.clips.table.take(clip_rows), rows.clips.images(), clip_rows),
    ]
    total = len(chosen) + len(clip_rows)
    images = iterate_with_progress(f"Writing {name}", total, chain(*tables), size=len)
    if name != "train" or not config.augment or not len(chosen):
        return images
    originals = measure_table.add_images(part, frames, chosen)
    copies = augment_images(originals, copies=config.augment, total=len(chosen), seed=config.seed, engine=engine)
    return chain(images, measure_table.regroup_rows(copies))


def _split(
    selected: SelectedFrames, clips: CuratedClips, sessions: Sessions, config: CurateConfig, hold_out: Sequence[str]
) -> _SplitRows:
    """Build and split the rows; frames in the gap between train and test are rejected."""
    group = selected.group
    if clips.clips:
        group, clips = clips.add_groups(group, selected.measurements.column("sha256").to_pylist())
    table = measure_table.build_table(selected.frames, selected.measurements, group, sessions)
    split, notes = _choose_split(pa.concat_tables([table, clips.table]), sessions, config, hold_out)
    selected = replace(selected, notes=[*selected.notes, *notes])
    names, clip_names = np.split(split.names, [len(table)])
    in_gap = names == GAP
    if in_gap.any():
        selected = selected.reject(in_gap, GAP, "between train and test in time")
        table, names = table.filter(~in_gap), names[~in_gap]
    return _SplitRows(
        selected=selected, table=table, split=Split(names=names, by=split.by), clips=clips, clip_names=clip_names
    )


def _choose_split(
    table: pa.Table, sessions: Sessions, config: CurateConfig, hold_out: Sequence[str]
) -> tuple[Split, Sequence[str]]:
    """Return the split of all rows, and notes about a published split."""
    frames, clip = SplitFrames.from_table(table), np.array(table.column("clip").to_pylist(), object)
    kept = None if hold_out else apply_kept_split(frames, clip, sessions, config)
    if kept:
        return kept.split, kept.notes
    note = unused_split_note(sessions)
    split = split_rows(
        frames,
        clip,
        test_share=config.test_share,
        validation_share=config.validation_share,
        gap_share=config.gap_share,
        seed=config.seed,
        hold_out=hold_out,
    )
    return split, [note] if note else []
