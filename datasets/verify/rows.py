"""Check the values in the rows of an untrusted dataset, one batch at a time."""

import re
from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from aslkit.core.errors import InputError
from aslkit.core.letters import LABELS, LETTERS
from aslkit.core.sanitize import is_printable
from aslkit.core.workspace import validate_name
from aslkit.datasets import schema
from aslkit.datasets.verify.findings import Problem, make_problem
from aslkit.vision.images import MAX_PIXELS, MAX_SIDE, MIN_SIDE

_REQUIRED_COLUMNS: Final = ("image", "label", "width", "height", "sha256")
_NAME_COLUMNS: Final = ("signer", "session")
_TEXT_COLUMNS: Final = ("signer", "session", "camera", "handedness", "licence", "consent", "augmentation", "clip")
_MAX_TEXT_CHARS: Final = 2000
"""Maximum length of a text. A consent statement can be a paragraph."""

_SHARE_COLUMNS: Final = ("hand_score", "brightness", "contrast")
"""Columns with values in 0–1."""

_SHA256: Final = "^[0-9a-f]{64}$"
_TAG: Final = re.compile(r"<[a-zA-Z/!?]")
_UNSAFE_PATH: Final = re.compile(r"^/|^[A-Za-z]:|\\|(^|/)\.\.(/|$)")
_MIN_TIME_MS: Final = 631_152_000_000  # 1990
_MAX_TIME_MS: Final = 4_102_444_800_000  # 2100

Mask = npt.NDArray[np.bool_]


def check_rows(batch: pa.RecordBatch, *, file: str, first: int) -> Iterator[Problem]:
    """Yield the problems of rows, without checking their images.

    Args:
        batch: rows with the columns `schema.COLUMNS`, already validated by Arrow.
        file: name of the file in findings.
        first: index in the file of the first row in the batch.
    """
    columns = {name: batch.column(name) for name in schema.COLUMNS.names}
    for kind, failed, description in _iter_checks(columns):
        for index in np.flatnonzero(failed):
            text = description if isinstance(description, str) else description(int(index))
            yield make_problem(kind, text, file=file, row=first + int(index))


_Check = tuple[str, Mask, str | Callable[[int], str]]
"""Kind of the finding, mask of the rows that failed the check, and the text or a function that returns it for a row."""


def _iter_checks(columns: dict[str, Any]) -> Iterator[_Check]:
    for name in _REQUIRED_COLUMNS:
        yield "missing-value", _to_mask(columns[name].is_null()), f"{name} is null"
    label = _to_ints(columns["label"], 0)
    yield "label", (label < 0) | (label >= len(LABELS)), lambda i: f"label {label[i]}, not 0–{len(LABELS) - 1}"
    yield from _check_clips(columns, label)
    width, height = (_to_ints(columns[name], MIN_SIDE) for name in ("width", "height"))
    impossible = (
        (np.minimum(width, height) < MIN_SIDE) | (np.maximum(width, height) > MAX_SIDE) | (width * height > MAX_PIXELS)
    )
    yield "value", impossible, lambda i: f"impossible size {width[i]}×{height[i]} pixels"
    yield from _check_lists(columns)
    yield from _check_values(columns)
    yield from _check_augmentation(columns)
    for name in _TEXT_COLUMNS:
        yield from _check_text(name, columns[name])
    yield from _check_paths(columns["image"].field("path"))


def _check_lists(columns: dict[str, Any]) -> Iterator[_Check]:
    for name, length in schema.LENGTHS.items():
        lengths = _to_ints(pc.list_value_length(columns[name]), length)
        yield "list-length", lengths != length, _with_value(name + " has {} values, not " + str(length), lengths)
        # The row of each value in the flattened list.
        rows = _to_ints(pc.list_parent_indices(columns[name]), 0)
        values = pc.list_flatten(columns[name])
        finite = _to_mask(pc.fill_null(pc.is_finite(values), False))
        not_finite, far = (np.zeros(len(lengths), bool) for _ in range(2))
        not_finite[rows[~finite]] = True
        yield "not-finite", not_finite, f"{name} has values that are not finite numbers"
        far[rows[finite & (np.abs(_to_floats(values)) > schema.MAX_COORDINATE)]] = True
        yield "odd-value", far, f"{name} is far outside the image"


def _with_value(template: str, values: npt.NDArray[Any]) -> Callable[[int], str]:
    """Return a function that formats the value of a row into the template."""
    return lambda index: template.format(values[index])


