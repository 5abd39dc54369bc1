"""Export a dataset to image folders, tar shards or CSV files."""

import glob
import json
import shlex
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aslkit import __version__
from aslkit.core.errors import AslkitError, InputError
from aslkit.core.files import atomic_write
from aslkit.core.installation import aslkit_command
from aslkit.core.progress import progress_bar
from aslkit.datasets import parquet_store, schema
from aslkit.datasets.exporters.destination import MARKER_FILE, check_destination
from aslkit.datasets.exporters.rows import NO_IMAGE, SplitExport
from aslkit.datasets.exporters.to_csv import write_csv28, write_landmarks
from aslkit.datasets.exporters.to_images import write_imagefolder, write_webdataset

FORMATS: Final = {
    "imagefolder": write_imagefolder,
    "webdataset": write_webdataset,
    "csv28": write_csv28,
    "landmarks": write_landmarks,
}

_OPENED_BY: Final[dict[str, Callable[[Path, str], str]]] = {
    # Escaped, because load_dataset takes [ ] * ? for a pattern.
    "imagefolder": lambda to, _: f"datasets.load_dataset('imagefolder', data_dir={glob.escape(str(to))!r})",
    "webdataset": lambda to, _: f"datasets.load_dataset('webdataset', data_dir={glob.escape(str(to))!r})",
    "csv28": lambda to, _: f"{aslkit_command()} dataset get sign-mnist --partial --from {shlex.quote(str(to))}",
    "landmarks": lambda to, split: f"pandas.read_csv({str(to / f'landmarks-{split}.csv')!r})",
}
"""Code or command that opens an export, from its folder and a split."""


@dataclass(frozen=True, kw_only=True)
class ExportResult:
    """Result of an export.

    Attributes:
        format: one of FORMATS.
        to: the folder that was written.
        rows: number of rows written by split.
        left_out: number of skipped rows by reason.
        opened_by: code or command that opens the export.
    """

    format: str
    to: Path
    rows: dict[str, int]
    left_out: dict[str, int]
    opened_by: str


def export_dataset(
    folder: Path, *, format: str, to: Path, splits: Sequence[str] = (), force: bool = False
) -> ExportResult:
    """Export a dataset to another format, atomically. Images lose their metadata but no pixel changes.

    Args:
        folder: the dataset folder.
        format: one of FORMATS.
        to: the folder to write. An earlier export in it is replaced.
        splits: the splits to export. If empty, all are exported.
        force: replace a folder that is not an export.

    Raises:
        InputError: the folder contains no dataset, or the format, a split or the destination is invalid.
        AslkitError: the dataset is damaged, no row can be exported, or the destination contains other files.
    """
    if format not in FORMATS:
        raise InputError(f"Unknown format {format!r}. Known formats: {', '.join(FORMATS)}.")
    files = {split: _list_split_files(folder, split) for split in splits or schema.SPLITS}
    if missing := [split for split in splits if not files[split]]:
        raise InputError(f"{folder} has no split {missing[0]!r}.")
    check_destination(to, folder, source_kind="dataset", option="--to", force=force)
    rows, left_out = dict[str, int](), Counter[str]()
    with atomic_write(to) as new, progress_bar(f"Writing {format}", parquet_store.count_rows(folder)) as advance:
        new.mkdir(parents=True)
        for split, paths in files.items():
            if paths:
                part = SplitExport(to=new, split=split, paths=paths, left_out=left_out, advance=advance)
                rows[split] = FORMATS[format](part)
        if not any(rows.values()):
            raise _nothing_exported_error(folder, format, left_out)
        marker = {"aslkit": __version__, "format": format, "dataset": folder.absolute().name}
        (new / MARKER_FILE).write_text(json.dumps(marker) + "\n", encoding="utf-8")
    opened_by = _OPENED_BY[format](to, next(split for split, count in rows.items() if count))
    return ExportResult(format=format, to=to, rows=rows, left_out=dict(left_out), opened_by=opened_by)


def _nothing_exported_error(folder: Path, format: str, left_out: Counter[str]) -> AslkitError:
    reasons = ", ".join(f"{reason}: {count:,}" for reason, count in left_out.items()) or "there are no rows"
    advice = " Export the landmarks with --format landmarks." if NO_IMAGE in left_out else ""
    return AslkitError(f"Nothing of {folder} can be exported as {format} ({reasons}).{advice}")


def _list_split_files(folder: Path, split: str) -> list[Path]:
    return [path for path in parquet_store.list_files(folder) if path.name.startswith(f"{split}-")]
