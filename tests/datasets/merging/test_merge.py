import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st

from aslkit.core.errors import AslkitError, InputError
from aslkit.core.letters import LETTERS
from aslkit.datasets import parquet_store, schema
from aslkit.datasets.merging import gather_rows
from aslkit.datasets.merging.join import SameSignerError
from aslkit.datasets.merging.merge import MergeConfig, MergeInput, MergeResult, merge_datasets
from aslkit.vision.images import encode_png, pixel_hash

CONFIG = MergeConfig(test_share=0.2, validation_share=0.15, seed=0)


@cache
def picture(number: int) -> tuple[bytes, str]:
    """Return a small PNG of noise and the hash of its pixels."""
    frame = np.random.default_rng(number).integers(0, 256, (16, 16, 3), np.uint8)
    return encode_png(frame), pixel_hash(frame)


@dataclass(frozen=True)
class Row:
    """The properties of a row that matter for merging."""

    number: int
    letter: str = "A"
    signer: str = "ada"
    session: str = "one"
    group: int = -1
    name: str = ""
    licence: str | None = "CC0-1.0"
    copy: int = 0

    def values(self) -> dict[str, Any]:
        data, sha = picture(self.number if not self.copy else 10_000 * self.copy + self.number)
        name = self.name or f"{self.number}{f'+{self.copy}' if self.copy else ''}"
        return {
            "image": {"bytes": data, "path": f"{self.signer}/{self.session}/{self.letter}/{name}.png"},
            "label": LETTERS.index(self.letter),
            "signer": self.signer,
            "session": self.session,
            "landmarks": [self.number + i / 7 for i in range(63)] if self.number % 3 else None,
            "width": 16,
            "height": 16,
            "sha256": sha,
            "group": self.group if self.group >= 0 else 1000 + self.number,
            "parent": picture(self.number)[1] if self.copy else None,
            "licence": self.licence,
            "consent": f"{self.signer} agrees",
        }


def write(folder: Path, rows: Sequence[Row], **facts: Any) -> MergeInput:
    """Write a dataset with its last fifth as test, one frame that curation rejected, and decisions about two frames."""
    cut = len(rows) - len(rows) // 5
    for split, part in (("train", rows[:cut]), ("test", [row for row in rows[cut:] if not row.copy])):
        groups = [
            pa.Table.from_pylist([row.values() for row in part[at : at + 3]], schema.COLUMNS)
            for at in range(0, len(part), 3)
        ]
        parquet_store.write_split(folder, split, groups, facts=facts)
    first = rows[0]
    rejected = {"path": f"{first.signer}/one/A/dark.png", "letter": "A", "signer": first.signer, "session": "one"}
    parquet_store.write_findings(
        folder / parquet_store.REJECTED_FILE, [rejected | {"reason": "dark", "detail": "dark"}]
    )
    frames = [
        {"path": row.values()["image"]["path"], "letter": row.letter, "signer": row.signer, "session": row.session}
        for row in rows
    ]
    parquet_store.write_findings(
        folder / parquet_store.FLAGGED_FILE,
        [each | {"reason": "cut-off", "detail": "at the edge"} for each in frames[:2]],
    )
    dropped = {**frames[0], "path": f"{first.signer}/{first.session}/A/9.png", "letter": "A"}  # or a row of another one
    parquet_store.write_findings(
        folder / parquet_store.REVIEWED_FILE,
        [{**frames[0], "reason": "keep", "detail": ""}, {**dropped, "reason": "drop", "detail": ""}],
    )
    return MergeInput(name=folder.name, folder=folder, renames={})


def as_input(result: MergeResult) -> MergeInput:
    return MergeInput(name=result.folder.name, folder=result.folder, renames={})


def rows_in(folder: Path) -> list[dict[str, Any]]:
    return parquet_store.read_dataset(folder).to_pylist()  # type: ignore[no-any-return]


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def reasons(folder: Path) -> dict[str, str]:
    return {row["path"]: row["reason"] for row in parquet_store.read_rejected(folder).to_pylist()}


