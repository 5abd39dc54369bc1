"""Select the captured frames of a dataset: without duplicates, in groups, and checked."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from aslkit.core.errors import AslkitError
from aslkit.core.progress import progress_bar
from aslkit.curate.config import CurateConfig
from aslkit.curate.filter.checks import CheckConfig, CheckFinding
from aslkit.curate.filter.exact_duplicates import Rejection, drop_exact_duplicates
from aslkit.curate.filter.select import select_frames
from aslkit.curate.measure.near_duplicates import Integers
from aslkit.curate.report.notes import shared_image_notes
from aslkit.formats.captures import CapturedFrame


@dataclass(frozen=True, kw_only=True)
class SelectedFrames:
    """The n frames of the dataset, and the rejected ones.

    Attributes:
        frames: the n frames.
        measurements: their rows of `measure.MEASURED_SCHEMA`.
        group: int64 (n,), near-duplicates.
        suggested: int64 (n,), predicted letter, as in `select.Selection`.
        rejected: one entry per rejected frame.
        flagged: findings about the n frames.
        notes: notes about all frames, for the summary.
        decisions: decisions of people, as in `apply_reviews.ReviewedFrames`.
        confirmed: keys of the frames that people kept.
    """

    frames: list[CapturedFrame]
    measurements: pa.Table
    group: Integers
    suggested: Integers
    rejected: list[Rejection]
    flagged: list[Rejection]
    notes: list[str]
    decisions: list[Rejection] = field(default_factory=list)
    confirmed: Collection[str] = frozenset()

    def reject(self, rows: npt.NDArray[np.bool_], reason: str, detail: str) -> "SelectedFrames":
        """Reject some of the frames, bool (n,), and remove their flags."""
        rejected = [self.frames[row] for row in np.flatnonzero(rows)]
        kept, keys = np.flatnonzero(~rows), {frame.key for frame in rejected}
        return replace(
            self,
            frames=[self.frames[row] for row in kept],
            measurements=self.measurements.take(kept),
            group=self.group[kept],
            suggested=self.suggested[kept],
            rejected=[*self.rejected, *(Rejection(frame=frame, reason=reason, detail=detail) for frame in rejected)],
            flagged=[finding for finding in self.flagged if finding.frame.key not in keys],
        )


def select_captures(
    frames: list[CapturedFrame],
    measurements: pa.Table,
    config: CurateConfig,
    checks: CheckConfig,
    find_groups: Callable[[list[CapturedFrame], pa.Table], Integers],
    *,
    confirmed: Collection[str] = frozenset(),
    relabelled: Collection[str] = frozenset(),
) -> SelectedFrames:
    """Drop exact duplicates, group near-duplicates, check the remaining frames, and return the selected ones.

    Args:
        frames: n frames.
        measurements: their rows of `measure.MEASURED_SCHEMA`.
        config: settings of curation.
        checks: settings of the checks.
        find_groups: returns the near-duplicate group of each frame.
        confirmed: keys of the frames that people kept.
        relabelled: keys of the frames to which people gave another letter.

    Raises:
        AslkitError: no frame can be read, or all are rejected.
    """
    errors, pixel_hashes = (measurements.column(name).to_pylist() for name in ("error", "sha256"))
    notes = list(shared_image_notes(frames, pixel_hashes))
    readable, rejected = drop_exact_duplicates(frames, errors, pixel_hashes, {*confirmed, *relabelled})
    if not readable:
        first = _describe_first(rejected)
        raise AslkitError(f"None of the {len(frames)} captured images can be read. The first one: {first}.")
    frames, measurements = [frames[index] for index in readable], measurements.take(readable)
    group = find_groups(frames, measurements)
    with progress_bar("Checking images", 1) as advance:
        selection = select_frames(
            frames, measurements, group, config=checks, keep_per_group=config.keep_per_group,
            confirmed=_mark(frames, confirmed), relabelled=_mark(frames, relabelled),
        )  # fmt: skip
        advance()
    dropped, flagged = (_to_rejections(frames, findings) for findings in (selection.dropped, selection.flagged))
    if not len(selection.kept):
        raise AslkitError(
            f"All frames were dropped. The first one: {_describe_first(dropped)}. Use `--restore REASON` to keep "
            "dropped frames."
        )
    return SelectedFrames(
        frames=[frames[index] for index in selection.kept],
        measurements=measurements.take(selection.kept),
        group=group[selection.kept],
        suggested=selection.suggested[selection.kept],
        rejected=[*rejected, *dropped],
        flagged=flagged,
        notes=notes,
        confirmed=confirmed,
    )


def empty_selection(measurements: pa.Table, *, rejected: list[Rejection], notes: list[str]) -> SelectedFrames:
    """Return a selection without frames, for captures that contain only clips.

    Args:
        measurements: no rows of `measure.MEASURED_SCHEMA`.
        rejected: frames that people rejected.
        notes: notes for the summary.
    """
    none = np.zeros(0, np.int64)
    return SelectedFrames(
        frames=[], measurements=measurements, group=none, suggested=none, rejected=rejected, flagged=[], notes=notes
    )


def _mark(frames: Sequence[CapturedFrame], keys: Collection[str]) -> npt.NDArray[np.bool_]:
    """Return which frames have one of the keys, bool (n,)."""
    return np.array([bool(keys) and frame.key in keys for frame in frames], bool)


def _to_rejections(frames: Sequence[CapturedFrame], findings: Sequence[CheckFinding]) -> list[Rejection]:
    return [
        Rejection(frame=frames[finding.index], reason=finding.check.replace("_", "-"), detail=finding.detail)
        for finding in findings
    ]


def _describe_first(rejected: list[Rejection]) -> str:
    return f"{rejected[0].frame.key}: {rejected[0].detail}"
