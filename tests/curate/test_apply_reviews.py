"""Decisions of people in curation: each action on real images, conflicts, and datasets that are merged or shared."""

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from aslkit.core.config import load_settings
from aslkit.core.errors import AslkitError
from aslkit.core.letters import LETTERS
from aslkit.core.workspace import Workspace
from aslkit.curate.config import CurateConfig
from aslkit.curate.filter.checks import CheckConfig
from aslkit.datasets import parquet_store
from aslkit.datasets.info import summarise_folder
from aslkit.datasets.merging.merge import MergeConfig, MergeInput, merge_datasets
from aslkit.datasets.privacy.config import PrivacyConfig
from aslkit.datasets.sharing.download import download_dataset
from aslkit.datasets.sharing.push import stage_upload, upload_staged
from aslkit.datasets.verify.run import verify_dataset
from aslkit.formats.reviews import record_decisions, undo_last_batch
from aslkit.vision.images import decode_image, encode_jpeg
from tests.curate.test_pipeline import add_file, hash_files, list_frames, run_curation

CHECKS = load_settings("checks", CheckConfig)
BEN = [f"ben/one/{letter}/{number}.jpg" for letter in "ABL" for number in range(8, 14)]


def read_findings(folder: Path, name: str) -> dict[str, tuple[str, str]]:
    """Return reason and detail by path, of rejected.parquet, flagged.parquet or reviewed.parquet."""
    rows = pq.read_table(folder / f"{name}.parquet").to_pylist()
    return {
        row["path"]: (row["reason"], row["detail"])
        for row in rows
        if row["reason"] not in ("few-frames", "one-sitting")
    }


def doubted_frames(folder: Path) -> list[str]:
    rows = parquet_store.read_flagged(folder).to_pylist()
    return [row["path"] for row in rows if row["reason"] == "label-doubt"]


def read_labels(folder: Path) -> dict[str, str]:
    rows = parquet_store.read_dataset(folder, ["image.path", "label"]).to_pylist()
    return {row["image"]["path"]: LETTERS[row["label"]] for row in rows}


def test_decisions_are_applied_and_undone(workspace: Workspace, settings: CurateConfig) -> None:
    folder = workspace.dataset("custom")
    before, captures, labels = hash_files(folder), hash_files(workspace.captures), read_labels(folder)
    dropped, moved, empty, kept = BEN[0], BEN[1], BEN[2], BEN[3]
    record_decisions(workspace, [dropped], "drop")
    record_decisions(workspace, [moved], "relabel", letter="L")
    record_decisions(workspace, [empty], "relabel", letter="none")
    record_decisions(workspace, [kept], "keep")
    record_decisions(workspace, ["ben/one/A/gone.jpg"], "drop")
    result = run_curation(workspace, settings)
    assert read_labels(folder) == {key: letter for key, letter in labels.items() if key not in (dropped, empty)} | {
        moved: "L"
    }
    assert read_findings(folder, "rejected") == {
        dropped: ("reviewed", "dropped in review"),
        empty: ("reviewed", "not a letter"),
    }
    assert read_findings(folder, "reviewed") == {
        dropped: ("drop", "dropped in review"),
        moved: ("relabel", "from A to L"),
        empty: ("relabel", "from A to none"),
        kept: ("keep", "kept in review"),
    }
    flagged = pq.read_table(folder / "flagged.parquet").column("path").to_pylist()
    assert kept not in flagged  # though all letters have few frames
    assert moved in flagged
    assert result.summary["reviewed"] == {"drop": 1, "keep": 1, "relabel": 2}
    assert any("1 decision about frames that no longer exist." in note
               for note in result.summary["notes"])  # fmt: skip
    for file in ("README.md", "report.html"):
        assert "kept 1, dropped 1, relabelled 2" in (folder / file).read_text(encoding="utf-8")
    assert not result.up_to_date
    assert run_curation(workspace, settings).up_to_date
    while undo_last_batch(workspace):
        assert not run_curation(workspace, settings, name="other").up_to_date
    run_curation(workspace, settings)
    assert hash_files(folder) == before
    assert hash_files(workspace.captures) == captures


