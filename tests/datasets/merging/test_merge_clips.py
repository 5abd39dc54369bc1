"""Clips are merged as a whole."""

from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from aslkit.core.letters import LABEL_INDEX
from aslkit.datasets import parquet_store
from aslkit.datasets.clips import load_clips
from aslkit.datasets.merging.merge import MergeConfig, MergeInput, MergeResult, merge_datasets
from aslkit.datasets.verify.run import verify_dataset
from tests.datasets import factories

CONFIG = MergeConfig(test_share=0.2, validation_share=0.15, seed=0, same=("ada",))
Rows = list[dict[str, Any]]


def stills(signer: str, start: int, count: int = 6) -> Rows:
    return [factories.row(start + index, signer) for index in range(count)]


def clip(start: int, name: str, signer: str = "ada", letter: str = "J") -> Rows:
    return factories.clip_rows(start, signer, name, letter=letter)


def write(folder: Path, rows: Rows) -> MergeInput:
    factories.write(folder, {"train": rows})
    return MergeInput(name=folder.name, folder=folder, renames={})


def merge(target: Path, *inputs: MergeInput, config: MergeConfig = CONFIG) -> MergeResult:
    return merge_datasets(inputs, target, config)


def as_input(result: MergeResult) -> MergeInput:
    return MergeInput(name=result.folder.name, folder=result.folder, renames={})


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def names(folder: Path) -> list[str]:
    return [each.name for each in load_clips(folder)]


def kinds(folder: Path) -> set[str]:
    return {each.kind for each in verify_dataset(folder, processes=0).findings}


def test_frames_of_clips_stay_together_and_unchanged(tmp_path: Path) -> None:
    a = write(tmp_path / "a", [*stills("ada", 0), *clip(100, "1"), *clip(200, "1", letter="Z")])
    b = write(tmp_path / "b", [*stills("ben", 50), *clip(300, "1", signer="ben")])
    result = merge(tmp_path / "m", a, b, config=MergeConfig(test_share=0.2, validation_share=0.15, seed=0))
    assert kinds(result.folder) == set()
    assert names(result.folder) == ["ada/one/J/1", "ada/one/Z/1", "ben/one/J/1"]
    before = {
        (row["clip"], row["time_ms"]): row
        for each in (a, b)
        for row in parquet_store.read_dataset(each.folder).to_pylist()
        if row["clip"]
    }
    after = [row for row in parquet_store.read_dataset(result.folder).to_pylist() if row["clip"]]
    assert len(after) == len(before) == 12
    for row in after:
        source = before[row["clip"], row["time_ms"]]
        changed = {name for name in row if row[name] != source[name]}
        assert changed <= {"group", "split"}
    assert result.summary["frames"] == 12
    assert result.summary["clips"]["letters"] == {"J": 2, "Z": 1}
    assert any("a (6 images, 2 clips), b (6 images, 1 clip)" in note for note in result.summary["notes"])
    again = merge(tmp_path / "m", a, b, config=MergeConfig(test_share=0.2, validation_share=0.15, seed=0))
    assert again.up_to_date


def test_duplicate_clips_are_found(tmp_path: Path) -> None:
    a = write(tmp_path / "a", [*stills("ada", 0), *clip(100, "1"), *clip(300, "same")])
    b = write(tmp_path / "b", [*stills("ben", 50), *clip(100, "2", signer="ben"), *clip(300, "z", "ben", letter="Z")])
    result = merge(tmp_path / "m", a, b)
    assert names(result.folder) == ["ada/one/J/1"]
    rejected = {
        row["path"]: (row["letter"], row["reason"], row["detail"])
        for row in parquet_store.read_rejected(result.folder).to_pylist()
    }
    assert rejected == {
        "ada/one/J/same": ("J", "conflicting-label", "same pixels as ben/one/Z/z"),
        "ben/one/J/2": ("J", "duplicate", "same pixels as ada/one/J/1"),
        "ben/one/Z/z": ("Z", "conflicting-label", "same pixels as ada/one/J/same"),
    }
    assert result.summary["clips"]["rejected"] == {"conflicting-label": 2, "duplicate": 1}
    assert result.summary["rejected"] == {}
    assert kinds(result.folder) == set()
    # A later merge does not bring them back.
    c = write(tmp_path / "c", [*stills("cleo", 80), *clip(300, "same", signer="cleo")])
    assert names(merge(tmp_path / "n", as_input(result), c).folder) == ["ada/one/J/1"]