def merge(*datasets: MergeInput, to: Path, **config: Any) -> MergeResult:
    """Merge datasets, with each name standing for one person."""
    signers = {row["signer"] for each in datasets for row in rows_in(each.folder)}
    signers |= {
        row["signer"]
        for each in datasets
        for row in parquet_store.read_rejected(each.folder).to_pylist()
        if row.get("sha256")
    }
    return merge_datasets(datasets, to / "m", replace(CONFIG, **{"same": tuple(sorted(signers)), **config}))


ROWS = st.builds(
    Row,
    st.integers(0, 14),
    letter=st.sampled_from("AAAB"),
    signer=st.sampled_from(("ada", "ben", "cleo-2", "cleo")),
    session=st.sampled_from(("one", "two")),
    group=st.integers(0, 6),
    name=st.sampled_from(("", "", "9", "10", "010")),
    licence=st.sampled_from(("CC0-1.0", "CC-BY-4.0")),
)
DATASETS = st.lists(ROWS, min_size=1, max_size=9, unique_by=lambda row: row.number)


@settings(max_examples=6, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(datasets=st.tuples(DATASETS, DATASETS, DATASETS))
def test_result_does_not_depend_on_order(datasets: tuple[list[Row], ...]) -> None:
    """All files are byte-identical: rows, split, groups, card, rejected frames and origins."""
    with tempfile.TemporaryDirectory() as name:
        top = Path(name)
        a, b, c = (write(top / "abc"[index], rows) for index, rows in enumerate(datasets))
        try:
            expected = content(merge(a, b, c, to=top / "1").folder)
            first = merge(a, b, to=top / "2")
            last = merge(c, b, to=top / "3")
        except AslkitError as error:
            assume("No image is left" not in error.message)
            raise
        for number, parts in enumerate(
            (
                [c, a, b],  # commutative
                [as_input(first), c],  # associative
                [a, as_input(last)],
                [as_input(last), as_input(first)],
                [a, b, c, b, a],  # idempotent
                [as_input(first), a, c, as_input(first)],
            )
        ):
            assert content(merge(*parts, to=top / f"way-{number}").folder) == expected
        again = merge(MergeInput(name="m", folder=top / "1" / "m", renames={}), to=top / "again")
        assert content(again.folder) == expected


@settings(max_examples=10)
@given(datasets=st.tuples(DATASETS, DATASETS), copied=st.sets(st.integers(0, 14)))
def test_merge_invariants(datasets: tuple[list[Row], ...], copied: set[int]) -> None:
    with tempfile.TemporaryDirectory() as name:
        top = Path(name)
        copies = [[replace(row, copy=1, name="") for row in rows if row.number in copied] for rows in datasets]
        a, b = (write(top / "ab"[i], [*copies[i], *rows]) for i, rows in enumerate(datasets))
        before = [content(each.folder) for each in (a, b)]
        try:
            result = merge(a, b, to=top)
        except AslkitError as error:
            assume("No image is left" not in error.message)
            raise
        rows = rows_in(result.folder)
        assert [content(each.folder) for each in (a, b)] == before
        assert content(merge(b, a, b, to=top / "other").folder) == content(result.folder)
        originals = [row for row in rows if row["parent"] is None]
        assert len({row["sha256"] for row in originals}) == len(originals)
        by_hash = {row["sha256"]: row for row in originals}
        for row in rows:
            if row["parent"]:
                parent = by_hash[row["parent"]]
                assert row["split"] == parent["split"] == "train"
                assert [row[key] for key in ("signer", "group", "label")] == [
                    parent[key] for key in ("signer", "group", "label")
                ]
        groups = {(row["group"], row["split"]) for row in originals}
        assert len({group for group, _ in groups}) == len(groups)
        paths = {row.values()["image"]["path"] for rows in datasets for row in rows}
        assert paths == {row["image"]["path"] for row in originals} | (set(reasons(result.folder)) & paths)
        _check_groups_are_not_divided(originals, [rows_in(each.folder) for each in (a, b)])


def _check_groups_are_not_divided(merged: list[dict[str, Any]], sources: list[list[dict[str, Any]]]) -> None:
    new = {row["sha256"]: row["group"] for row in merged}
    for rows in sources:
        for row in rows:
            groups = {new[each["sha256"]] for each in rows if each["group"] == row["group"] and each["sha256"] in new}
            assert len(groups) <= 1


def numbers(start: int, signer: str, **other: Any) -> list[Row]:
    return [Row(number, signer=signer, **other) for number in range(start, start + 6)]


def test_hold_out_sets_test_signers(tmp_path: Path) -> None:
    a, b = write(tmp_path / "a", numbers(0, "ada")), write(tmp_path / "b", numbers(50, "ben"))
    result = merge_datasets([a, b], tmp_path / "m", replace(CONFIG, hold_out=("ada",)))
    assert {row["signer"] for row in rows_in(result.folder) if row["split"] == "test"} == {"ada"}
    with pytest.raises(InputError, match=r"No signer .zoe. to hold out\. Known signers: ada, ben"):
        merge_datasets([a, b], tmp_path / "m", replace(CONFIG, hold_out=("zoe",)))


def test_same_pixels_are_kept_once_and_groups_are_joined(tmp_path: Path) -> None:
    a = write(tmp_path / "a", [Row(1, signer="zoe", group=5), Row(2, signer="zoe", group=5), Row(7, signer="zoe")])
    b = write(tmp_path / "b", [Row(1, signer="ben", group=5), Row(3, signer="ben", group=5), Row(8, signer="ben")])
    result = merge_datasets([a, b], tmp_path / "m", CONFIG)
    rows = {row["image"]["path"]: row for row in rows_in(result.folder)}
    assert "ben/one/A/1.png" in rows
    rejected = {row["path"]: row for row in parquet_store.read_rejected(result.folder).to_pylist()}
    assert rejected["zoe/one/A/1.png"]["reason"] == "duplicate"
    assert rejected["zoe/one/A/1.png"]["detail"] == "same pixels as ben/one/A/1.png"
    connected = ("ben/one/A/1.png", "ben/one/A/3.png", "zoe/one/A/2.png")
    assert len({(rows[path]["group"], rows[path]["split"]) for path in connected}) == 1
    assert len({row["group"] for row in rows.values()}) == 3


def test_same_pixels_with_two_letters_are_excluded_permanently(tmp_path: Path) -> None:
    a = write(tmp_path / "a", numbers(0, "ada"))
    b = write(tmp_path / "b", [Row(0, letter="B", signer="ben"), *numbers(50, "ben")])
    first = merge_datasets([a, b], tmp_path / "m", CONFIG)
    assert reasons(first.folder)["ada/one/A/0.png"] == reasons(first.folder)["ben/one/B/0.png"] == "conflicting-label"
    again = merge_datasets([as_input(first), a], tmp_path / "again", CONFIG)
    assert picture(0)[1] not in {row["sha256"] for row in rows_in(again.folder)}


def test_same_name_in_two_datasets_raises_same_signer_error(tmp_path: Path) -> None:
    a, b = write(tmp_path / "a", numbers(0, "ada")), write(tmp_path / "b", numbers(50, "ada"))
    with pytest.raises(SameSignerError, match=r"--same ada\. If not, .* --rename b:ada=ada-2") as caught:
        merge_datasets([a, b], tmp_path / "m", CONFIG)
    assert (caught.value.signer, caught.value.datasets) == ("ada", ["a", "b"])
    one = merge_datasets([a, b], tmp_path / "m", replace(CONFIG, same=("ada",)))
    assert set(one.summary["signers"]) == {"ada"}
    with pytest.raises(InputError, match=r"Unknown signer .zoe.\. Known signers: ada"):
        merge_datasets([a, b], tmp_path / "m", replace(CONFIG, same=("zoe",)))


def test_shared_recordings_identify_same_signer(tmp_path: Path) -> None:
    a, b, c = (write(tmp_path / name, numbers(start, "ada")) for name, start in (("a", 0), ("b", 5), ("c", 10)))
    result = merge_datasets([a, c, b], tmp_path / "m", CONFIG)  # a and c are only connected through b
    assert result.summary["frames"] == 16
    assert set(reasons(result.folder).values()) == {"dark"}  # the same recording is not a duplicate


def test_renamed_signer_is_renamed_everywhere(tmp_path: Path) -> None:
    a, b = write(tmp_path / "a", numbers(0, "ada")), write(tmp_path / "b", numbers(50, "ada"))
    flagged = [row | {"detail": "recorded in ada/one only"} for row in parquet_store.read_flagged(b.folder).to_pylist()]
    parquet_store.write_findings(b.folder / parquet_store.FLAGGED_FILE, flagged)
    result = merge_datasets([a, replace(b, renames={"ada": "eve"})], tmp_path / "m", CONFIG)
    assert result.summary["splits"]["test"] == 6
    renamed = [row for row in rows_in(result.folder) if row["signer"] == "eve"]
    assert len(renamed) == 6
    assert {row["image"]["path"].split("/")[0] for row in renamed} == {"eve"}
    assert "eve/one/A/dark.png" in reasons(result.folder)
    assert {row["signer"] for row in parquet_store.read_flagged(result.folder).to_pylist()} == {"ada", "eve"}
    details = {(row["signer"], row["detail"]) for row in parquet_store.read_flagged(result.folder).to_pylist()}
    assert details == {("ada", "at the edge"), ("eve", "recorded in eve/one only")}
    assert {row["consent"] for row in renamed} == {"ada agrees"}  # without changes


def test_rows_keep_licence_and_card_has_combined_licence(tmp_path: Path) -> None:
    a = write(tmp_path / "a", numbers(0, "ada", licence="MIT"))
    b = write(tmp_path / "b", numbers(50, "ben", licence="CC-BY-SA-4.0"))
    result = merge_datasets([a, b], tmp_path / "m", CONFIG)
    assert result.licence == parquet_store.read_facts(result.folder)["licence"] == "CC-BY-SA-4.0"
    assert {row["licence"] for row in rows_in(result.folder)} == {"MIT", "CC-BY-SA-4.0"}
    assert "Licence of the dataset: CC-BY-SA-4.0" in (result.folder / "README.md").read_text()
    c = write(tmp_path / "c", numbers(80, "cleo", licence="CC-BY-NC-4.0"))
    with pytest.raises(InputError, match="cannot be combined into one dataset"):
        merge_datasets([as_input(result), c], tmp_path / "n", CONFIG)
    assert not (tmp_path / "n").exists()


def test_origins_are_recorded(tmp_path: Path) -> None:
    a = write(tmp_path / "a", numbers(0, "ada"), fingerprint="f" * 64)
    b = write(tmp_path / "b", numbers(50, "ben"))
    first = merge_datasets([a, b], tmp_path / "m", CONFIG)
    again = merge_datasets([as_input(first), a], tmp_path / "n", CONFIG)
    assert again.sources == first.sources == parquet_store.read_facts(first.folder)["merged"]
    assert {tuple(origin["names"]): origin["frames"] for origin in first.sources} == {("a",): 6, ("b",): 6}
    assert "f" * 64 in {origin["fingerprint"] for origin in first.sources}


def test_only_merge_of_same_datasets_is_overwritten(tmp_path: Path) -> None:
    a, b = write(tmp_path / "a", numbers(0, "ada")), write(tmp_path / "b", numbers(50, "ben"))
    first = merge_datasets([a, b], tmp_path / "m", CONFIG)
    before = content(first.folder)
    again = merge_datasets([b, a], tmp_path / "m", CONFIG)
    assert again.up_to_date
    assert again.summary == first.summary
    assert not merge_datasets(
        [b, a], tmp_path / "m", replace(CONFIG, hold_out=("ada",))
    ).up_to_date  # the same datasets, with another split
    c = write(tmp_path / "c", numbers(80, "cleo"))
    with pytest.raises(InputError, match="overwrite it with --force"):
        merge_datasets([a, c], tmp_path / "m", CONFIG)
    with pytest.raises(InputError, match="would overwrite its source b"):
        merge_datasets([a, b], tmp_path / "b", CONFIG, force=True)
    merge_datasets([a, b], tmp_path / "m", CONFIG, force=True)
    assert content(first.folder) == before
    (tmp_path / "originals").mkdir()
    (tmp_path / "originals" / "1.jpg").write_bytes(b"mine")
    with pytest.raises(InputError, match=r"is not an earlier merge .* Choose another name\."):
        merge_datasets([a, b], tmp_path / "originals", CONFIG, force=True)


def test_interrupted_merge_keeps_existing_dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = write(tmp_path / "a", numbers(0, "ada")), write(tmp_path / "b", numbers(50, "ben"))
    before = content(merge_datasets([a, b], tmp_path / "m", CONFIG).folder)

    def stop(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(parquet_store, "write_split", stop)
    with pytest.raises(KeyboardInterrupt):
        merge_datasets([a, b], tmp_path / "m", replace(CONFIG, seed=1, hold_out=("ben",)))
    assert content(tmp_path / "m") == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b", "m"]


def test_row_group_cache_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The result is the same if each row group is read again."""
    a, b = write(tmp_path / "a", numbers(0, "ada")), write(tmp_path / "b", numbers(3, "ada"))
    expected = content(merge_datasets([a, b], tmp_path / "1" / "m", CONFIG).folder)
    monkeypatch.setattr(gather_rows, "_MAX_CACHE_BYTES", 1)
    assert content(merge_datasets([a, b], tmp_path / "2" / "m", CONFIG).folder) == expected
    row_groups = gather_rows.RowGroups()
    for index in range(2):
        row_groups.get(parquet_store.list_files(a.folder)[0], index)
    assert len(row_groups._cache) == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda values: values | {"label": 26}, "has label 26, but labels are 0–25"),
        (lambda values: values | {"label": 24}, "shows J, .* but is not part of a clip"),
        (lambda values: values | {"clip": "ada/one/A/c", "time_ms": 0}, "is part of a clip, but has another letter"),
        (lambda values: values | {"signer": None}, "has no value for 'signer'"),
        (lambda values: values | {"sha256": None}, "has no value for 'sha256'"),
        (lambda values: values | {"image": None}, "has no value for 'path'"),
        (lambda values: values | {"signer": "../ada\x1b[2J"}, "is not a valid name for a signer"),
    ],
)
def test_invalid_rows_are_reported(
    tmp_path: Path, change: Callable[[dict[str, Any]], dict[str, Any]], message: str
) -> None:
    table = pa.Table.from_pylist([Row(0).values(), change(Row(1).values())], schema.COLUMNS)
    parquet_store.write_split(tmp_path / "a", "train", [table], facts={})
    with pytest.raises(AslkitError, match=message):
        merge_datasets([MergeInput(name="a", folder=tmp_path / "a", renames={})], tmp_path / "m", CONFIG)


@pytest.mark.parametrize("merged", [[{"fingerprint": 1}], [7], [{"fingerprint": "x", "names": 3, "frames": 1}]])
def test_invalid_origins_are_reported(tmp_path: Path, merged: Any) -> None:
    a = write(tmp_path / "a", numbers(0, "ada"), merged=merged)
    with pytest.raises(AslkitError, match=r"list of source datasets in .* is invalid"):
        merge_datasets([a], tmp_path / "m", CONFIG)


def test_facts_are_small(tmp_path: Path) -> None:
    """Excluded frames are stored in rejected.parquet, not in the metadata of every file."""
    a, b = write(tmp_path / "a", numbers(0, "ada")), write(tmp_path / "b", numbers(0, "ben"))
    assert len(json.dumps(parquet_store.read_facts(merge_datasets([a, b], tmp_path / "m", CONFIG).folder))) < 3_000
