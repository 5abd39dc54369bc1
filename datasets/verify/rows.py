"""Checks of rows, a batch at a time: what a careless or hostile sender may have written into a cell."""

import re
from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from aslkit.core.errors import InputError
from aslkit.core.letters import LETTERS
from aslkit.core.workspace import validate_name
from aslkit.datasets import schema
from aslkit.datasets.verify.findings import Problem, make_problem
from aslkit.vision.images import MAX_PIXELS, MAX_SIDE, MIN_SIDE

_REQUIRED: Final = ("image", "label", "width", "height", "sha256")
_NAMES: Final = ("signer", "session")
_TEXTS: Final = ("signer", "session", "camera", "handedness", "licence", "consent", "augmentation")
_LONGEST: Final = 2000
"""Characters of a text; consent may be a paragraph."""

_SHARES: Final = ("hand_score", "brightness", "contrast")
_HEX: Final = "^[0-9a-f]{64}$"
_TAG: Final = re.compile(r"<[a-zA-Z/!?]")
_CLIMBS: Final = re.compile(r"^/|^[A-Za-z]:|\\|(^|/)\.\.(/|$)")
_FIRST_MS: Final = 631_152_000_000  # 1990
_LAST_MS: Final = 4_102_444_800_000  # 2100

Mask = npt.NDArray[np.bool_]


def check_rows(batch: pa.RecordBatch, *, file: str, first: int) -> Iterator[Problem]:
    """Yield what is wrong with rows, without looking at their images.

    Args:
        batch: of `schema.COLUMNS`, valid as Arrow.
        file: which they are of.
        first: row of the file at which the batch begins.
    """

    def report(kind: str, wrong: Any, what: str | Callable[[int], str]) -> Iterator[Problem]:
        for index in np.flatnonzero(wrong):
            words = what if isinstance(what, str) else what(int(index))
            yield make_problem(kind, words, file=file, row=first + int(index))

    columns = {name: batch.column(name) for name in schema.COLUMNS.names}
    for kind, wrong, what in _wrong(columns):
        yield from report(kind, wrong, what)


_Wrong = tuple[str, Mask, str | Callable[[int], str]]


def _wrong(columns: dict[str, Any]) -> Iterator[_Wrong]:
    for name in _REQUIRED:
        yield "missing-value", _mask(columns[name].is_null()), f"{name} is null"
    label = _numbers(columns["label"], 0)
    yield "label", (label < 0) | (label >= len(LETTERS)), lambda i: f"label {label[i]}, not 0–{len(LETTERS) - 1}"
    width, height = (_numbers(columns[name], MIN_SIDE) for name in ("width", "height"))
    odd = (
        (np.minimum(width, height) < MIN_SIDE) | (np.maximum(width, height) > MAX_SIDE) | (width * height > MAX_PIXELS)
    )
    yield "value", odd, lambda i: f"size said to be {width[i]}×{height[i]} pixels"
    yield from _lists(columns)
    yield from _values(columns)
    yield from _descent(columns)
    for name in _TEXTS:
        yield from _text(name, columns[name])
    yield from _paths(columns["image"].field("path"))


def _lists(columns: dict[str, Any]) -> Iterator[_Wrong]:
    for name, length in schema.LENGTHS.items():
        lengths = _numbers(pc.list_value_length(columns[name]), length)
        yield "list-length", lengths != length, _words(name + " has {} values, not " + str(length), lengths)
        rows = _numbers(pc.list_parent_indices(columns[name]), 0)
        values = pc.list_flatten(columns[name])
        finite = _mask(pc.fill_null(pc.is_finite(values), False))
        bad, far = (np.zeros(len(lengths), bool) for _ in range(2))
        bad[rows[~finite]] = True
        yield "not-finite", bad, f"{name} has values that are no numbers"
        far[rows[finite & (np.abs(_floats(values)) > schema.FAR)]] = True
        yield "odd-value", far, f"{name} lies far outside of the frame"


def _words(template: str, values: npt.NDArray[Any]) -> Callable[[int], str]:
    """What is said of a row, with its value."""
    return lambda index: template.format(values[index])


def _values(columns: dict[str, Any]) -> Iterator[_Wrong]:
    for name in (*_SHARES, "sharpness"):
        values = _floats(columns[name])
        given = _mask(columns[name].is_valid())
        most = 1.0 if name in _SHARES else np.inf
        wrong = given & ~(np.isfinite(values) & (values >= 0) & (values <= most))
        yield "value", wrong, _words(name + " is {:g}", values)
    sides = columns["handedness"]
    known = pc.is_in(sides, value_set=pa.array(["left", "right", None], pa.string()))
    yield "value", ~_mask(known), "handedness is neither left nor right nor null"
    sha = pc.fill_null(columns["sha256"], "0" * 64)
    yield "value", ~_mask(pc.match_substring_regex(sha, _HEX)), "sha256 is no 64 hexadecimal digits"
    when = _numbers(columns["captured_at"].cast(pa.int64()), _FIRST_MS)
    yield "odd-value", (when < _FIRST_MS) | (when > _LAST_MS), "captured_at is before 1990 or after 2100"


def _descent(columns: dict[str, Any]) -> Iterator[_Wrong]:
    parent, recipe = (_mask(columns[name].is_valid()) for name in ("parent", "augmentation"))
    yield "parent", parent & ~recipe, "a varied copy without its augmentation"
    yield "parent", ~parent & recipe, "an augmentation without the parent it was made of"


def _text(name: str, column: Any) -> Iterator[_Wrong]:
    """Few values come again and again, so each is looked at once."""
    coded = column.dictionary_encode()
    said = coded.dictionary.to_pylist()
    rows = _numbers(coded.indices, -1)
    for code, text in enumerate(said):
        if fault := _fault(text):
            yield "odd-text", rows == code, f"{name} {text!r} {fault}"
        elif name in _NAMES and not _is_name(text):
            yield "odd-name", rows == code, f"{name} {text!r}"


def _fault(text: str) -> str | None:
    if len(text) > _LONGEST:
        return f"has {len(text):,} characters"
    if not text.isprintable():
        return "has control characters"
    return "has tags, as a page has" if _TAG.search(text) else None


def _is_name(text: str) -> bool:
    try:
        validate_name("signer", text)
    except InputError:
        return False
    return True


def _paths(column: Any) -> Iterator[_Wrong]:
    paths = column.to_pylist()

    def wrong(path: str | None) -> bool:
        return path is not None and (not path.isprintable() or len(path) > _LONGEST or bool(_CLIMBS.search(path)))

    yield "unsafe-path", np.array([wrong(path) for path in paths], bool), lambda i: f"image.path {paths[i]!r}"


def _mask(column: Any) -> Mask:
    return np.asarray(column.to_numpy(zero_copy_only=False), bool)


def _numbers(column: Any, otherwise: int) -> npt.NDArray[np.int64]:
    """Whole numbers, int64 (n,), with something harmless where null."""
    return np.asarray(pc.fill_null(column.cast(pa.int64()), otherwise).to_numpy(zero_copy_only=False), np.int64)


def _floats(column: Any) -> npt.NDArray[np.float64]:
    """Float64 (n,), 0 where null."""
    return np.asarray(pc.fill_null(column.cast(pa.float64()), 0.0).to_numpy(zero_copy_only=False), np.float64)
