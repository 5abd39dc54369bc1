"""Checks across rows and splits: what no single row tells."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from aslkit.core.sanitize import sanitize_text
from aslkit.datasets import schema
from aslkit.datasets.verify.findings import Problem, make_problem

_UNSTATED: Final = (("licence", "unstated", "without a licence"), ("consent", "unstated", "without a word on consent"),
                    ("signer", "unknown-signer", "whose signer is unknown"))  # fmt: skip


def check_across_rows(rows: pa.Table, facts: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what is wrong with the dataset as a whole.

    Args:
        rows: `verify_files.KEPT`, `pixels`, `row`, and `file` and `split`, for each row that could be read.
        facts: what the dataset says of itself.
    """
    place = pa.array(range(len(rows)), pa.int64())
    rows = rows.append_column("place", place)
    originals = rows.filter(pc.is_null(rows.column("parent")))
    by_signer = _summary(facts).get("split_by") == "signer"
    for found in (
        _apart(rows, "pixels", "pixels-in-two-splits", "the same image"),
        _apart(rows, "group", "group-in-two-splits", "group {} of near-duplicates"),
        _apart(_test_alone(originals), "signer", "signer-in-two-splits", "signer {}") if by_signer else (),
        _twice(originals),
    ):
        yield from _placed(rows, list(found))
    yield from _copies(rows, originals)
    yield from _counts(rows, facts)
    for column, kind, words in _UNSTATED:
        stated = pc.utf8_trim_whitespace(pc.fill_null(rows.column(column), ""))
        if lacking := pc.sum(pc.equal(stated, "")).as_py():
            yield make_problem(kind, f"{lacking:,} of {len(rows):,} rows {words}")


def _test_alone(rows: pa.Table) -> pa.Table:
    """With validation taken for train: people are only ever kept out of the test."""
    at = rows.schema.get_field_index("split")
    split = rows.column("split")
    return rows.set_column(at, "split", pc.if_else(pc.equal(split, "test"), split, "train"))


_Found = tuple[int, str, str]
"""Place among all rows, kind and words of a finding."""


def _placed(rows: pa.Table, found: list[_Found]) -> Iterator[Problem]:
    where = rows.select(["file", "row"]).take(pa.array([place for place, _, _ in found], pa.int64())).to_pylist()
    for (_, kind, words), at in zip(found, where, strict=True):
        yield make_problem(kind, words, file=at["file"], row=at["row"])


def _apart(rows: pa.Table, key: str, kind: str, what: str) -> Iterator[_Found]:
    """Yield each value of a column that occurs in several splits, at the row where it comes up last."""
    given = rows.select([key, "split", "place"]).filter(pc.is_valid(rows.column(key)))
    found = given.group_by(key).aggregate([("split", "distinct"), ("place", "max"), ("place", "count")])
    several = found.filter(pc.greater(pc.list_value_length(found.column("split_distinct")), 1))
    for each in several.to_pylist():
        splits = " and ".join(sorted(each["split_distinct"], key=schema.SPLITS.index))
        words = f"{what.format(sanitize_text(each[key]))} is in {splits} ({each['place_count']:,} rows)"
        yield each["place_max"], kind, words


def _twice(originals: pa.Table) -> Iterator[_Found]:
    given = originals.select(["pixels", "label", "split", "place"]).filter(pc.is_valid(originals.column("pixels")))
    found = given.group_by("pixels").aggregate(
        [("label", "count_distinct"), ("split", "count_distinct"), ("place", "max"), ("place", "count")]
    )
    for each in found.filter(pc.greater(found.column("place_count"), 1)).to_pylist():
        if each["label_count_distinct"] > 1:
            yield each["place_max"], "two-letters", "the same image has several labels"
        elif each["split_count_distinct"] == 1:
            yield each["place_max"], "twice", f"the same image is in {each['place_count']:,} rows"


def _copies(rows: pa.Table, originals: pa.Table) -> Iterator[Problem]:
    copies = rows.filter(pc.is_valid(rows.column("parent")))
    train = originals.filter(pc.equal(originals.column("split"), "train"))
    known = pc.is_in(copies.column("parent"), value_set=train.column("sha256").combine_chunks())
    for each in copies.filter(pc.not_equal(copies.column("split"), "train")).select(["file", "row"]).to_pylist():
        yield make_problem("copy-outside-train", "a varied copy outside of train", file=each["file"], row=each["row"])
    for each in copies.filter(pc.invert(known)).select(["file", "row", "parent"]).to_pylist():
        words = f"its parent {each['parent'][:12]}… is not among the originals of train"
        yield make_problem("parent", words, file=each["file"], row=each["row"])


def _counts(rows: pa.Table, facts: Mapping[str, Any]) -> Iterator[Problem]:
    said = _summary(facts).get("splits")
    if not isinstance(said, dict):
        return
    originals = rows.filter(pc.is_null(rows.column("parent")))
    has = {each["values"]: each["counts"] for each in pc.value_counts(originals.column("split")).to_pylist()}
    for split in schema.SPLITS:
        if said.get(split, 0) != has.get(split, 0):
            words = (
                f"{split} has {has.get(split, 0):,} rows without varied copies; its metadata say {said.get(split, 0)!r}"
            )
            yield make_problem("counts", words)
    copies, claimed = len(rows) - len(originals), _summary(facts).get("augmented", 0)
    if copies != claimed:
        yield make_problem("counts", f"there are {copies:,} varied copies; the metadata say {claimed!r}")


def _summary(facts: Mapping[str, Any]) -> dict[str, Any]:
    summary = facts.get("summary")
    return summary if isinstance(summary, dict) else {}