def test_rebuilt_dataset_has_the_same_decisions(workspace: Workspace, settings: CurateConfig) -> None:
    record_decisions(workspace, [BEN[0]], "drop")
    record_decisions(workspace, [BEN[1]], "relabel", letter="B")
    first = hash_files(run_curation(workspace, settings).folder)
    shutil.rmtree(workspace.dataset("custom"))
    assert hash_files(run_curation(workspace, settings).folder) == first


def test_kept_frame_is_restored(workspace: Workspace, settings: CurateConfig) -> None:
    rng = np.random.default_rng(0)
    noise = [encode_jpeg(np.kron(rng.integers(0, 255, (6, 8, 3)), np.ones((30, 30, 1))).astype(np.uint8)) for _ in "12"]
    for number, data in enumerate(noise):
        add_file(workspace, f"ben/one/A/noise{number}.jpg", data)
    add_file(workspace, "ben/one/A/broken.jpg", b"not an image")
    checks = replace(CHECKS, no_hand="drop")
    rejected = read_findings(run_curation(workspace, settings, checks=checks).folder, "rejected")
    assert {key: reason for key, (reason, _) in rejected.items()} == {
        "ben/one/A/noise0.jpg": "no-hand", "ben/one/A/noise1.jpg": "no-hand", "ben/one/A/broken.jpg": "unreadable",
    }  # fmt: skip
    record_decisions(workspace, ["ben/one/A/noise0.jpg", "ben/one/A/broken.jpg"], "keep")
    folder = run_curation(workspace, settings, checks=checks).folder
    assert [*read_findings(folder, "rejected")] == ["ben/one/A/broken.jpg", "ben/one/A/noise1.jpg"]
    assert "ben/one/A/noise0.jpg" in list_frames(workspace)
    assert "ben/one/A/noise0.jpg" not in pq.read_table(folder / "flagged.parquet").column("path").to_pylist()


@pytest.mark.parametrize(
    ("decided", "action", "letter", "remaining"),
    [
        ("ben/one/B/copy.jpg", "drop", None, BEN[0]),
        ("ben/one/B/copy.jpg", "relabel", "A", "ben/one/B/copy.jpg"),
        (BEN[0], "keep", None, BEN[0]),
        (BEN[0], "relabel", "B", BEN[0]),
        (BEN[0], "drop", None, "ben/one/B/copy.jpg"),
    ],
)
def test_decision_resolves_a_conflict(
    decided: str, action: Any, letter: str | None, remaining: str, workspace: Workspace, settings: CurateConfig
) -> None:
    both = {BEN[0], "ben/one/B/copy.jpg"}
    add_file(workspace, "ben/one/B/copy.jpg", (workspace.captures / BEN[0]).read_bytes())
    run_curation(workspace, settings)
    assert not both & {*list_frames(workspace)}
    record_decisions(workspace, [decided], action, letter=letter)
    run_curation(workspace, settings)
    assert both & {*list_frames(workspace)} == {remaining}


def test_contradicting_decisions_leave_a_conflict(workspace: Workspace, settings: CurateConfig) -> None:
    both = [BEN[0], "ben/one/B/copy.jpg"]
    add_file(workspace, both[1], (workspace.captures / BEN[0]).read_bytes())
    record_decisions(workspace, both, "keep")
    rejected = read_findings(run_curation(workspace, settings).folder, "rejected")
    assert {reason for reason, _ in rejected.values()} == {"conflicting-label"}
    assert {*rejected} == {*both}


def test_label_of_a_reviewed_frame_is_not_doubted(workspace: Workspace, settings: CurateConfig) -> None:
    checks = replace(CHECKS, doubt=0.5)
    frame = decode_image((workspace.captures / BEN[-1]).read_bytes())
    keys = [f"ben/one/A/wrong{number}.jpg" for number in range(3)]
    for number, key in enumerate(keys):
        add_file(workspace, key, encode_jpeg(np.ascontiguousarray(frame[:, number:])))  # L in the folder of A
    assert {*keys} <= {*doubted_frames(run_curation(workspace, settings, checks=checks).folder)}
    record_decisions(workspace, [keys[0]], "keep")
    record_decisions(workspace, [keys[1]], "relabel", letter="B")
    record_decisions(workspace, [keys[2]], "relabel", letter="L")
    folder = run_curation(workspace, settings, checks=checks).folder
    assert not {*keys} & {*doubted_frames(folder)}
    labels = read_labels(folder)
    assert [labels[key] for key in keys] == ["A", "B", "L"]


