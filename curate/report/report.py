"""The page of a dataset: what came in, what went out and why, how it is balanced, and what to record next."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from jinja2 import Environment, PackageLoader, StrictUndefined

from aslkit.core.files import write_text
from aslkit.core.letters import LETTERS
from aslkit.core.sanitize import format_percent
from aslkit.curate.config import CurateConfig
from aslkit.curate.filter.exact_duplicates import Rejection
from aslkit.curate.measure.table import landmark_array, right_hands
from aslkit.curate.report.dataset_leakage import MOST, DatasetLeakage
from aslkit.curate.report.galleries import build_galleries, reason_order, thumbnail
from aslkit.curate.report.leakage import COPY
from aslkit.curate.report.pose_outliers import Drawing, Pose, draw_poses, find_pose_outliers
from aslkit.curate.report.recommendations import join_words, recommend_recordings
from aslkit.datasets.schema import SPLITS
from aslkit.datasets.split import Split, SplitFrames
from aslkit.formats.captures import CapturedFrame

FILE: Final = "report.html"

SHADES: Final = 4
"""Steps of the heat map."""

NAMED: Final = 8
"""Signers of a split that are named; of more, the number is given."""

_CONTROL: Final = {code: "\ufffd" for code in (*range(9), *range(11, 32), *range(127, 160))}
"""All but tab and line feed."""


@dataclass(frozen=True, kw_only=True)
class ReportInput:
    """What a report tells of.

    Attributes:
        name: of the dataset.
        table: its n rows of `schema.COLUMNS` without images, without varied copies.
        kept: the same n frames.
        suggested: int64 (n,), the letter that each is taken for, as `Sieved.suggested`.
        leakage: how much of the test can be remembered; None where nothing was compared.
        split: their split.
        rejected: what was not taken, a row for each frame.
        flagged: what is to be known of what was taken.
        summary: as `datasets.summary.summarise` gives it.
        config: the settings.
    """

    name: str
    table: pa.Table
    kept: list[CapturedFrame]
    suggested: npt.NDArray[np.int64]
    leakage: DatasetLeakage | None
    split: Split
    rejected: list[Rejection]
    flagged: list[Rejection]
    summary: dict[str, Any]
    config: CurateConfig


@dataclass(frozen=True, kw_only=True)
class WaterfallStep:
    """A line of the waterfall: `count` images, drawn from `start`, both also as shares of the longest line, 0–1."""

    name: str
    kind: str
    count: int
    start: float
    share: float


@dataclass(frozen=True, kw_only=True)
class HeatmapCell:
    """Of the heat map: images, and how dark, 0–SHADES."""

    count: int
    shade: int


@dataclass(frozen=True, kw_only=True)
class Balance:
    """Images of each letter, signer and session.

    Attributes:
        signers: each with the names of its sessions.
        rows: letter, its cells in the order of the sessions, their sum.
        sums: of the sessions, and of all.
        lacking: a signer and the letters it has nothing of.
    """

    signers: list[tuple[str, list[str]]]
    rows: list[tuple[str, list[HeatmapCell], int]]
    sums: list[int]
    missing_letters: list[tuple[str, str]]


def write_report(folder: Path, curation: ReportInput) -> None:
    """Write report.html into a dataset's folder: one file that needs no other, the same for the same input."""
    environment = Environment(
        loader=PackageLoader("aslkit.curate.report", "."),
        undefined=StrictUndefined,
        autoescape=True,  # names of files and signers are others' words
        finalize=_printable,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["percent"] = format_percent
    page = environment.get_template("report.html.j2").render(_content(curation))
    write_text(folder / FILE, page)


def _content(curation: ReportInput) -> dict[str, Any]:
    """What the template shows."""
    table, config = curation.table, curation.config
    frames = SplitFrames.from_table(table)
    found = table.column("landmarks").is_valid().to_numpy()
    points = right_hands(table)
    captured = [*curation.kept, *(each.frame for each in curation.rejected)]
    return {
        "name": curation.name,
        "summary": curation.summary,
        "captured": len(captured),
        "steps": build_waterfall(curation.summary),
        "advice": recommend_recordings(frames, curation.suggested),
        "galleries": build_galleries(
            curation.rejected, curation.flagged, {frame.key: frame.path for frame in captured}
        ),
        "balance": count_balance(frames),
        "splits": summarise_splits(frames, curation.split.names),
        "leaks": curation.leakage,
        "too_many": MOST if len(table) > MOST else 0,
        "copy": COPY,
        "distance": config.group_distance,
        "poses": _poses(curation, points, found, frames),
    }


def _poses(
    curation: ReportInput, points: npt.NDArray[np.float32], found: npt.NDArray[np.bool_], frames: SplitFrames
) -> list[tuple[Pose, Drawing, list[dict[str, Any]]]]:
    """Each letter's usual pose, its drawing, and what is shown of the frames least like it."""
    rows, hands = np.flatnonzero(found), landmark_array(curation.table)
    held = find_pose_outliers(points, frames.label[found], frames.group[found])
    return [
        (pose, drawing, [_far(curation.kept[rows[at]], hands[at], beyond) for at, beyond in pose.outliers])
        for pose, drawing in zip(held, draw_poses(held), strict=True)
    ]


def _far(frame: CapturedFrame, hand: npt.NDArray[np.float32], beyond: float) -> dict[str, Any]:
    return {
        "key": frame.key,
        "signer": frame.signer,
        "letter": frame.letter,
        "beyond": beyond,
        "picture": thumbnail(frame.path, hand),
    }


def build_waterfall(summary: dict[str, Any]) -> list[WaterfallStep]:
    """From all that was captured, by what was left out, to what is taken, its splits, and varied copies of train."""
    lost = sorted(summary["rejected"].items(), key=lambda item: reason_order(item[0]))
    captured, copies = summary["frames"] + sum(summary["rejected"].values()), summary.get("augmented", 0)
    longest = max(captured, summary["frames"] + copies)
    steps: list[tuple[str, str, int, int]] = [("captured", "whole", captured, 0)]
    left = captured
    for reason, count in lost:
        left -= count
        steps.append((reason, "lost", count, left))
    steps.append(("taken", "whole", summary["frames"], 0))
    start = 0
    for name in SPLITS:
        count = summary["splits"][name]
        steps.append((name, name, count, start))
        start += count
    if copies:
        steps.append(("varied copies, in train", "train", copies, start))
    return [
        WaterfallStep(name=name, kind=kind, count=count, start=begin / longest, share=count / longest)
        for name, kind, count, begin in steps
    ]


def count_balance(frames: SplitFrames) -> Balance:
    """Count images by letter, signer and session."""
    sittings = sorted(set(zip(frames.signer.tolist(), frames.session.tolist(), strict=True)))
    where = {sitting: column for column, sitting in enumerate(sittings)}
    column = np.array([where[own] for own in zip(frames.signer.tolist(), frames.session.tolist(), strict=True)])
    counts = np.zeros((len(LETTERS), len(sittings)), np.int64)
    np.add.at(counts, (frames.label, column), 1)
    shades = np.ceil(SHADES * counts / counts.max()).astype(np.int64)
    names = sorted({signer for signer, _ in sittings})
    has = {
        signer: counts[:, [index for index, (who, _) in enumerate(sittings) if who == signer]].sum(axis=1)
        for signer in names
    }
    return Balance(
        signers=[(name, [session for signer, session in sittings if signer == name]) for name in names],
        rows=[
            (letter, [HeatmapCell(count=int(n), shade=int(s)) for n, s in zip(row, shade, strict=True)], int(row.sum()))
            for letter, row, shade in zip(LETTERS, counts, shades, strict=True)
        ],
        sums=[*map(int, counts.sum(axis=0)), int(counts.sum())],
        missing_letters=[
            (name, join_words([letter for letter, count in zip(LETTERS, has[name], strict=True) if not count]))
            for name in names
            if not has[name].all()
        ],
    )


def summarise_splits(frames: SplitFrames, names: npt.NDArray[np.str_]) -> list[dict[str, Any]]:
    """Of each split: its images, groups, letters, signers (by name where they are few) and sessions."""
    found = []
    for name in SPLITS:
        own = names == name
        signers = np.unique(frames.signer[own]).tolist()
        sittings = set(zip(frames.signer[own].tolist(), frames.session[own].tolist(), strict=True))
        found.append(
            {
                "name": name,
                "images": int(own.sum()),
                "groups": len(np.unique(frames.group[own])),
                "letters": len(np.unique(frames.label[own])),
                "signers": ", ".join(signers) if len(signers) <= NAMED else f"{len(signers)} signers",
                "sessions": len(sittings),
            }
        )
    return found


def _printable(value: Any) -> Any:
    """Without control characters, which names of files may hold."""
    return value.translate(_CONTROL) if isinstance(value, str) else value
