"""The frames to review: order, reasons from datasets and runs, decisions."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from aslkit.core.errors import AslkitError
from aslkit.core.workspace import Workspace
from aslkit.curate.report.pose_outliers import find_pose_outliers
from aslkit.curate.review_queue import ReviewFrame, list_review_frames
from aslkit.datasets import parquet_store
from aslkit.formats.captures import walk_captures
from aslkit.formats.reviews import record_decisions, undo_last_batch


def add_run(workspace: Workspace, name: str, text: str) -> Path:
    folder = workspace.runs / name
    (folder / "model").mkdir(parents=True)
    (folder / "mistakes.csv").write_text(text)
    return folder


def add_findings(workspace: Workspace, file: str, *rows: tuple[str, str, str]) -> None:
    """Write findings of (path, reason, detail)."""
    folder = workspace.dataset("custom")
    folder.mkdir(parents=True, exist_ok=True)
    names = ("path", "reason", "detail")
    parquet_store.write_findings(folder / file, [dict(zip(names, row, strict=True)) for row in rows])


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A workspace of empty files, which curation could not read."""
    workspace = Workspace(root=tmp_path)
    for key in ("ben/one/A/1.jpg", "ada/two/B/20260102T030405000Z.jpg", "ada/one/B/20260103T030405000Z.jpg",
                "ada/one/B/2.jpg", "ada/one/B/10.jpg", "ada/one/A/1.jpg"):  # fmt: skip
        (workspace.captures / key).parent.mkdir(parents=True, exist_ok=True)
        (workspace.captures / key).touch()
    return workspace


def keys(frames: list[ReviewFrame]) -> list[str]:
    return [frame.key for frame in frames]


def test_needs_neither_dataset_nor_run(workspace: Workspace, tmp_path: Path) -> None:
    frames = list_review_frames(workspace)
    assert keys(frames) == [
        "ada/one/A/1.jpg", "ada/one/B/2.jpg", "ada/one/B/10.jpg", "ada/two/B/20260102T030405000Z.jpg",
        "ada/one/B/20260103T030405000Z.jpg", "ben/one/A/1.jpg",
    ]  # fmt: skip
    assert frames[0] == ReviewFrame(key="ada/one/A/1.jpg", signer="ada", session="one", letter="A")
    assert not any(frame.doubtful for frame in frames)
    assert list_review_frames(Workspace(root=tmp_path / "none")) == []


def test_important_reasons_come_first(workspace: Workspace) -> None:
    add_findings(
        workspace, "rejected.parquet",
        ("ada/one/B/2.jpg", "blurred", "blur 0.9"),
        ("ada/one/B/10.jpg", "near-duplicate", "like ada/one/B/2.jpg, which is sharper"),
        ("ada/one/A/1.jpg", "gap", "between train and test in time"),
        ("gone/one/A/1.jpg", "blurred", "blur 0.9"),
    )  # fmt: skip
    add_findings(
        workspace, "flagged.parquet",
        ("ben/one/A/1.jpg", "one-sitting", "in ben/one only"),
        ("ben/one/A/1.jpg", "cut-off", "3.0% of the frame beyond its edge"),
        ("ben/one/A/1.jpg", "label-doubt", "looks like T (95% sure)"),
        ("ada/two/B/20260102T030405000Z.jpg", "one-sitting", "in ada/two only"),
    )  # fmt: skip
    frames = list_review_frames(workspace)
    assert keys(frames)[:3] == ["ben/one/A/1.jpg", "ada/one/B/10.jpg", "ada/one/B/2.jpg"]
    assert [frame.doubtful for frame in frames] == [True] * 3 + [False] * 3
    assert frames[0].reasons == ("label-doubt", "cut-off", "one-sitting")
    assert frames[0].details[0] == "looks like T (95% sure)"
    assert (frames[0].suggested, frames[0].rejected) == ("T", False)
    assert (frames[1].original, frames[1].rejected) == ("ada/one/B/2.jpg", True)


def test_findings_of_another_program_are_an_error(workspace: Workspace) -> None:
    add_findings(workspace, "flagged.parquet")
    for table in (pa.table({"path": ["x"]}), pa.table({"path": [b"\xff"], "reason": [1], "detail": [None]})):
        pq.write_table(table, workspace.dataset("custom") / "flagged.parquet")
        with pytest.raises(AslkitError, match="have other columns than aslkit writes"):
            list_review_frames(workspace)


def test_decided_frames_are_not_doubtful(workspace: Workspace) -> None:
    add_findings(workspace, "flagged.parquet", ("ben/one/A/1.jpg", "cut-off", "3.0%"))
    record_decisions(workspace, ["ben/one/A/1.jpg"], "keep")
    last = list_review_frames(workspace)[-1]
    assert (last.key, last.doubtful, last.reasons) == ("ben/one/A/1.jpg", False, ("cut-off",))
    assert last.decision is not None
    undo_last_batch(workspace)
    assert list_review_frames(workspace)[0].doubtful


def test_mistakes_of_the_newest_run(workspace: Workspace) -> None:
    old = add_run(workspace, "old", "key,signer,session,signed,said,sure\nada/one/A/1.jpg,ada,one,A,no hand,0\n")
    assert list_review_frames(workspace)[0].details == ("predicted as no hand",)
    assert list_review_frames(workspace)[0].suggested is None
    new = add_run(
        workspace, "xnew", "key,signer,session,signed,predicted,confidence\nben/one/A/1.jpg,ben,one,A,S,0.9\n"
    )
    frame = list_review_frames(workspace)[0]
    assert (frame.key, frame.reasons, frame.suggested) == ("ben/one/A/1.jpg", ("mistake",), "S")
    assert list_review_frames(workspace, run=old)[0].key == "ada/one/A/1.jpg"
    (new / "mistakes.csv").write_text("a,b\n1,2\n")
    with pytest.raises(AslkitError, match=r"mistakes\.csv has a row without 'key' or 'predicted'"):
        list_review_frames(workspace)


def test_curated_workspace(curated: Workspace) -> None:
    frames = list_review_frames(curated)
    assert sorted(keys(frames)) == sorted(frame.key for frame in walk_captures(curated.captures))
    assert all("few-frames" in frame.reasons for frame in frames)
    flagged = [frame for frame in frames if frame.doubtful]
    assert frames[: len(flagged)] == flagged


def test_confirmed_frames_are_no_pose_outliers() -> None:
    rng = np.random.default_rng(0)
    points = rng.normal(0, 0.02, (40, 21, 3)).astype(np.float32)
    points[:5] += np.arange(5, 0, -1, dtype=np.float32)[:, None, None]
    label, group = np.zeros(40, np.int64), np.arange(40)
    confirmed = np.zeros(40, bool)
    assert [index for index, _ in find_pose_outliers(points, label, group)[0].outliers] == [0, 1, 2]
    confirmed[:2] = True
    outliers = find_pose_outliers(points, label, group, confirmed=confirmed)[0].outliers
    assert [index for index, _ in outliers] == [2, 3, 4]