def test_dropping_everything_is_an_error(workspace: Workspace, settings: CurateConfig) -> None:
    record_decisions(workspace, list_frames(workspace), "drop")
    with pytest.raises(AslkitError, match=r"All 54 frames were dropped in review.*review --undo"):
        run_curation(workspace, settings)


@pytest.fixture
def reviewed(workspace: Workspace, settings: CurateConfig) -> Path:
    """Return a dataset with decisions."""
    record_decisions(workspace, [BEN[0]], "drop")
    record_decisions(workspace, [BEN[1]], "relabel", letter="L")
    record_decisions(workspace, ["ada/one/A/20260102T030405000Z.jpg"], "keep")
    return run_curation(workspace, settings).folder


def test_info_and_verify_know_the_decisions(reviewed: Path) -> None:
    assert summarise_folder(reviewed).summary["reviewed"] == {"drop": 1, "keep": 1, "relabel": 1}
    assert verify_dataset(reviewed, processes=0).problems == 0
    (reviewed / "reviewed.parquet").unlink()  # as in a dataset of an earlier version
    assert len(parquet_store.read_reviewed(reviewed)) == 0


@pytest.mark.parametrize(
    "config",
    [PrivacyConfig(pseudonyms=True), PrivacyConfig(crop=True, pseudonyms=True), PrivacyConfig(landmarks_only=True)],
)
def test_shared_dataset_has_the_decisions(
    config: PrivacyConfig, reviewed: Path, workspace: Workspace, tmp_path: Path
) -> None:
    staged, _ = stage_upload(reviewed, workspace, config)
    upload_staged(staged, str(tmp_path / "club"))
    pulled = tmp_path / "pulled"
    download_dataset(str(tmp_path / "club"), pulled)
    rows = parquet_store.read_reviewed(pulled).to_pylist()
    assert sorted((row["reason"], row["detail"], row["letter"]) for row in rows) == [
        ("drop", "dropped in review", "A"), ("keep", "kept in review", "A"), ("relabel", "from A to L", "L"),
    ]  # fmt: skip
    assert summarise_folder(pulled).summary["reviewed"] == {"drop": 1, "keep": 1, "relabel": 1}
    if config.pseudonyms:
        data = (pulled / "reviewed.parquet").read_bytes()
        assert not [name for name in (b"ben", b"ada", b"8.jpg", b"2026") if name in data]
        frames = {*read_labels(pulled)}
        assert [row["path"] in frames for row in sorted(rows, key=lambda row: row["reason"])] == [False, True, True]
    assert verify_dataset(pulled, processes=0).problems == 0


def merge(sources: Sequence[Path], to: Path, **renames: str) -> Path:
    inputs = [MergeInput(name=each.name, folder=each, renames=renames) for each in sources]
    config = MergeConfig(test_share=0.2, validation_share=0.15, seed=0, same=("ada", "ben", "cleo"))
    return merge_datasets(inputs, to, config if not renames else replace(config, same=("ada", "cleo"))).folder


def test_merge_joins_the_decisions(
    reviewed: Path, curated: Workspace, workspace: Workspace, settings: CurateConfig, tmp_path: Path
) -> None:
    merged = merge([reviewed], tmp_path / "merged")
    assert read_findings(merged, "reviewed") == read_findings(reviewed, "reviewed")
    assert summarise_folder(merged).summary["reviewed"] == {"drop": 1, "keep": 1, "relabel": 1}
    renamed = merge([reviewed], tmp_path / "renamed", ben="benjamin")
    assert read_findings(renamed, "reviewed")[BEN[0].replace("ben", "benjamin")] == ("drop", "dropped in review")
    again = [merge([merged, reviewed], tmp_path / "1"), merge([reviewed, merged, merged], tmp_path / "2")]
    assert [read_findings(each, "reviewed") for each in again] == [read_findings(reviewed, "reviewed")] * 2
    # A dataset made before the decision still has the frame: it is merged, and not said to be dropped.
    with_earlier = merge([reviewed, curated.dataset("custom")], tmp_path / "3")
    assert BEN[0] in read_labels(with_earlier)
    assert BEN[0] not in read_findings(with_earlier, "reviewed")
