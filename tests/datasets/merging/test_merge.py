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
    """A tiny PNG of noise, and the hash of its pixels."""
    frame = np.random.default_rng(number).integers(0, 256, (16, 16, 3), np.uint8)
    return encode_png(frame), pixel_hash(frame)


@dataclass(frozen=True)
class Row:
    """What matters of a frame for merging."""

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
    """A dataset, its last fifth as test, and a frame that curation left out."""
    cut = len(rows) - len(rows) // 5
    for split, part in (("train", rows[:cut]), ("test", [row for row in rows[cut:] if not row.copy])):
        groups = [
            pa.Table.from_pylist([row.values() for row in part[at : at + 3]], schema.COLUMNS)
            for at in range(0, len(part), 3)
        ]
        parquet_store.write_split(folder, split, groups, facts=facts)
    first = rows[0]
    left_out = {"path": f"{first.signer}/one/A/dark.png", "letter": "A", "signer": first.signer, "session": "one"}
    parquet_store.write_findings(
        folder / parquet_store.REJECTED_FILE, [left_out | {"reason": "dark", "detail": "dark"}]
    )
    seen = [
        {"path": row.values()["image"]["path"], "letter": row.letter, "signer": row.signer, "session": row.session}
        for row in rows
    ]
    parquet_store.write_findings(
        folder / parquet_store.FLAGGED_FILE,
        [each | {"reason": "cut-off", "detail": "at the edge"} for each in seen[:2]],
    )
    return MergeInput(name=folder.name, folder=folder, renames={})


def given_of(result: MergeResult) -> MergeInput:
    return MergeInput(name=result.folder.name, folder=result.folder, renames={})


def rows_in(folder: Path) -> list[dict[str, Any]]:
    return parquet_store.read_dataset(folder).to_pylist()  # type: ignore[no-any-return]


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def reasons(folder: Path) -> dict[str, str]:
    return {row["path"]: row["reason"] for row in parquet_store.read_rejected(folder).to_pylist()}


def together(*datasets: MergeInput, to: Path, **config: Any) -> MergeResult:
    """Merge; whoever has one name is one person."""
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
def test_the_order_of_merging_is_all_one(datasets: tuple[list[Row], ...]) -> None:
    """To the last byte of every file: rows, split, groups, card, what was left out, what it was made of."""
    with tempfile.TemporaryDirectory() as name:
        top = Path(name)
        a, b, c = (write(top / "abc"[index], rows) for index, rows in enumerate(datasets))
        try:
            expected = content(together(a, b, c, to=top / "1").folder)
            first = together(a, b, to=top / "2")
            last = together(c, b, to=top / "3")
        except AslkitError as error:
            assume("No photograph is left" not in error.message)
            raise
        for number, parts in enumerate(
            (
                [c, a, b],  # commutative
                [given_of(first), c],  # associative
                [a, given_of(last)],
                [given_of(last), given_of(first)],
                [a, b, c, b, a],  # idempotent
                [given_of(first), a, c, given_of(first)],
            )
        ):
            assert content(together(*parts, to=top / f"way-{number}").folder) == expected
        again = together(MergeInput(name="m", folder=top / "1" / "m", renames={}), to=top / "again")
        assert content(again.folder) == expected


@settings(max_examples=10)
@given(datasets=st.tuples(DATASETS, DATASETS), copied=st.sets(st.integers(0, 14)))
def test_what_holds_of_every_merge(datasets: tuple[list[Row], ...], copied: set[int]) -> None:
    with tempfile.TemporaryDirectory() as name:
        top = Path(name)
        varied = [[replace(row, copy=1, name="") for row in rows if row.number in copied] for rows in datasets]
        a, b = (write(top / "ab"[i], [*varied[i], *rows]) for i, rows in enumerate(datasets))
        before = [content(each.folder) for each in (a, b)]
        try:
            result = together(a, b, to=top)
        except AslkitError as error:
            assume("No photograph is left" not in error.message)
            raise
        rows = rows_in(result.folder)
        assert [content(each.folder) for each in (a, b)] == before
        assert content(together(b, a, b, to=top / "other").folder) == content(result.folder)
        photographs = [row for row in rows if row["parent"] is None]
        assert len({row["sha256"] for row in photographs}) == len(photographs)
        by_hash = {row["sha256"]: row for row in photographs}
        for row in rows:
            if row["parent"]:
                parent = by_hash[row["parent"]]
                assert row["split"] == parent["split"] == "train"
                assert [row[key] for key in ("signer", "group", "label")] == [
                    parent[key] for key in ("signer", "group", "label")
                ]
        groups = {(row["group"], row["split"]) for row in photographs}
        assert len({group for group, _ in groups}) == len(groups)
        given_rows = {row.values()["image"]["path"] for rows in datasets for row in rows}
        assert given_rows == {row["image"]["path"] for row in photographs} | (set(reasons(result.folder)) & given_rows)
        _groups_stay_whole(photographs, [rows_in(each.folder) for each in (a, b)])


