"""Parse one CSV file of Sign Language MNIST or of its copies, whose headers differ."""

import csv
import io
import re
from collections.abc import Sequence
from typing import Final, NoReturn

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from aslkit.core.errors import AslkitError
from aslkit.core.sanitize import sanitize_text

SIDE: Final = 28
PIXELS: Final = SIDE * SIDE
COLUMNS: Final = ("label", *(f"pixel{number}" for number in range(1, PIXELS + 1)))
"""The published columns."""

_EXPECTED: Final = f"label and pixel1 to pixel{PIXELS}"
_PIXEL: Final = re.compile(r"pixel[ _-]?(\d+)")
_INDEX_NAMES: Final = ("", "index", "id", "unnamed: 0")
"""Names of the column with row numbers that pandas writes."""

_CONVERSION_ERROR: Final = re.compile(r"In CSV column #(\d+): .*invalid value '(.*)'", re.DOTALL)

_LONGEST_HEADER: Final = 100_000
"""Bytes; the published header has 7,500."""


def parse_csv(data: bytes, name: str) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8]]:
    """Parse a CSV file, with or without header. The columns can have any order, and a first column of row numbers.

    Args:
        data: content of the file.
        name: of the file, for error messages.

    Returns:
        The labels as written, int64 (n,), and greyscale images, uint8 (n, 28, 28).

    Raises:
        AslkitError: the file is not such a CSV file. The message names the column.
    """
    fields = _read_first_line(data, name)
    has_header = not all(map(_is_number, fields))
    columns = _find_columns(fields, name) if has_header else list(range(len(COLUMNS)))
    if not has_header and len(fields) != len(COLUMNS):
        raise AslkitError(f"{name} has {len(fields)} columns; expected {len(COLUMNS)}: {_EXPECTED}.")
    names = [sanitize_text(field.strip()) if has_header else COLUMNS[number] for number, field in enumerate(fields)]
    labels, *pixels = _read_columns(data, name, names, columns, skip=int(has_header))
    if not len(labels):
        raise AslkitError(f"{name} has no rows.")
    by_column = np.stack(pixels)  # transposed later, as uint8: five times faster than stacking rows
    if len(wrong := np.flatnonzero((by_column.min(axis=1) < 0) | (by_column.max(axis=1) > 255))):
        column = names[columns[1 + int(wrong[0])]]
        raise AslkitError(f"{name}, column {column!r}, has values outside 0–255.")
    images = np.ascontiguousarray(by_column.astype(np.uint8).T).reshape(-1, SIDE, SIDE)
    return labels.astype(np.int64), images


def _read_first_line(data: bytes, name: str) -> list[str]:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise AslkitError(f"{name} is not a CSV file in UTF-8, but in UTF-16. Save it as CSV (UTF-8).")
    if data.startswith(b"\x1f\x8b"):
        raise AslkitError(f"{name} is compressed with gzip. Unpack it first: gunzip FILE.")
    text = data[:_LONGEST_HEADER].decode("utf-8-sig", errors="replace")
    lines = text.lstrip().splitlines()
    if not lines:
        raise AslkitError(f"{name} is not a CSV file: it is empty.")
    if "," not in lines[0] and (separator := next((each for each in ";\t|" if each in lines[0]), None)):
        raise AslkitError(f"{name} separates its columns by {separator!r}. Save it with commas.")
    return next(csv.reader(lines[:1]))


def _is_number(field: str) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True


def _find_columns(fields: Sequence[str], name: str) -> list[int]:
    """Return the positions of the label and of the pixels in order."""
    labels: list[int] = []
    pixels: dict[int, int] = {}
    for position, field in enumerate(fields):
        text = field.strip().lower()
        match = _PIXEL.fullmatch(text)
        if text == "label" and not labels:
            labels.append(position)
        elif match and int(match[1]) not in pixels:
            pixels[int(match[1])] = position
        elif position or text not in _INDEX_NAMES:
            raise AslkitError(
                f"{name} has an unexpected column {sanitize_text(field)!r}, number {position + 1}. "
                f"Expected {_EXPECTED}."
            )
    if not labels:
        raise AslkitError(f"{name} has no column 'label'. Expected {_EXPECTED}.")
    first = min(pixels, default=1)  # some copies count from 0
    missing = [number for number in range(min(first, 1), min(first, 1) + PIXELS) if number not in pixels]
    if missing:
        raise AslkitError(f"{name} has no column 'pixel{missing[0]}'. Expected {_EXPECTED}.")
    if len(pixels) > PIXELS:
        raise AslkitError(f"{name} has {len(pixels)} pixel columns. Expected {_EXPECTED}.")
    return [labels[0], *(pixels[number] for number in sorted(pixels))]


def _read_columns(
    data: bytes, name: str, names: Sequence[str], columns: Sequence[int], *, skip: int
) -> list[npt.NDArray[np.int16]]:
    from pyarrow import csv as arrow_csv

    keys = [str(number) for number in range(len(names))]
    chosen = [keys[number] for number in columns]
    try:
        table = arrow_csv.read_csv(
            io.BytesIO(data),
            read_options=arrow_csv.ReadOptions(column_names=keys, skip_rows=skip),
            # int16 instead of uint8, so that values outside 0–255 are found and reported.
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(chosen, pa.int16()), include_columns=chosen
            ),
        )
    except (pa.ArrowInvalid, UnicodeDecodeError) as error:
        _raise_column_error(error, name, names)
    return [column.to_numpy() for column in table.columns]


def _raise_column_error(error: Exception, name: str, names: Sequence[str]) -> NoReturn:
    match = _CONVERSION_ERROR.search(str(error))
    if match is None or int(match[1]) >= len(names):
        raise AslkitError(f"{name} is not a CSV file with a label and {PIXELS} pixels ({error}).") from error
    column, value = names[int(match[1])], sanitize_text(match[2])
    allowed = "0 to 24" if column.lower() == "label" else "0 to 255"
    raise AslkitError(
        f"{name}, column {column!r}, has the value {value!r}; expected whole numbers from {allowed}."
    ) from error
