"""The curation pipeline: turn the captures of a workspace into a dataset folder."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from aslkit import __version__
from aslkit.core.files import atomic_write, file_hash
from aslkit.core.installation import require_modules
from aslkit.core.progress import OnMessage, iterate_with_progress
from aslkit.core.workspace import Workspace
from aslkit.curate.apply_reviews import ReviewedFrames, apply_reviews
from aslkit.curate.augment import augment_images
from aslkit.curate.config import CurateConfig
from aslkit.curate.existing_dataset import check_not_from_elsewhere, compute_fingerprint, load_if_up_to_date
from aslkit.curate.filter.checks import CheckConfig
from aslkit.curate.filter.select import disable_checks
from aslkit.curate.find_captures import Sessions, find_frames, find_unused, load_sessions
from aslkit.curate.kept_split import apply_kept_split, unused_split_note
from aslkit.curate.measure import measure
from aslkit.curate.measure import table as measure_table
from aslkit.curate.measure.cache import MeasurementCache
from aslkit.curate.measure.engine import Engine, Local
from aslkit.curate.measure.group_frames import group_frames
from aslkit.curate.measure.near_duplicates import Integers
from aslkit.curate.measure.recorded import add_recorded_measurements
from aslkit.curate.report import report
from aslkit.curate.report.dataset_leakage import DatasetLeakage, measure_dataset_leakage
from aslkit.curate.report.notes import (
    mirrored_session_notes,
    misplaced_image_notes,
)
from aslkit.curate.report.pose_outliers import flag_unusual_forms
from aslkit.curate.select_captures import SelectedFrames, select_captures
from aslkit.datasets import card, duplicate_signers, parquet_store, schema
from aslkit.datasets.split import GAP, Split, SplitFrames, check_hold_out, split_frames
from aslkit.datasets.summary import summarise_dataset
from aslkit.formats.captures import CapturedFrame
from aslkit.formats.reviews import load_decisions

_RECORDED_VERSIONS: Final = ("mediapipe", "numpy", "opencv-python", "pillow", "scikit-learn", "simplejpeg")
"""Packages that the measurements depend on; their versions are stored in the dataset."""


@dataclass(frozen=True, kw_only=True)
class CurateResult:
    """Result of curation.

    Attributes:
        folder: dataset folder.
        measured: number of images that were measured; the others were in the cache, or measured while recording.
        up_to_date: nothing had changed, so the dataset was not rebuilt.
        summary: content of the dataset, as in its card and its Parquet metadata; JSON-compatible.
    """

    folder: Path
    measured: int
    up_to_date: bool
    summary: dict[str, Any]


def curate(
    workspace: Workspace,
    *,
    name: str,
    config: CurateConfig,
    checks: CheckConfig,
    hold_out: Sequence[str] = (),
    restore: Sequence[str] = (),
    with_synthetic: bool = False,
    rebuild: bool = False,
    engine: Engine | None = None,
    on_message: OnMessage = lambda _: None,
) -> CurateResult:
    """Measure, filter, group, split and write all captures as a dataset.

    Args:
        workspace: workspace with the captures, in which the dataset is written.
        name: name of the dataset.
        config: settings of curation.
        checks: settings of the checks.
        hold_out: signers of the test split; chosen automatically if empty.
        restore: reason codes of dropped frames that are kept and flagged instead.
        with_synthetic: include synthetic signers next to real ones. Otherwise they are left out, with a note.
        rebuild: measure all images again and rebuild the dataset, even if nothing has changed.
        engine: measures and compares the images; default: one local process per core.
        on_message: called with what the user should know during the run.

    Raises:
        AslkitError: there are no captures, none can be read, or the folder has other files than a dataset.
        InputError: an invalid name, the name of a dataset from another command, or an unknown signer in `hold_out`.
    """
    folder, engine = workspace.dataset(name), engine or Local()
    check_not_from_elsewhere(folder)
    if config.augment:
        require_modules("albumentations", extra="augment", purpose="--augment")
    checks, keep_per_group = disable_checks(checks, config.keep_per_group, restore)
    config = replace(config, keep_per_group=keep_per_group)
    captured, left_out = find_frames(workspace, with_synthetic)
    decisions = load_decisions(workspace)
    reviewed = apply_reviews(captured, decisions, left_out)
    frames = reviewed.frames
    check_hold_out(hold_out, (frame.signer for frame in frames))  # fail before the slow steps
    contents = list(iterate_with_progress("Hashing files", len(frames), (file_hash(frame.path) for frame in frames)))
    sessions = load_sessions(workspace, frames)
    unused = find_unused(workspace.captures)
    options = {"config": asdict(config), "checks": asdict(checks), "hold_out": sorted(hold_out), "left_out": left_out}
    lost = [rejection.frame.key for rejection in unused]
    fingerprint = compute_fingerprint(frames, contents, sessions, decisions, options | {"lost": lost})
    if not rebuild and (existing := load_if_up_to_date(folder, fingerprint)):
        return CurateResult(folder=folder, measured=0, up_to_date=True, summary=existing)
    cache, measured = _measure(workspace, frames, contents, config, engine, rebuild, on_message)
    group = partial(group_frames, sessions=sessions, limits=config.limits, engine=engine, cache=workspace.copies)
    selected = _select(reviewed, cache.get(contents), config, checks, group)
    selected = replace(selected, rejected=[*unused, *selected.rejected])
    facts = {**options, "fingerprint": fingerprint}
    summary = _write_dataset(folder, selected, sessions, config, hold_out, engine, facts)
    return CurateResult(folder=folder, measured=measured, up_to_date=False, summary=summary)


def _select(
    reviewed: ReviewedFrames,
    measurements: pa.Table,
    config: CurateConfig,
    checks: CheckConfig,
    find_groups: Callable[[list[CapturedFrame], pa.Table], Integers],
) -> SelectedFrames:
    """Select the frames of the dataset, with the decisions of people."""
    selected = select_captures(
        reviewed.frames, measurements, config, checks, find_groups,
        confirmed=reviewed.kept, relabelled=reviewed.relabelled,
    )  # fmt: skip
    return replace(
        selected,
        rejected=[*reviewed.rejected, *selected.rejected],
        notes=[*reviewed.notes(), *selected.notes],
        decisions=reviewed.decisions,
    )


def _measure(
    workspace: Workspace,
    frames: Sequence[CapturedFrame],
    contents: Sequence[str],
    config: CurateConfig,
    engine: Engine,
    rebuild: bool,
    on_message: OnMessage,
) -> tuple[MeasurementCache, int]:
    """Return the measurements of all frames, and the number of images that had to be measured."""
    options = measure.MeasureOptions(min_confidence=config.min_confidence, second_try=config.second_try)
    cache = MeasurementCache(folder=workspace.measurements, options=options)
    paths = {content: frame.path for content, frame in zip(contents, frames, strict=True)}
    if rebuild:
        cache.clear()
    else:
        sessions = sorted({frame.path.parents[1] for frame in frames})
        rng = np.random.default_rng(config.seed)
        add_recorded_measurements(cache, paths, sessions, engine, rng=rng, on_message=on_message)
    return cache, cache.fill(paths, engine)


def _write_dataset(
    folder: Path,
    selected: SelectedFrames,
    sessions: Sessions,
    config: CurateConfig,
    hold_out: Sequence[str],
    engine: Engine,
    facts: dict[str, Any],
) -> dict[str, Any]:
    """Split the frames, write the dataset folder, and return its summary."""
    table, split, selected = _split(selected, sessions, config, hold_out)
    unusual = flag_unusual_forms(table, selected.frames, selected.confirmed)
    selected = replace(selected, flagged=[*selected.flagged, *unusual])
    summary = _summarise(table, split, selected, config, facts["left_out"])
    leakage = _measure_leakage(table, split, selected, config)
    versions = {"aslkit": __version__} | {name: version(name) for name in _RECORDED_VERSIONS}
    facts = facts | {"summary": summary, "versions": versions, "leaks": asdict(leakage) if leakage else {}}
    with atomic_write(folder) as new:
        for name in schema.SPLITS:
            images = _split_images(name, table, split, selected.frames, config, engine)
            parquet_store.write_split(new, name, images, facts=facts)
        for file, findings in (
            (parquet_store.REJECTED_FILE, selected.rejected),
            (parquet_store.FLAGGED_FILE, selected.flagged),
            (parquet_store.REVIEWED_FILE, selected.decisions),
        ):
            parquet_store.write_findings(new / file, [finding.row() for finding in findings])
        card.write_card(new, name=folder.name, facts=facts)
        _write_report(new, folder.name, table, split, selected, leakage, summary, config)
    return summary


def _write_report(
    new: Path,
    name: str,
    table: pa.Table,
    split: Split,
    selected: SelectedFrames,
    leakage: DatasetLeakage | None,
    summary: dict[str, Any],
    config: CurateConfig,
) -> None:
    report_input = report.ReportInput(
        name=name,
        table=table,
        frames=selected.frames,
        suggested=selected.suggested,
        leakage=leakage,
        split=split,
        rejected=selected.rejected,
        flagged=selected.flagged,
        summary=summary,
        config=config,
        confirmed=selected.confirmed,
    )
    report.write_report(new, report_input)


def _summarise(
    table: pa.Table, split: Split, selected: SelectedFrames, config: CurateConfig, left_out: list[str]
) -> dict[str, Any]:
    summary = summarise_dataset(
        table,
        split,
        left_out=left_out,
        rejected=[rejection.reason for rejection in selected.rejected],
        flagged=[finding.reason for finding in selected.flagged],
        reviewed=[decision.reason for decision in selected.decisions],
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


def _measure_leakage(
    table: pa.Table, split: Split, selected: SelectedFrames, config: CurateConfig
) -> DatasetLeakage | None:
    thumbnails = measure_table.hashes_to_bytes(selected.measurements.column("small"))
    hashes, labels = (table.column(name).to_numpy() for name in ("phash", "label"))
    test = split.names == "test"
    return measure_dataset_leakage(thumbnails, hashes, labels, test, distance=config.group_distance, seed=config.seed)


def _split_images(
    name: str, table: pa.Table, split: Split, frames: Sequence[CapturedFrame], config: CurateConfig, engine: Engine
) -> Iterator[pa.Table]:
    """Return the rows of a split with their images; augmented copies follow in the train split."""
    rows = np.flatnonzero(split.names == name)
    part = table.take(rows)
    images = iterate_with_progress(f"Writing {name}", len(rows), measure_table.add_images(part, frames, rows), size=len)
    if name != "train" or not config.augment:
        return images
    originals = measure_table.add_images(part, frames, rows)
    copies = augment_images(originals, copies=config.augment, total=len(rows), seed=config.seed, engine=engine)
    return chain(images, measure_table.regroup_rows(copies))


def _split(
    selected: SelectedFrames, sessions: Sessions, config: CurateConfig, hold_out: Sequence[str]
) -> tuple[pa.Table, Split, SelectedFrames]:
    """Build and split the rows; frames in the gap between train and test are rejected."""
    table = measure_table.build_table(selected.frames, selected.measurements, selected.group, sessions)
    kept = None if hold_out else apply_kept_split(SplitFrames.from_table(table), sessions, config)
    if kept:
        return table, kept.split, replace(selected, notes=[*selected.notes, *kept.notes])
    if note := unused_split_note(sessions):
        selected = replace(selected, notes=[*selected.notes, note])
    split = split_frames(
        SplitFrames.from_table(table),
        test_share=config.test_share,
        validation_share=config.validation_share,
        gap_share=config.gap_share,
        seed=config.seed,
        hold_out=hold_out,
    )
    in_gap = split.names == GAP
    if not in_gap.any():
        return table, split, selected
    selected = selected.reject(in_gap, GAP, "between train and test in time")
    return table.filter(~in_gap), replace(split, names=split.names[~in_gap]), selected
