"""The curation pipeline: turn the captures of a workspace into a dataset folder."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from aslkit.core.errors import AslkitError
from aslkit.core.files import file_hash
from aslkit.core.installation import require_modules
from aslkit.core.progress import OnMessage, iterate_with_progress
from aslkit.core.workspace import Workspace
from aslkit.curate.apply_reviews import ReviewedFrames, apply_reviews
from aslkit.curate.config import CurateConfig
from aslkit.curate.curate_clips import curate_clips, hash_clips
from aslkit.curate.existing_dataset import check_not_from_elsewhere, compute_fingerprint, load_if_up_to_date
from aslkit.curate.filter.checks import CheckConfig
from aslkit.curate.filter.select import disable_checks
from aslkit.curate.find_captures import find_captures, find_unused, load_sessions
from aslkit.curate.measure import measure
from aslkit.curate.measure.cache import MeasurementCache
from aslkit.curate.measure.engine import Engine, Local
from aslkit.curate.measure.group_frames import group_frames
from aslkit.curate.measure.near_duplicates import Integers
from aslkit.curate.measure.recorded import add_recorded_measurements
from aslkit.curate.select_captures import SelectedFrames, empty_selection, select_captures
from aslkit.curate.write_dataset import write_dataset
from aslkit.datasets.split import check_hold_out
from aslkit.formats.captures import CapturedFrame
from aslkit.formats.reviews import load_decisions


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
    """Measure, filter, group, split and write all captures, frames and clips, as a dataset.

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
    captures = find_captures(workspace, with_synthetic)
    decisions = load_decisions(workspace)
    reviewed = apply_reviews(captures.frames, decisions, captures.left_out)
    frames = reviewed.frames
    check_hold_out(hold_out, captures.signers)  # fail before the slow steps
    contents = list(iterate_with_progress("Hashing files", len(frames), (file_hash(frame.path) for frame in frames)))
    clip_contents, clip_indices = hash_clips(captures.clips)
    sessions = load_sessions(workspace, captures)
    unused = find_unused(workspace.captures)
    options = {
        "config": asdict(config),
        "checks": asdict(checks),
        "hold_out": sorted(hold_out),
        "left_out": captures.left_out,
    }
    lost = [rejection.frame.key for rejection in (*unused, *captures.damaged)]
    inputs = options | {"lost": lost, "clips": [*clip_indices, *clip_contents]}
    fingerprint = compute_fingerprint(frames, contents, sessions, decisions, inputs)
    if not rebuild and (existing := load_if_up_to_date(folder, fingerprint)):
        return CurateResult(folder=folder, measured=0, up_to_date=True, summary=existing)
    cache, measured = _measure(workspace, frames, contents, config, engine, rebuild, on_message)
    group = partial(group_frames, sessions=sessions, limits=config.limits, engine=engine, cache=workspace.copies)
    selected = _select(reviewed, cache.get(contents), config, checks, group)
    selected = replace(selected, rejected=[*unused, *selected.rejected])
    clips = curate_clips(
        captures, clip_contents, sessions, config, measurements=workspace.measurements, engine=engine, rebuild=rebuild
    )
    if not selected.frames and not clips.clips:
        raise AslkitError(f"No clip can be used. The first one: {clips.rejected[0].detail}")
    facts = {**options, "fingerprint": fingerprint}
    summary = write_dataset(folder, selected, clips, sessions, config, hold_out, engine, facts)
    return CurateResult(folder=folder, measured=measured, up_to_date=False, summary=summary)


def _select(
    reviewed: ReviewedFrames,
    measurements: pa.Table,
    config: CurateConfig,
    checks: CheckConfig,
    find_groups: Callable[[list[CapturedFrame], pa.Table], Integers],
) -> SelectedFrames:
    """Select the frames of the dataset, with the decisions of people; none if only clips were captured."""
    if not reviewed.frames:
        return empty_selection(measurements, rejected=reviewed.rejected, notes=reviewed.notes())
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