def _check_values(columns: dict[str, Any]) -> Iterator[_Check]:
    for name in (*_SHARE_COLUMNS, "sharpness"):
        values = _to_floats(columns[name])
        given = _to_mask(columns[name].is_valid())
        maximum = 1.0 if name in _SHARE_COLUMNS else np.inf
        failed = given & ~(np.isfinite(values) & (values >= 0) & (values <= maximum))
        yield "value", failed, _with_value(name + " is {:g}", values)
    valid = pc.is_in(columns["handedness"], value_set=pa.array(["left", "right", None], pa.string()))
    yield "value", ~_to_mask(valid), "handedness is not left, right or null"
    sha256 = pc.fill_null(columns["sha256"], "0" * 64)
    yield "value", ~_to_mask(pc.match_substring_regex(sha256, _SHA256)), "sha256 does not have 64 hexadecimal digits"
    times = _to_ints(columns["captured_at"].cast(pa.int64()), _MIN_TIME_MS)
    yield "odd-value", (times < _MIN_TIME_MS) | (times > _MAX_TIME_MS), "captured_at is before 1990 or after 2100"


def _check_augmentation(columns: dict[str, Any]) -> Iterator[_Check]:
    parent, augmentation = (_to_mask(columns[name].is_valid()) for name in ("parent", "augmentation"))
    yield "parent", parent & ~augmentation, "a parent without an augmentation"
    yield "parent", ~parent & augmentation, "an augmentation without a parent"


def _check_clips(columns: dict[str, Any], label: npt.NDArray[np.int64]) -> Iterator[_Check]:
    in_clip, timed, copied = (_to_mask(columns[name].is_valid()) for name in ("clip", "time_ms", "parent"))
    moving = (label >= len(LETTERS)) & (label < len(LABELS))
    still = (label >= 0) & (label < len(LETTERS))
    time = _to_ints(columns["time_ms"], 0)
    yield "clip", in_clip & ~timed, "a frame of a clip has no time_ms"
    yield "clip", ~in_clip & timed, "time_ms of an image that is not part of a clip"
    yield "clip", time < 0, lambda i: f"time_ms is {time[i]}, which is negative"
    yield "clip", ~in_clip & moving, lambda i: f"{LABELS[label[i]]} is signed with a movement, but it is not in a clip"
    yield "clip", in_clip & still, lambda i: f"a clip of {LABELS[label[i]]}, which is signed without a movement"
    yield "clip", in_clip & copied, "an augmented copy is part of a clip"


def _check_text(name: str, column: Any) -> Iterator[_Check]:
    """Check the texts in a column. Each distinct value is checked once, because there are few."""
    encoded = column.dictionary_encode()
    codes = _to_ints(encoded.indices, -1)
    for code, text in enumerate(encoded.dictionary.to_pylist()):
        if fault := _find_text_fault(text):
            yield "odd-text", codes == code, f"{name} {text!r} {fault}"
        elif name in _NAME_COLUMNS and not _is_valid_name(text):
            yield "odd-name", codes == code, f"{name} {text!r}"


def _find_text_fault(text: str) -> str | None:
    if len(text) > _MAX_TEXT_CHARS:
        return f"has {len(text):,} characters"
    if not is_printable(text):
        return "contains control characters"
    return "contains HTML tags" if _TAG.search(text) else None


def _is_valid_name(text: str) -> bool:
    try:
        validate_name("signer", text)
    except InputError:
        return False
    return True


def _check_paths(column: Any) -> Iterator[_Check]:
    paths = column.to_pylist()

    def is_unsafe(path: str | None) -> bool:
        if path is None:
            return False
        return not is_printable(path) or len(path) > _MAX_TEXT_CHARS or bool(_UNSAFE_PATH.search(path))

    yield "unsafe-path", np.array([is_unsafe(path) for path in paths], bool), lambda i: f"image.path {paths[i]!r}"


def _to_mask(column: Any) -> Mask:
    return np.asarray(column.to_numpy(zero_copy_only=False), bool)


def _to_ints(column: Any, default: int) -> npt.NDArray[np.int64]:
    """Convert a column to int64 (n,), with null replaced by `default`."""
    return np.asarray(pc.fill_null(column.cast(pa.int64()), default).to_numpy(zero_copy_only=False), np.int64)


def _to_floats(column: Any) -> npt.NDArray[np.float64]:
    """Convert a column to float64 (n,), with null replaced by 0."""
    return np.asarray(pc.fill_null(column.cast(pa.float64()), 0.0).to_numpy(zero_copy_only=False), np.float64)