def _groups_stay_whole(merged: list[dict[str, Any]], sources: list[list[dict[str, Any]]]) -> None:
    new = {row["sha256"]: row["group"] for row in merged}
    for rows in sources:
        for row in rows:
            mates = {new[each["sha256"]] for each in rows if each["group"] == row["group"] and each["sha256"] in new}
            assert len(mates) <= 1


def numbers(start: int, signer: str, **other: Any) -> list[Row]:
    return [Row(number, signer=signer, **other) for number in range(start, start + 6)]


def test_people_stay_whole_and_hold_out_is_obeyed(tmp_path: Path) -> None:
    a, b = write(tmp_path / "a", numbers(0, "ada")), write(tmp_path / "b", numbers(50, "ben"))
    result = merge_datasets([a, b], tmp_path / "m", replace(CONFIG, hold_out=("ada",)))
    assert {row["signer"] for row in rows_in(result.folder) if row["split"] == "test"} == {"ada"}
    with pytest.raises(InputError, match=r"no signer .zoe. to hold out\. There are: ada, ben"):
        merge_datasets([a, b], tmp_path / "m", replace(CONFIG, hold_out=("zoe",)))


def test_equal_pixels_under_two_names_stay_once_and_their_groups_become_one(tmp_path: Path) -> None:
    a = write(tmp_path / "a", [Row(1, signer="zoe", group=5), Row(2, signer="zoe", group=5), Row(7, signer="zoe")])
    b = write(tmp_path / "b", [Row(1, signer="ben", group=5), Row(3, signer="ben", group=5), Row(8, signer="ben")])
    result = merge_datasets([a, b], tmp_path / "m", CONFIG)
    rows = {row["image"]["path"]: row for row in rows_in(result.folder)}
    assert "ben/one/A/1.png" in rows
    left_out = {row["path"]: row for row in parquet_store.read_rejected(result.folder).to_pylist()}
    assert left_out["zoe/one/A/1.png"]["reason"] == "duplicate"
    assert left_out["zoe/one/A/1.png"]["detail"] == "same pixels as ben/one/A/1.png"
    chained = ("ben/one/A/1.png", "ben/one/A/3.png", "zoe/one/A/2.png")
    assert len({(rows[path]["group"], rows[path]["split"]) for path in chained}) == 1
    assert len({row["group"] for row in rows.values()}) == 3


def test_equal_pixels_under_two_letters_all_go_and_never_come_back(tmp_path: Path) -> None:
    a = write(tmp_path / "a", numbers(0, "ada"))
    b = write(tmp_path / "b", [Row(0, letter="B", signer="ben"), *numbers(50, "ben")])
    first = merge_datasets([a, b], tmp_path / "m", CONFIG)
    assert reasons(first.folder)["ada/one/A/0.png"] == reasons(first.folder)["ben/one/B/0.png"] == "conflicting-label"
    again = merge_datasets([given_of(first), a], tmp_path / "again", CONFIG)
    assert picture(0)[1] not in {row["sha256"] for row in rows_in(again.folder)}


