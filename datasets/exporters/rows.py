"""Rows on their way out: names that are safe anywhere, images without traces."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from aslkit.core.letters import LETTERS
from aslkit.core.progress import Advance
from aslkit.core.sanitize import sanitize_text
from aslkit.datasets import parquet_store
from aslkit.vision.images import Header, ImageError, decode_image, encode_jpeg, encode_png, read_header, strip_metadata

ABOUT: Final = (
    "signer", "session", "camera", "captured_at", "handedness", "hand_score", "width", "height", "group", "parent",
    "sha256", "licence", "consent",
)  # fmt: skip
"""What every format says of an image, beside its letter."""

SUFFIXES: Final = {"JPEG": ".jpg", "PNG": ".png", "WEBP": ".webp", "BMP": ".bmp"}

_FORMULA: Final = ("=", "+", "-", "@")
"""A cell that begins so is run by spreadsheets (OWASP, "CSV injection")."""


@dataclass(frozen=True, kw_only=True)
class SplitExport:
    """One split of a dataset on its way out.

    Attributes:
        to: the folder that is written.
        split: its name.
        paths: of its Parquet files.
        left_out: counts rows that are not written, by reason.
        advance: of the progress bar.
    """

    to: Path
    split: str
    paths: Sequence[Path]
    left_out: Counter[str]
    advance: Advance

    def row_groups(self, columns: Sequence[str]) -> Iterator[pa.Table]:
        """Yield the rows that have a letter, a row group at a time."""
        for path in self.paths:
            for table in parquet_store.iter_file_row_groups(path, columns):
                label = table.column("label")
                known = pa.compute.fill_null(pa.compute.is_in(label, value_set=pa.array(range(len(LETTERS)))), False)
                kept = table.filter(known)
                if lost := len(table) - len(kept):
                    self.left_out["no letter of the 24"] += lost
                yield kept
                self.advance(len(table))


def sanitize_cell(value: Any) -> Any:
    """A value as it may stand in a file for others: text on one line, that no spreadsheet takes for a formula."""
    if not isinstance(value, str):
        return value
    shown = sanitize_text(value, most=2000)
    return "'" + shown if shown.startswith(_FORMULA) else shown


def sanitize_table(table: pa.Table) -> pa.Table:
    """The table with each text as `sanitize_cell` gives it, each looked at once."""
    for at, field in enumerate(table.schema):
        if field.type == pa.string():
            coded = table.column(at).combine_chunks().dictionary_encode()
            words = pa.array([sanitize_cell(word) for word in coded.dictionary.to_pylist()], pa.string())
            table = table.set_column(at, field.name, words.take(coded.indices))
    return table


def export_image(data: bytes | None, *, suffix: str | None = None) -> tuple[bytes, str]:
    """Return an image file without EXIF and the like, and its suffix.

    Args:
        data: as the dataset holds it.
        suffix: ".jpg" or ".png", if it must be that; what is of another format is encoded anew.

    Raises:
        ImageError: it is none.
    """
    if data is None:
        raise ImageError("no image")
    clean = strip_metadata(data)
    header: Header = read_header(clean)
    has = SUFFIXES[header.format]
    if suffix is None or suffix == has:
        return clean, has
    encode = encode_png if suffix == ".png" else encode_jpeg
    return encode(decode_image(clean)), suffix
