"""The curation pipeline: turn the captures of a workspace into a dataset folder."""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from aslkit import __version__
from aslkit.core.errors import AslkitError
from aslkit.core.files import atomic_write, file_hash
from aslkit.core.installation import require_modules
from aslkit.core.progress import iterate_with_progress, progress_bar
from aslkit.core.workspace import SYNTHETIC_PREFIX, Workspace, validate_name
from aslkit.curate.augment import augment_images
from aslkit.curate.config import CurateConfig
from aslkit.curate.existing_dataset import check_not_from_elsewhere, load_if_up_to_date
from aslkit.curate.filter.checks import CheckConfig, CheckFinding
from aslkit.curate.filter.exact_duplicates import Rejection, drop_exact_duplicates
from aslkit.curate.filter.select import disable_checks, select_frames
from aslkit.curate.measure import measure
from aslkit.curate.measure import table as measure_table
from aslkit.curate.measure.cache import MeasurementCache
from aslkit.curate.measure.engine import Engine, Local
from aslkit.curate.measure.group_frames import group_frames
from aslkit.curate.measure.near_duplicates import Integers
from aslkit.curate.report import report
from aslkit.curate.report.dataset_leakage import DatasetLeakage, measure_dataset_leakage
from aslkit.datasets import card, duplicate_signers, parquet_store, schema
from aslkit.datasets.split import GAP, Split, SplitFrames, check_hold_out, split_frames
from aslkit.datasets.summary import summarise_dataset
from aslkit.formats.captures import SESSION_FILE, CapturedFrame, SessionInfo, unopenable_files, walk_captures
from aslkit.formats.signers import SignerDetails, load_signers

_NOT_A_FILE: Final = "no file: a link that leads nowhere, a pipe or a folder"

_RECORDED_VERSIONS: Final = ("mediapipe", "numpy", "opencv-python", "pillow", "scikit-learn", "simplejpeg")
"""Packages that the measurements depend on; their versions are stored in the dataset."""

Sessions = dict[tuple[str, str], SessionInfo]
"""Sessions by the names of signer and session."""