def test_one_name_in_two_datasets_is_asked_about(tmp_path: Path) -> None:
    a, b = write(tmp_path / "a", numbers(0, "ada")), write(tmp_path / "b", numbers(50, "ada"))
    with pytest.raises(SameSignerError, match=r"--same ada\. If not, .* --rename b:ada=ada-2") as caught:
        merge_datasets([a, b], tmp_path / "m", CONFIG)
    assert (caught.value.signer, caught.value.datasets) == ("ada", ["a", "b"])
    one = merge_datasets([a, b], tmp_path / "m", replace(CONFIG, same=("ada",)))
    assert set(one.summary["signers"]) == {"ada"}
    with pytest.raises(InputError, match=r"no signer .zoe.\. There are: ada"):
        merge_datasets([a, b], tmp_path / "m", replace(CONFIG, same=("zoe",)))


def test_recordings_in_common_say_that_it_is_one_person(tmp_path: Path) -> None:
    a, b, c = (write(tmp_path / name, numbers(start, "ada")) for name, start in (("a", 0), ("b", 5), ("c", 10)))
    result = merge_datasets([a, c, b], tmp_path / "m", CONFIG)  # a and c have nothing in common but by way of b
    assert result.summary["frames"] == 16
    assert set(reasons(result.folder).values()) == {"dark"}  # the same recording is no duplicate


def test_a_renamed_signer_is_another_person_everywhere(tmp_path: Path) -> None:
    a, b = write(tmp_path / "a", numbers(0, "ada")), write(tmp_path / "b", numbers(50, "ada"))
    found = [row | {"detail": "recorded in ada/one only"} for row in parquet_store.read_flagged(b.folder).to_pylist()]
    parquet_store.write_findings(b.folder / parquet_store.FLAGGED_FILE, found)
    result = merge_datasets([a, replace(b, renames={"ada": "eve"})], tmp_path / "m", CONFIG)
    assert result.summary["splits"]["test"] == 6
    mine = [row for row in rows_in(result.folder) if row["signer"] == "eve"]
    assert len(mine) == 6
    assert {row["image"]["path"].split("/")[0] for row in mine} == {"eve"}
    assert "eve/one/A/dark.png" in reasons(result.folder)
    assert {row["signer"] for row in parquet_store.read_flagged(result.folder).to_pylist()} == {"ada", "eve"}
    told = {(row["signer"], row["detail"]) for row in parquet_store.read_flagged(result.folder).to_pylist()}
    assert told == {("ada", "at the edge"), ("eve", "recorded in eve/one only")}
    assert {row["consent"] for row in mine} == {"ada agrees"}  # word for word


def test_each_row_keeps_its_licence_and_the_card_says_that_of_the_whole(tmp_path: Path) -> None:
    a = write(tmp_path / "a", numbers(0, "ada", licence="MIT"))
    b = write(tmp_path / "b", numbers(50, "ben", licence="CC-BY-SA-4.0"))
    result = merge_datasets([a, b], tmp_path / "m", CONFIG)
    assert result.licence == parquet_store.read_facts(result.folder)["licence"] == "CC-BY-SA-4.0"
    assert {row["licence"] for row in rows_in(result.folder)} == {"MIT", "CC-BY-SA-4.0"}
    assert "Of the whole: CC-BY-SA-4.0" in (result.folder / "README.md").read_text()
    c = write(tmp_path / "c", numbers(80, "cleo", licence="CC-BY-NC-4.0"))
    with pytest.raises(InputError, match="cannot be made one dataset"):
        merge_datasets([given_of(result), c], tmp_path / "n", CONFIG)
    assert not (tmp_path / "n").exists()


def test_it_says_what_it_was_made_of(tmp_path: Path) -> None:
    a = write(tmp_path / "a", numbers(0, "ada"), fingerprint="f" * 64)
    b = write(tmp_path / "b", numbers(50, "ben"))
    first = merge_datasets([a, b], tmp_path / "m", CONFIG)
    again = merge_datasets([given_of(first), a], tmp_path / "n", CONFIG)
    assert again.sources == first.sources == parquet_store.read_facts(first.folder)["merged"]
    assert {tuple(leaf["names"]): leaf["frames"] for leaf in first.sources} == {("a",): 6, ("b",): 6}
    assert "f" * 64 in {leaf["fingerprint"] for leaf in first.sources}