def test_different_clips_with_one_name_are_kept_apart(tmp_path: Path) -> None:
    a = write(tmp_path / "a", [*stills("ada", 0), *clip(100, "1")])
    b = write(tmp_path / "b", [*stills("ada", 50), *clip(200, "1")])
    folder = merge(tmp_path / "m", a, b).folder
    clips = load_clips(folder)
    assert [len(each) for each in clips] == [4, 4]
    assert all(each.name.startswith("ada/one/J/1~") for each in clips)
    assert len({each.name for each in clips}) == 2
    for row in parquet_store.read_dataset(folder, ["clip", "image.path"]).to_pylist():
        assert row["clip"] is None or row["image"]["path"].startswith(row["clip"] + "/")
    assert kinds(folder) == set()


def test_merging_clips_does_not_depend_on_the_order(tmp_path: Path) -> None:
    inputs = [
        write(tmp_path / "a", [*stills("ada", 0), *clip(100, "1"), *clip(400, "2")]),
        write(tmp_path / "b", [*stills("ada", 50), *clip(200, "1"), *clip(400, "2")]),
        write(tmp_path / "c", [*stills("ben", 80), *clip(100, "1", signer="ada"), *clip(500, "1", signer="ben")]),
    ]
    expected = content(merge(tmp_path / "all" / "m", *inputs).folder)
    for number, (one, two, three) in enumerate(permutations(inputs)):
        folder = tmp_path / str(number)
        first = merge(folder / "n", one, two, config=MergeConfig(test_share=0.2, validation_share=0.15, seed=0,
                      same=("ada",)))  # fmt: skip
        assert content(merge(folder / "m", as_input(first), three).folder) == expected


def test_clips_that_share_a_frame_with_a_hand_are_one_group(tmp_path: Path) -> None:
    shared = clip(200, "2", signer="ben")
    shared[0] |= {key: clip(100, "1")[0][key] for key in ("sha256", "phash", "image", "sharpness", "brightness",
                  "contrast", "width", "height")}  # fmt: skip
    shared[0]["image"] = shared[0]["image"] | {"path": "ben/one/J/2/000.jpg"}
    a = write(tmp_path / "a", [*stills("ada", 0, 12), *clip(100, "1")])
    b = write(tmp_path / "b", [*stills("ben", 50, 12), *shared])
    c = write(tmp_path / "c", stills("cleo", 80, 12))
    folder = merge(tmp_path / "m", a, b, c).folder
    groups = {row["group"] for row in parquet_store.read_dataset(folder, ["clip", "group"]).to_pylist() if row["clip"]}
    assert len(groups) == 1
    # As with stills: what two signers share is in train, and the check says that a held-out signer is.
    assert kinds(folder) <= {"signer-in-two-splits"}


def test_signers_are_renamed_in_the_names_of_clips(tmp_path: Path) -> None:
    a = write(tmp_path / "a", [*stills("ada", 0), *clip(100, "1")])
    b = write(tmp_path / "b", [*stills("ada", 50), *clip(200, "1")])
    renamed = MergeInput(name="b", folder=b.folder, renames={"ada": "ada-2"})
    folder = merge(tmp_path / "m", a, renamed, config=MergeConfig(test_share=0.2, validation_share=0.15, seed=0)).folder
    assert {(each.name, each.signer) for each in load_clips(folder)} == {
        ("ada/one/J/1", "ada"), ("ada-2/one/J/1", "ada-2"),
    }  # fmt: skip
    paths = {row["image"]["path"] for row in parquet_store.read_dataset(folder, ["image.path"]).to_pylist()}
    assert "ada-2/one/J/1/000.jpg" in paths


@pytest.mark.parametrize("old_first", [True, False])
def test_version_1_merges_with_version_2(tmp_path: Path, old_first: bool) -> None:
    old = write(tmp_path / "old", stills("ada", 0, 12))
    factories.to_version_1(old.folder)
    new = write(tmp_path / "new", [*stills("ben", 50, 12), *clip(100, "1", signer="ben")])
    inputs = (old, new) if old_first else (new, old)
    folder = merge(tmp_path / "m", *inputs).folder
    assert kinds(folder) == set()
    rows = parquet_store.read_dataset(folder).to_pylist()
    assert sorted({row["label"] for row in rows if row["signer"] == "ada"}) == list(range(12))
    assert {row["label"] for row in rows if row["clip"]} == {LABEL_INDEX["J"]}


def test_clips_are_held_out_with_their_signer(tmp_path: Path) -> None:
    inputs = [
        write(tmp_path / signer, [*stills(signer, 50 * n, 12), *clip(1000 + 100 * n, "1", signer)])
        for n, signer in enumerate(("ada", "ben", "cleo"))
    ]
    config = MergeConfig(test_share=0.2, validation_share=0.15, seed=0, hold_out=("ben",))
    splits = {each.signer: each.split for each in load_clips(merge(tmp_path / "m", *inputs, config=config).folder)}
    assert splits["ben"] == "test"
    assert "test" not in {splits["ada"], splits["cleo"]}
