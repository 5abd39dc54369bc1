"""Check a dataset folder: files other than Parquet, and whether the card matches the data."""

import os
import re
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml  # type: ignore[import-untyped]

from aslkit.core.errors import AslkitError
from aslkit.datasets import parquet_store, schema
from aslkit.datasets.verify.findings import Problem, make_problem

CARD_FILE: Final = "README.md"
_EXPECTED_FILES: Final = re.compile(
    r"README\.md|croissant\.json|manifest\.json|report\.html|LICENSE(\.\w+)?|\.gitattributes|"
    r"(rejected|flagged|reviewed)\.parquet|"
    rf"data/({'|'.join(schema.SPLITS)})-\d{{5,}}-of-\d{{5,}}\.parquet"
)
_MAX_CARD_CHARS: Final = 1_000_000
_MAX_REPORT_BYTES: Final = 50_000_000
_MAX_ENTRIES: Final = 10_000
_SCRIPT: Final = re.compile(rb"<script|\son\w+\s*=|javascript:", re.IGNORECASE)


def check_folder(folder: Path) -> Iterator[Problem]:
    """Yield the problems of the files in a dataset folder, without opening the Parquet files."""
    for number, (name, entry) in enumerate(_walk(folder, "")):
        # A folder with millions of files must not keep the check busy.
        if number >= _MAX_ENTRIES:
            yield make_problem("stray-file", f"more than {_MAX_ENTRIES:,} files; the others were not checked")
            return
        yield from _check_entry(folder, name, entry)
    for split in schema.SPLITS:
        totals = {path.name.rpartition("-of-")[2] for path in (folder / "data").glob(f"{split}-*-of-*.parquet")}
        if len(totals) > 1:
            yield make_problem(
                "several-makings", f"names of {split} files state different numbers of files", file="data"
            )
    try:
        parquet_store.list_files(folder)
    except AslkitError as error:
        yield make_problem("missing-file", error.message)


def readable_files(folder: Path) -> list[Path]:
    """Return the Parquet files of the splits that are regular files inside the folder, in the order of the splits."""
    data = folder / "data"
    paths = [path for split in schema.SPLITS for path in sorted(data.glob(f"{split}-*-of-*.parquet"))]
    root = folder.resolve()
    # A link to /etc/passwd or to another dataset is not opened.
    return [path for path in paths if path.is_file() and path.resolve().is_relative_to(root)]


def _walk(folder: Path, subfolder: str) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Yield all files and links in a folder with their relative paths. Links are not followed."""
    with os.scandir(folder / subfolder) as entries:
        for entry in sorted(entries, key=lambda each: each.name):
            name = f"{subfolder}/{entry.name}" if subfolder else entry.name
            if entry.is_dir(follow_symlinks=False) and entry.name != ".git":
                yield from _walk(folder, name)
            else:
                yield name, entry


def _check_entry(folder: Path, name: str, entry: os.DirEntry[str]) -> Iterator[Problem]:
    # A file name need not be valid UTF-8, and printing it would raise an error.
    shown = name.encode(errors="surrogateescape").decode(errors="replace")
    if entry.is_symlink():
        if not (folder / name).resolve().is_relative_to(folder.resolve()):
            yield make_problem("link", f"link to {(folder / name).readlink()}", file=shown)
        return
    # Checked before anything is opened: reading a pipe would wait forever.
    mode = entry.stat(follow_symlinks=False).st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        yield make_problem("special-file", "pipe, socket or device", file=shown)
    elif not _EXPECTED_FILES.fullmatch(shown):
        yield make_problem("stray-file", "not a file of a dataset", file=shown)
    elif name == "report.html" and _SCRIPT.search(_read_start(folder / name, _MAX_REPORT_BYTES)):
        yield make_problem("script", "the report can run a script", file=shown)


def _read_start(path: Path, max_bytes: int) -> bytes:
    with path.open("rb") as file:
        return file.read(max_bytes)


def check_card(folder: Path, counts: Mapping[str, int]) -> Iterator[Problem]:
    """Yield the problems of the card: it is missing or invalid, or contradicts the files.

    Args:
        folder: the dataset folder.
        counts: number of rows by split.
    """
    path = folder / CARD_FILE
    if not path.is_file() or path.is_symlink():
        yield make_problem("card", "the card is missing", file=CARD_FILE)
        return
    text = _read_start(path, _MAX_CARD_CHARS + 1).decode(errors="replace")
    if len(text) > _MAX_CARD_CHARS:
        yield make_problem("card", f"more than {_MAX_CARD_CHARS:,} characters", file=CARD_FILE)
        return
    try:
        stated = _parse_row_counts(text)
    except (yaml.YAMLError, ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
        yield make_problem("card", f"its front matter is invalid ({type(error).__name__})", file=CARD_FILE)
        return
    for split in schema.SPLITS:
        if stated is not None and stated.get(split, 0) != counts.get(split, 0):
            text = f"states {stated.get(split, 0)!r} rows in {split}, but the files have {counts.get(split, 0):,}"
            yield make_problem("card", text, file=CARD_FILE)


def _parse_row_counts(text: str) -> dict[str, Any] | None:
    """Return the numbers of rows by split in the front matter of a card, or None if it states none."""
    parts = text.split("---\n", 2)
    if len(parts) < 3 or parts[0]:
        raise ValueError
    front_matter = yaml.safe_load(parts[1])
    info = front_matter.get("dataset_info")
    return None if info is None else {str(each["name"]): each["num_examples"] for each in info["splits"]}