def test_only_a_merge_of_the_same_is_written_over(tmp_path: Path) -> None:
    a, b = write(tmp_path / "a", numbers(0, "ada")), write(tmp_path / "b", numbers(50, "ben"))
    first = merge_datasets([a, b], tmp_path / "m", CONFIG)
    before = content(first.folder)
    again = merge_datasets([b, a], tmp_path / "m", CONFIG)
    assert again.up_to_date
    assert again.summary == first.summary
    assert not merge_datasets(
        [b, a], tmp_path / "m", replace(CONFIG, hold_out=("ada",))
    ).up_to_date  # the same, split otherwise
    c = write(tmp_path / "c", numbers(80, "cleo"))
    with pytest.raises(InputError, match="overwrite it with --force"):
        merge_datasets([a, c], tmp_path / "m", CONFIG)
    with pytest.raises(InputError, match="b would be overwritten"):
        merge_datasets([a, b], tmp_path / "b", CONFIG, force=True)
    merge_datasets([a, b], tmp_path / "m", CONFIG, force=True)
    assert content(first.folder) == before
    (tmp_path / "photographs").mkdir()
    (tmp_path / "photographs" / "1.jpg").write_bytes(b"mine")
    with pytest.raises(InputError, match=r"holds something else .* Choose another name\."):
        merge_datasets([a, b], tmp_path / "photographs", CONFIG, force=True)


def test_an_interrupted_merge_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = write(tmp_path / "a", numbers(0, "ada")), write(tmp_path / "b", numbers(50, "ben"))
    before = content(merge_datasets([a, b], tmp_path / "m", CONFIG).folder)

    def stop(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(parquet_store, "write_split", stop)
    with pytest.raises(KeyboardInterrupt):
        merge_datasets([a, b], tmp_path / "m", replace(CONFIG, seed=1, hold_out=("ben",)))
    assert content(tmp_path / "m") == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b", "m"]


def test_few_row_groups_are_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the rows are right when each is read anew."""
    a, b = write(tmp_path / "a", numbers(0, "ada")), write(tmp_path / "b", numbers(3, "ada"))
    whole = content(merge_datasets([a, b], tmp_path / "1" / "m", CONFIG).folder)
    monkeypatch.setattr(gather_rows, "_KEPT_BYTES", 1)
    assert content(merge_datasets([a, b], tmp_path / "2" / "m", CONFIG).folder) == whole
    held = gather_rows.RowGroups()
    for index in range(2):
        held.get(parquet_store.list_files(a.folder)[0], index)
    assert len(held._held) == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda values: values | {"label": 24}, "has label 24; letters are 0–23"),
        (lambda values: values | {"signer": None}, "has nothing in 'signer'"),
        (lambda values: values | {"sha256": None}, "has nothing in 'sha256'"),
        (lambda values: values | {"image": None}, "has nothing in 'path'"),
        (lambda values: values | {"signer": "../ada\x1b[2J"}, "cannot be the name of a signer"),
    ],
)
def test_rows_that_say_impossible_things_are_named(
    tmp_path: Path, change: Callable[[dict[str, Any]], dict[str, Any]], words: str
) -> None:
    table = pa.Table.from_pylist([Row(0).values(), change(Row(1).values())], schema.COLUMNS)
    parquet_store.write_split(tmp_path / "a", "train", [table], facts={})
    with pytest.raises(AslkitError, match=words):
        merge_datasets([MergeInput(name="a", folder=tmp_path / "a", renames={})], tmp_path / "m", CONFIG)


@pytest.mark.parametrize("merged", [[{"fingerprint": 1}], [7], [{"fingerprint": "x", "names": 3, "frames": 1}]])
def test_a_wrong_provenance_is_said(tmp_path: Path, merged: Any) -> None:
    a = write(tmp_path / "a", numbers(0, "ada"), merged=merged)
    with pytest.raises(AslkitError, match="says in a wrong way what it was merged from"):
        merge_datasets([a], tmp_path / "m", CONFIG)


def test_facts_are_json_of_few_bytes(tmp_path: Path) -> None:
    """What was left out lies in rejected.parquet, not in every file's metadata."""
    a, b = write(tmp_path / "a", numbers(0, "ada")), write(tmp_path / "b", numbers(0, "ben"))
    assert len(json.dumps(parquet_store.read_facts(merge_datasets([a, b], tmp_path / "m", CONFIG).folder))) < 3_000
