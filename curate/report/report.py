"""Write report.html of a dataset: kept and rejected images, balance, split, leakage, and what to record next."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from aslkit.core.files import write_text
from aslkit.core.letters import LETTERS
from aslkit.curate.config import CurateConfig
from aslkit.curate.filter.exact_duplicates import Rejection
from aslkit.curate.measure.table import landmark_array
from aslkit.curate.report.clip_strips import build_strips, list_rejected
from aslkit.curate.report.dataset_leakage import MAX_IMAGES, DatasetLeakage
from aslkit.curate.report.galleries import build_galleries, reason_order, summarise_reason, thumbnail
from aslkit.curate.report.leakage import MIN_CORRELATION
from aslkit.curate.report.pose_outliers import MIN_FRAMES, Drawing, Pose, draw_poses, find_poses
from aslkit.curate.report.recommendations import recommend_recordings
from aslkit.datasets.schema import SPLITS
from aslkit.datasets.split import Split, SplitFrames
from aslkit.datasets.summary import describe_reviewed
from aslkit.formats.captures import CapturedFrame
from aslkit.formats.clips import CapturedClip
from aslkit.web.report_page import count_near_duplicates, join_words, render_page

FILE: Final = "report.html"

HEATMAP_SHADES: Final = 4
"""Number of colors of the heat map."""

MAX_LISTED_SIGNERS: Final = 8
"""Maximum number of signers of a split that are listed by name; for more, their number is shown."""


@dataclass(frozen=True, kw_only=True)
class ReportInput:
    """Data that a report shows.

    Attributes:
        name: name of the dataset.
        table: n rows of `schema.COLUMNS`, without images and augmented copies.
        frames: the n frames.
        suggested: int64 (n,), predicted letter, as in `select.Selection`.
        leakage: data leakage of the split; None if it was not measured.
        split: split of the n frames.
        rejected: one entry per rejected frame.
        flagged: findings about the n frames.
        summary: as returned by `datasets.summary.summarise_dataset`, with the number of augmented copies.
        config: settings of curation.
        confirmed: keys of the frames that people kept.
        clips: the clips of the dataset.
        rejected_clips: one entry per rejected clip.
    """

    name: str
    table: pa.Table
    frames: list[CapturedFrame]
    suggested: npt.NDArray[np.int64]
    leakage: DatasetLeakage | None
    split: Split
    rejected: list[Rejection]
    flagged: list[Rejection]
    summary: dict[str, Any]
    config: CurateConfig
    confirmed: Collection[str] = ()
    clips: Sequence[CapturedClip] = ()
    rejected_clips: Sequence[Rejection] = ()


@dataclass(frozen=True, kw_only=True)
class WaterfallStep:
    """A bar of the waterfall chart.

    Attributes:
        name: label of the bar.
        description: what a reason means; empty for other bars.
        kind: "whole", "lost" or the name of a split; the CSS class of the bar.
        count: number of images.
        start, share: start and length of the bar, relative to the longest bar, 0–1.
    """

    name: str
    description: str
    kind: str
    count: int
    start: float
    share: float


@dataclass(frozen=True, kw_only=True)
class HeatmapCell:
    """A cell of the heat map: number of images, and shade from 0 to HEATMAP_SHADES."""

    count: int
    shade: int


@dataclass(frozen=True, kw_only=True)
class Balance:
    """Number of images per letter, signer and session.

    Attributes:
        signers: name of each signer and of its sessions.
        rows: for each letter: the letter, its cells in the order of the sessions, and their sum.
        sums: sum of each session, and the total.
        missing_letters: signers with missing letters, and these letters in words.
    """

    signers: list[tuple[str, list[str]]]
    rows: list[tuple[str, list[HeatmapCell], int]]
    sums: list[int]
    missing_letters: list[tuple[str, str]]


def write_report(folder: Path, curation: ReportInput) -> None:
    """Write report.html to a dataset folder: a self-contained file, deterministic for the same input."""
    context = _build_context(curation, captures=folder.parents[1] / "captures")
    write_text(folder / FILE, render_page("aslkit.curate.report", "report.html.j2", **context))


def _build_context(curation: ReportInput, *, captures: Path) -> dict[str, Any]:
    """Return the variables of the template.

    Args:
        curation: the data.
        captures: folder of the captures in the workspace of the report; frames in it are linked.
    """
    frames = SplitFrames.from_table(curation.table)
    captured = [*curation.frames, *(rejection.frame for rejection in curation.rejected)]
    recommendations, more = recommend_recordings(frames, curation.suggested) if len(frames) else ([], 0)
    galleries = build_galleries(curation.rejected, curation.flagged, {frame.key: frame.path for frame in captured})
    poses = _show_poses(curation, shown={key for each in galleries for key in each.shown_keys()})
    return {
        "name": curation.name,
        "summary": curation.summary,
        "captured": len(captured),
        "reviewed": describe_reviewed(curation.summary.get("reviewed", {})),
        "steps": build_waterfall(curation.summary) if captured else [],
        "recommendations": recommendations,
        "more_recommendations": more,
        "links": {frame.key: _link(frame.key) for frame in captured if frame.path == captures / frame.key},
        "near_duplicates": count_near_duplicates(curation.summary["frames"], curation.summary["groups"]),
        "galleries": galleries,
        "balance": count_balance(frames) if len(frames) else None,
        "splits": summarise_splits(frames, curation.split.names),
        "leakage": curation.leakage,
        "compare_random": len(curation.summary["signers"]) > 1,  # nobody else recorded: nothing to compare with
        "max_images": MAX_IMAGES if len(curation.table) > MAX_IMAGES else 0,
        "min_correlation": MIN_CORRELATION,
        "distance": curation.config.group_distance,
        "poses": [each for each in poses if each[2]],
        "usual_letters": [pose.letter for pose, _, outliers in poses if not outliers and pose.count >= MIN_FRAMES],
        "unchecked_letters": [pose.letter for pose, _, _ in poses if pose.count < MIN_FRAMES],
        "fewest_poses": MIN_FRAMES,
        **_show_clips(curation),
    }


def _show_clips(curation: ReportInput) -> dict[str, Any]:
    """Return the variables of the template about clips."""
    listed, more = list_rejected(curation.rejected_clips)
    return {
        "clips": curation.summary.get("clips"),
        "strips": build_strips(curation.clips),
        "rejected_clips": listed,
        "more_rejected_clips": more,
    }


def _link(key: str) -> str:
    """Return the URL of a captured frame, relative to the report in WORKSPACE/datasets/NAME."""
    return f"../../captures/{quote(key)}"


def _show_poses(curation: ReportInput, *, shown: set[str]) -> list[tuple[Pose, Drawing, list[dict[str, Any]]]]:
    """Return the median pose of each letter, its drawing, and the images of its outliers that are not shown yet."""
    if not len(curation.table):
        return []
    landmarks = landmark_array(curation.table)
    poses, rows = find_poses(curation.table, curation.frames, curation.confirmed)
    return [
        (pose, drawing, [_build_outlier(curation.frames[rows[i]], landmarks[i], shown) for i, _ in pose.outliers])
        for pose, drawing in zip(poses, draw_poses(poses), strict=True)
    ]


def _build_outlier(frame: CapturedFrame, landmarks: npt.NDArray[np.float32], shown: set[str]) -> dict[str, Any]:
    return {
        "key": frame.key,
        "signer": frame.signer,
        "letter": frame.letter,
        "shown": frame.key in shown,
        "image": None if frame.key in shown else thumbnail(frame.path, landmarks),
    }


def build_waterfall(summary: dict[str, Any]) -> list[WaterfallStep]:
    """Return the bars from the captured images over the rejected ones to the kept ones, their splits and copies."""
    rejected = sorted(summary["rejected"].items(), key=lambda item: reason_order(item[0]))
    captured, copies = summary["frames"] + sum(summary["rejected"].values()), summary.get("augmented", 0)
    longest = max(captured, summary["frames"] + copies)
    steps: list[tuple[str, str, int, int]] = [("captured", "whole", captured, 0)]
    left = captured
    for reason, count in rejected:
        left -= count
        steps.append((reason, "lost", count, left))
    steps.append(("kept", "whole", summary["frames"], 0))
    start = 0
    for name in SPLITS:
        count = summary["splits"][name]
        steps.append((name, name, count, start))
        start += count
    if copies:
        steps.append(("augmented copies, in train", "train", copies, start))
    return [
        WaterfallStep(
            name=name,
            description=summarise_reason(name) if kind == "lost" else "",
            kind=kind,
            count=count,
            start=first / longest,
            share=count / longest,
        )
        for name, kind, count, first in steps
    ]


def count_balance(frames: SplitFrames) -> Balance:
    """Count images by letter, signer and session."""
    keys = list(zip(frames.signer.tolist(), frames.session.tolist(), strict=True))
    sessions = sorted(set(keys))
    columns = {key: column for column, key in enumerate(sessions)}
    counts = np.zeros((len(LETTERS), len(sessions)), np.int64)
    np.add.at(counts, (frames.label, np.array([columns[key] for key in keys])), 1)
    shades = np.ceil(HEATMAP_SHADES * counts / counts.max()).astype(np.int64)
    names = sorted({signer for signer, _ in sessions})
    signer_counts = {
        name: counts[:, [column for (signer, _), column in columns.items() if signer == name]].sum(axis=1)
        for name in names
    }
    return Balance(
        signers=[(name, [session for signer, session in sessions if signer == name]) for name in names],
        rows=[
            (letter, [HeatmapCell(count=int(n), shade=int(s)) for n, s in zip(row, shade, strict=True)], int(row.sum()))
            for letter, row, shade in zip(LETTERS, counts, shades, strict=True)
        ],
        sums=[*map(int, counts.sum(axis=0)), int(counts.sum())],
        missing_letters=[
            (
                name,
                join_words([letter for letter, count in zip(LETTERS, signer_counts[name], strict=True) if not count]),
            )
            for name in names
            if not signer_counts[name].all()
        ],
    )


def summarise_splits(frames: SplitFrames, names: npt.NDArray[np.str_]) -> list[dict[str, Any]]:
    """Return images, near-duplicates, letters, signers and sessions of each split; signers by name if few."""
    splits = []
    for name in SPLITS:
        own = names == name
        signers = np.unique(frames.signer[own]).tolist()
        sessions = set(zip(frames.signer[own].tolist(), frames.session[own].tolist(), strict=True))
        splits.append(
            {
                "name": name,
                "images": int(own.sum()),
                "near_duplicates": int(own.sum()) - len(np.unique(frames.group[own])),
                "letters": len(np.unique(frames.label[own])),
                "signers": ", ".join(signers) if len(signers) <= MAX_LISTED_SIGNERS else f"{len(signers)} signers",
                "sessions": len(sessions),
            }
        )
    return splits
