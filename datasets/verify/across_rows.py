"""Check what cannot be seen in a single row: duplicates, data leakage between splits, and counts."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from aslkit.core.sanitize import sanitize_text
from aslkit.datasets import schema
from aslkit.datasets.info import as_dict
from aslkit.datasets.verify.clip_rows import Found, find_in_clips
from aslkit.datasets.verify.findings import Problem, make_problem

_UNSTATED: Final = (("licence", "unstated", "state no licence"), ("consent", "unstated", "state no consent"),
                    ("signer", "unknown-signer", "have an unknown signer"))  # fmt: skip
"""Column, kind of the finding, and text, for columns that should not be empty."""


def check_across_rows(rows: pa.Table, facts: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield the problems of the dataset as a whole.

    Args:
        rows: all readable rows, with the columns `parquet_file.KEPT_COLUMNS`, `pixels`, `has_hand`, `row`, `file` and
            `split`.
        facts: the metadata of the dataset.
    """
    rows = rows.append_column("position", pa.array(range(len(rows)), pa.int64()))
    originals = rows.filter(pc.is_null(rows.column("parent")))
    by_signer = _summary(facts).get("split_by") == "signer"
    # Empty frames, such as the black ones while a camera starts, are equal in all clips.
    comparable = rows.filter(pc.or_(pc.is_null(rows.column("clip")), rows.column("has_hand")))
    for found in (
        _find_in_several_splits(comparable, "pixels", "pixels-in-two-splits", "the same image"),
        _find_in_several_splits(rows, "group", "group-in-two-splits", "near-duplicate group {}"),
        _find_in_several_splits(_merge_validation(originals), "signer", "signer-in-two-splits", "signer {}")
        if by_signer
        else (),
        # A clip can have equal frames, and share them with a still: J begins with the handshape of I.
        _find_duplicates(originals.filter(pc.is_null(originals.column("clip")))),
        find_in_clips(rows),
    ):
        yield from _make_problems(rows, list(found))
    yield from _check_copies(rows, originals)
    yield from _check_counts(rows, facts)
    for column, kind, text in _UNSTATED:
        values = pc.utf8_trim_whitespace(pc.fill_null(rows.column(column), ""))
        if missing := pc.sum(pc.equal(values, "")).as_py():
            yield make_problem(kind, f"{missing:,} of {len(rows):,} rows {text}")


def _merge_validation(rows: pa.Table) -> pa.Table:
    """Treat validation as train, because a signer may be in both: only the test split holds out signers."""
    index = rows.schema.get_field_index("split")
    split = rows.column("split")
    return rows.set_column(index, "split", pc.if_else(pc.equal(split, "test"), split, "train"))


def _make_problems(rows: pa.Table, found: list[Found]) -> Iterator[Problem]:
    # All locations at once, because reading single cells of an Arrow table is slow.
    locations = rows.select(["file", "row"]).take(pa.array([position for position, _, _ in found], pa.int64()))
    for (_, kind, text), location in zip(found, locations.to_pylist(), strict=True):
        yield make_problem(kind, text, file=location["file"], row=location["row"])


def _find_in_several_splits(rows: pa.Table, key: str, kind: str, description: str) -> Iterator[Found]:
    """Yield each value of a column that occurs in several splits, with the last row that contains it."""
    valid = rows.select([key, "split", "position"]).filter(pc.is_valid(rows.column(key)))
    groups = valid.group_by(key).aggregate([("split", "distinct"), ("position", "max"), ("position", "count")])
    several = groups.filter(pc.greater(pc.list_value_length(groups.column("split_distinct")), 1))
    for each in several.to_pylist():
        splits = " and ".join(sorted(each["split_distinct"], key=schema.SPLITS.index))
        value = description.format(sanitize_text(each[key]))
        yield each["position_max"], kind, f"{value} is in {splits} ({each['position_count']:,} rows)"


def _find_duplicates(originals: pa.Table) -> Iterator[Found]:
    """Yield images that occur several times in one split or with several labels."""
    valid = originals.select(["pixels", "label", "split", "position"]).filter(pc.is_valid(originals.column("pixels")))
    groups = valid.group_by("pixels").aggregate(
        [("label", "count_distinct"), ("split", "count_distinct"), ("position", "max"), ("position", "count")]
    )
    for each in groups.filter(pc.greater(groups.column("position_count"), 1)).to_pylist():
        if each["label_count_distinct"] > 1:
            yield each["position_max"], "two-letters", "the same image has several labels"
        elif each["split_count_distinct"] == 1:
            yield each["position_max"], "twice", f"the same image is in {each['position_count']:,} rows"


def _check_copies(rows: pa.Table, originals: pa.Table) -> Iterator[Problem]:
    copies = rows.filter(pc.is_valid(rows.column("parent")))
    train = originals.filter(pc.equal(originals.column("split"), "train"))
    has_parent = pc.is_in(copies.column("parent"), value_set=train.column("sha256").combine_chunks())
    outside = copies.filter(pc.not_equal(copies.column("split"), "train"))
    for each in outside.select(["file", "row"]).to_pylist():
        yield make_problem("copy-outside-train", "augmented copy outside of train", file=each["file"], row=each["row"])
    for each in copies.filter(pc.invert(has_parent)).select(["file", "row", "parent"]).to_pylist():
        text = f"its parent {each['parent'][:12]}… is not among the originals in train"
        yield make_problem("parent", text, file=each["file"], row=each["row"])


def _check_counts(rows: pa.Table, facts: Mapping[str, Any]) -> Iterator[Problem]:
    stated = _summary(facts).get("splits")
    if not isinstance(stated, dict):
        return
    originals = rows.filter(pc.is_null(rows.column("parent")))
    in_clips = originals.column("clip").is_valid()
    stated_clips = as_dict(as_dict(_summary(facts).get("clips")).get("frames"))
    for part, numbers, what in (
        (originals.filter(pc.invert(in_clips)), stated, "rows without clips and augmented copies"),
        (originals.filter(in_clips), stated_clips, "frames of clips"),
    ):
        counts = {each["values"]: each["counts"] for each in pc.value_counts(part.column("split")).to_pylist()}
        for split in schema.SPLITS:
            count, number = counts.get(split, 0), numbers.get(split, 0)
            if count != number:
                yield make_problem("counts", f"{split} has {count:,} {what}, but the metadata states {number!r}")
    copies, stated_copies = len(rows) - len(originals), _summary(facts).get("augmented", 0)
    if copies != stated_copies:
        yield make_problem("counts", f"{copies:,} augmented copies, but the metadata states {stated_copies!r}")


def _summary(facts: Mapping[str, Any]) -> dict[str, Any]:
    return as_dict(facts.get("summary"))
