"""Which of the folders that lead to a file distinguish it: those of persons, and those of a split."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import takewhile
from typing import Any, TypeVar

from aslkit.formats.image_folders.class_names import Split, parse_split

File = TypeVar("File", bound=Any)
"""`LabelledImage` or `LabelledClip`."""


def find_parts(paths: Iterable[str]) -> dict[str, tuple[str, Split | None]]:
    """Return, for the folders that lead to each file, those that distinguish it from others, and its split.

    Args:
        paths: names of the folders, joined with "/".

    Returns:
        by path: the names that differ between the paths, joined with "/", and the split, if there are several.
    """
    folders = {part: tuple(filter(None, part.split("/"))) for part in set(paths)}
    splits: dict[str, Split | None] = {}
    if len({split for names in folders.values() for name in names if (split := parse_split(name))}) > 1:
        for part, names in folders.items():
            found_splits = [split for name in names if (split := parse_split(name))]
            splits[part] = found_splits[-1] if found_splits else None
            folders[part] = tuple(name for name in names if not parse_split(name))
    common = _common_length(list(folders.values()))
    folders = {part: names[common:] for part, names in folders.items()}
    common = _common_length([names[::-1] for names in folders.values()])
    return {part: ("/".join(names[: len(names) - common]), splits.get(part)) for part, names in folders.items()}


def with_parts(files: Iterable[File], parts: Mapping[str, tuple[str, Split | None]]) -> list[File]:
    """Return labelled files with the part and split that `find_parts` gives for their part."""
    return [replace(file, part=parts[file.part][0], split=parts[file.part][1]) for file in files]


def _common_length(names: Sequence[Sequence[str]]) -> int:
    """Return how many names all sequences begin with."""
    return sum(1 for _ in takewhile(lambda column: len(set(column)) == 1, zip(*names, strict=False)))
