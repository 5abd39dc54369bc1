"""Read the rows to export, with sanitized text and images without metadata."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from aslkit.core.letters import LABELS
from aslkit.core.progress import Advance
from aslkit.core.sanitize import sanitize_text
from aslkit.datasets import parquet_store
from aslkit.vision.images import Header, ImageError, decode_image, encode_jpeg, encode_png, read_header, strip_metadata

METADATA_COLUMNS: Final = (
    "signer", "session", "camera", "captured_at", "handedness", "hand_score", "width", "height", "group", "parent",
    "sha256", "licence", "consent", "clip", "time_ms",
)  # fmt: skip
"""Columns that all formats export in addition to the letter."""

SUFFIXES: Final = {"JPEG": ".jpg", "PNG": ".png", "WEBP": ".webp", "BMP": ".bmp"}

IN_CLIP: Final = "part of a clip"
"""Reason why a row is skipped: the format is one of single images."""

NO_IMAGE: Final = "no image"
"""Reason why a row is skipped: its dataset contains only landmarks."""

_MAX_CELL_CHARS: Final = 2000

_FORMULA_PREFIXES: Final = ("=", "+", "-", "@")
"""Spreadsheets execute a cell that starts with one of these (OWASP, "CSV injection")."""


@dataclass(frozen=True, kw_only=True)
class SplitExport:
    """The export of one split.

    Attributes:
        to: the folder to write.
        split: name of the split.
        paths: the Parquet files of the split.
        left_out: number of skipped rows by reason; updated during the export.
        advance: advances the progress bar.
    """

    to: Path
    split: str
    paths: Sequence[Path]
    left_out: Counter[str]
    advance: Advance

    def row_groups(self, columns: Sequence[str]) -> Iterator[pa.Table]:
        """Yield the rows with a valid label, one row group at a time."""
        for path in self.paths:
            for table in parquet_store.iter_file_row_groups(path, columns):
                label = table.column("label")
                valid = pa.compute.fill_null(pa.compute.is_in(label, value_set=pa.array(range(len(LABELS)))), False)
                rows = table.filter(valid)
                if skipped := len(table) - len(rows):
                    self.left_out["not a letter"] += skipped
                yield rows
                self.advance(len(table))


def sanitize_cell(value: Any) -> Any:
    """Return a value that is safe in a file for others: text on one line that no spreadsheet takes for a formula."""
    if not isinstance(value, str):
        return value
    text = sanitize_text(value, most=_MAX_CELL_CHARS)
    return "'" + text if text.startswith(_FORMULA_PREFIXES) else text


def sanitize_table(table: pa.Table) -> pa.Table:
    """Apply `sanitize_cell` to all strings in a table, once for each distinct value."""
    for index, field in enumerate(table.schema):
        if field.type == pa.string():
            # Names repeat in thousands of rows, and sanitizing each distinct value is enough.
            encoded = table.column(index).combine_chunks().dictionary_encode()
            values = pa.array([sanitize_cell(value) for value in encoded.dictionary.to_pylist()], pa.string())
            table = table.set_column(index, field.name, values.take(encoded.indices))
    return table


def export_image(data: bytes | None, *, suffix: str | None = None) -> tuple[bytes, str]:
    """Return an image file without EXIF or other metadata, and its suffix.

    Args:
        data: the image file as stored in the dataset.
        suffix: ".jpg" or ".png" to require that format; images in other formats are re-encoded. None keeps the format.

    Raises:
        ImageError: there is no image, or it is invalid.
    """
    if data is None:
        raise ImageError(NO_IMAGE)
    # EXIF can contain the place and the owner of the camera.
    clean = strip_metadata(data)
    header: Header = read_header(clean)
    current = SUFFIXES[header.format]
    if suffix is None or suffix == current:
        return clean, current
    encode = encode_png if suffix == ".png" else encode_jpeg
    return encode(decode_image(clean)), suffix