@dataclass(frozen=True, kw_only=True)
class CurateResult:
    """Result of curation.

    Attributes:
        folder: dataset folder.
        measured: number of images that were measured; the others were in the cache.
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
        rebuild: rebuild the dataset even if nothing has changed.
        engine: measures and compares the images; default: one local process per core.

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
    frames, left_out = _find_frames(workspace, with_synthetic)
    check_hold_out(hold_out, (frame.signer for frame in frames))  # fail before the slow steps
    contents = list(iterate_with_progress("Hashing files", len(frames), (file_hash(frame.path) for frame in frames)))
    sessions = _load_sessions(workspace, frames)
    unopenable = [
        Rejection(frame=frame, reason="unreadable", detail=_NOT_A_FILE)
        for frame in unopenable_files(workspace.captures)
    ]
    options = {"config": asdict(config), "checks": asdict(checks), "hold_out": sorted(hold_out), "left_out": left_out}
    lost = [rejection.frame.key for rejection in unopenable]
    fingerprint = _compute_fingerprint(frames, contents, sessions, options | {"lost": lost})
    if not rebuild and (existing := load_if_up_to_date(folder, fingerprint)):
        return CurateResult(folder=folder, measured=0, up_to_date=True, summary=existing)
    measured, measurements = _measure(workspace, frames, contents, config, engine)
    group = partial(group_frames, sessions=sessions, limits=config.limits, engine=engine, cache=workspace.copies)
    selected = _select(frames, measurements, config, checks, group)
    selected = replace(selected, rejected=[*unopenable, *selected.rejected])
    facts = {**options, "fingerprint": fingerprint}
    summary = _write_dataset(folder, selected, sessions, config, hold_out, engine, facts)
    return CurateResult(folder=folder, measured=measured, up_to_date=False, summary=summary)


def _find_frames(workspace: Workspace, with_synthetic: bool) -> tuple[list[CapturedFrame], list[str]]:
    """Return the frames to curate, and the synthetic signers that are left out."""
    frames = list(walk_captures(workspace.captures))
    if not frames:
        raise AslkitError(
            f"No captures found in {workspace.captures}. Record some with `aslkit capture --letter A`, import images "
            "with `aslkit import FOLDER --signer NAME`, or try `aslkit demo`."
        )
    signers = sorted({validate_name("signer", frame.signer) for frame in frames})
    synthetic = [signer for signer in signers if signer.startswith(SYNTHETIC_PREFIX)]
    if with_synthetic or len(synthetic) == len(signers):
        return frames, []
    return [frame for frame in frames if frame.signer not in synthetic], synthetic


def _load_sessions(workspace: Workspace, frames: Sequence[CapturedFrame]) -> Sessions:
    """Return the sessions of the frames, with the current licence and consent of their signers."""
    folders = {(frame.signer, validate_name("session", frame.session)): frame.path.parents[1] for frame in frames}
    sessions = {name: SessionInfo.load(folders[name] / SESSION_FILE) for name in sorted(folders)}
    details = load_signers(workspace)
    return {name: details.get(name[0], SignerDetails()).update_session(info) for name, info in sessions.items()}


def _compute_fingerprint(
    frames: Sequence[CapturedFrame], contents: Sequence[str], sessions: Sessions, options: dict[str, Any]
) -> str:
    """Return a hash of everything that the dataset depends on."""
    digest = hashlib.sha256()
    digest.update(json.dumps([__version__, schema.VERSION, measure.VERSION, options], sort_keys=True).encode())
    digest.update(json.dumps([asdict(info) for info in sessions.values()], sort_keys=True).encode())
    for frame, content in zip(frames, contents, strict=True):
        digest.update(f"{frame.key}\0{content}\n".encode())
    return digest.hexdigest()


def _measure(
    workspace: Workspace, frames: Sequence[CapturedFrame], contents: Sequence[str], config: CurateConfig, engine: Engine
) -> tuple[int, pa.Table]:
    """Return the number of images that were not in the cache, and the measurements of all frames."""
    options = measure.MeasureOptions(min_confidence=config.min_confidence, second_try=config.second_try)
    cache = MeasurementCache(folder=workspace.measurements, options=options)
    paths = {content: frame.path for content, frame in zip(contents, frames, strict=True)}
    return cache.fill(paths, engine), cache.get(contents)


@dataclass(frozen=True, kw_only=True)
class _SelectedFrames:
    """The n frames of the dataset, and the rejected ones.

    Attributes:
        frames: the n frames.
        measurements: their rows of `measure.MEASURED_SCHEMA`.
        group: int64 (n,), near-duplicates.
        suggested: int64 (n,), predicted letter, as in `select.Selection`.
        rejected: one entry per rejected frame.
        flagged: findings about the n frames.
    """

    frames: list[CapturedFrame]
    measurements: pa.Table
    group: Integers
    suggested: Integers
    rejected: list[Rejection]
    flagged: list[Rejection]

    def reject(self, rows: npt.NDArray[np.bool_], reason: str, detail: str) -> "_SelectedFrames":
        """Reject some of the frames, bool (n,), and remove their flags."""
        rejected = [self.frames[row] for row in np.flatnonzero(rows)]
        kept, keys = np.flatnonzero(~rows), {frame.key for frame in rejected}
        return _SelectedFrames(
            frames=[self.frames[row] for row in kept],
            measurements=self.measurements.take(kept),
            group=self.group[kept],
            suggested=self.suggested[kept],
            rejected=[*self.rejected, *(Rejection(frame=frame, reason=reason, detail=detail) for frame in rejected)],
            flagged=[finding for finding in self.flagged if finding.frame.key not in keys],
        )


def _select(
    frames: list[CapturedFrame],
    measurements: pa.Table,
    config: CurateConfig,
    checks: CheckConfig,
    find_groups: Callable[[list[CapturedFrame], pa.Table], Integers],
) -> _SelectedFrames:
    """Drop exact duplicates, group near-duplicates, check the remaining frames, and return the selected ones.

    Raises:
        AslkitError: no frame can be read, or all are rejected.
    """
    errors, pixel_hashes = (measurements.column(name).to_pylist() for name in ("error", "sha256"))
    readable, rejected = drop_exact_duplicates(frames, errors, pixel_hashes)
    if not readable:
        first = _describe_first(rejected)
        raise AslkitError(f"None of the {len(frames)} captured images can be read. The first one: {first}.")
    frames, measurements = [frames[index] for index in readable], measurements.take(readable)
    group = find_groups(frames, measurements)
    with progress_bar("Checking images", 1) as advance:
        selection = select_frames(frames, measurements, group, config=checks, keep_per_group=config.keep_per_group)
        advance()
    dropped, flagged = (_to_rejections(frames, findings) for findings in (selection.dropped, selection.flagged))
    if not len(selection.kept):
        raise AslkitError(
            f"All frames were dropped. The first one: {_describe_first(dropped)}. Use `--restore REASON` to keep "
            "dropped frames."
        )
    return _SelectedFrames(
        frames=[frames[index] for index in selection.kept],
        measurements=measurements.take(selection.kept),
        group=group[selection.kept],
        suggested=selection.suggested[selection.kept],
        rejected=[*rejected, *dropped],
        flagged=flagged,
    )


def _to_rejections(frames: Sequence[CapturedFrame], findings: Sequence[CheckFinding]) -> list[Rejection]:
    return [
        Rejection(frame=frames[finding.index], reason=finding.check.replace("_", "-"), detail=finding.detail)
        for finding in findings
    ]


def _write_dataset(
    folder: Path,
    selected: _SelectedFrames,
    sessions: Sessions,
    config: CurateConfig,
    hold_out: Sequence[str],
    engine: Engine,
    facts: dict[str, Any],
) -> dict[str, Any]:
    """Split the frames, write the dataset folder, and return its summary."""
    table, split, selected = _split(selected, sessions, config, hold_out)
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
        ):
            parquet_store.write_findings(new / file, [finding.row() for finding in findings])
        card.write_card(new, name=folder.name, facts=facts)
        report_input = report.ReportInput(
            name=folder.name,
            table=table,
            frames=selected.frames,
            suggested=selected.suggested,
            leakage=leakage,
            split=split,
            rejected=selected.rejected,
            flagged=selected.flagged,
            summary=summary,
            config=config,
        )
        report.write_report(new, report_input)
    return summary


def _summarise(
    table: pa.Table, split: Split, selected: _SelectedFrames, config: CurateConfig, left_out: list[str]
) -> dict[str, Any]:
    summary = summarise_dataset(
        table,
        split,
        left_out=left_out,
        rejected=[rejection.reason for rejection in selected.rejected],
        flagged=[finding.reason for finding in selected.flagged],
    )
    summary["augmented"] = config.augment * summary["splits"]["train"]
    summary["notes"] += duplicate_signers.duplicate_signer_warnings(table)
    return summary


def _measure_leakage(
    table: pa.Table, split: Split, selected: _SelectedFrames, config: CurateConfig
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
    selected: _SelectedFrames, sessions: Sessions, config: CurateConfig, hold_out: Sequence[str]
) -> tuple[pa.Table, Split, _SelectedFrames]:
    """Build and split the rows; frames in the gap between train and test are rejected."""
    table = measure_table.build_table(selected.frames, selected.measurements, selected.group, sessions)
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


def _describe_first(rejected: list[Rejection]) -> str:
    return f"{rejected[0].frame.key}: {rejected[0].detail}"
