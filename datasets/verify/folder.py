"""Checks of a dataset's folder: what lies in it beside the Parquet files, and what its card says."""

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
_OURS: Final = re.compile(
    r"README\.md|croissant\.json|manifest\.json|report\.html|LICENSE(\.\w+)?|\.gitattributes|rejected\.parquet|flagged\.parquet|"
    rf"data/({'|'.join(schema.SPLITS)})-\d{{5,}}-of-\d{{5,}}\.parquet"
)
_MOST_CARD: Final = 1_000_000
_MOST_ENTRIES: Final = 10_000
_SCRIPT: Final = re.compile(rb"<script|\son\w+\s*=|javascript:", re.IGNORECASE)


def check_folder(folder: Path) -> Iterator[Problem]:
    """Yield what is wrong with the files of a dataset, without opening the Parquet files."""
    for number, (name, entry) in enumerate(_walk(folder, "")):
        if number >= _MOST_ENTRIES:
            yield make_problem("stray-file", f"more than {_MOST_ENTRIES:,} files; the others were not looked at")
            return
        yield from _entry(folder, name, entry)
    for split in schema.SPLITS:
        ends = {path.name.rpartition("-of-")[2] for path in (folder / "data").glob(f"{split}-*-of-*.parquet")}
        if len(ends) > 1:
            yield make_problem("several-makings", f"files of {split} say different numbers of files", file="data")
    try:
        parquet_store.list_files(folder)
    except AslkitError as error:
        yield make_problem("missing-file", error.message)


def readable_files(folder: Path) -> list[Path]:
    """The Parquet files of the splits that are ordinary files inside of the folder, splits in order."""
    data = folder / "data"
    found = [path for split in schema.SPLITS for path in sorted(data.glob(f"{split}-*-of-*.parquet"))]
    root = folder.resolve()
    return [path for path in found if path.is_file() and path.resolve().is_relative_to(root)]


def _walk(folder: Path, below: str) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Yield all that is not a folder, and links, with its path; links are not followed."""
    with os.scandir(folder / below) as entries:
        for entry in sorted(entries, key=lambda each: each.name):
            name = f"{below}/{entry.name}" if below else entry.name
            if entry.is_dir(follow_symlinks=False) and entry.name != ".git":
                yield from _walk(folder, name)
            else:
                yield name, entry


def _entry(folder: Path, name: str, entry: os.DirEntry[str]) -> Iterator[Problem]:
    shown = name.encode(errors="surrogateescape").decode(errors="replace")
    if entry.is_symlink():
        if not (folder / name).resolve().is_relative_to(folder.resolve()):
            yield make_problem("link", f"a link to {(folder / name).readlink()}", file=shown)
        return
    mode = entry.stat(follow_symlinks=False).st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        yield make_problem("special-file", "a pipe, socket or device", file=shown)
    elif not _OURS.fullmatch(shown):
        yield make_problem("stray-file", "no file of a dataset", file=shown)
    elif name == "report.html" and _SCRIPT.search(_start(folder / name, 50 * _MOST_CARD)):
        yield make_problem("script", "the report can run a script", file=shown)


def _start(path: Path, most: int) -> bytes:
    with path.open("rb") as file:
        return file.read(most)


def check_card(folder: Path, counts: Mapping[str, int]) -> Iterator[Problem]:
    """Yield where the card contradicts the files.

    Args:
        folder: of the dataset.
        counts: rows of each split.
    """
    path = folder / CARD_FILE
    if not path.is_file() or path.is_symlink():
        yield make_problem("card", "there is no card", file=CARD_FILE)
        return
    text = _start(path, _MOST_CARD + 1).decode(errors="replace")
    if len(text) > _MOST_CARD:
        yield make_problem("card", f"more than {_MOST_CARD:,} characters", file=CARD_FILE)
        return
    try:
        said = _said(text)
    except (yaml.YAMLError, ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
        yield make_problem("card", f"its front matter cannot be read ({type(error).__name__})", file=CARD_FILE)
        return
    for split in schema.SPLITS:
        if said is not None and said.get(split, 0) != counts.get(split, 0):
            words = f"says {said.get(split, 0)!r} rows of {split}; the files have {counts.get(split, 0):,}"
            yield make_problem("card", words, file=CARD_FILE)


def _said(text: str) -> dict[str, Any] | None:
    """Rows of each split, as the front matter says them; None where it says nothing of them."""
    parts = text.split("---\n", 2)
    if len(parts) < 3 or parts[0]:
        raise ValueError
    front = yaml.safe_load(parts[1])
    about = front.get("dataset_info")
    return None if about is None else {str(each["name"]): each["num_examples"] for each in about["splits"]}
