"""Finds the labelled images of a folder, whose layout can be any of the common ones."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import takewhile
from pathlib import Path
from typing import Final

from aslkit.core.errors import InputError
from aslkit.core.files import natural_key
from aslkit.core.letters import NO_LETTER
from aslkit.formats.captures import SESSION_FILE, reject_exam_folder
from aslkit.formats.image_folders.advice import VIDEO, VIDEO_SUFFIXES, explain_empty_folder, explain_file
from aslkit.formats.image_folders.class_names import SPLITS, ClassName, Split, parse_class, parse_file_name, parse_split
from aslkit.formats.image_folders.label_files import MAX_DEPTH, StatedClasses, read_label_files
from aslkit.vision.image_formats import is_image_file

_UNKNOWN: Final = "not a letter; if it means one, add --labels NAME=LETTER"

_METADATA_FILES: Final = frozenset({SESSION_FILE, "frames.jsonl", "_classes.csv", "_annotations.csv"})


@dataclass(frozen=True, kw_only=True)
class LabelledImage:
    """An image file whose letter is known.

    Attributes:
        path: of the file.
        letter: one of the 24 letters, or NO_LETTER.
        part: name of the folder that distinguishes it from other images of its letter, such as a person's; with "/" if
            these are several folders, and "" if there is none.
        split: split of the folder, if the folder has several.
    """

    path: Path
    letter: str
    part: str = ""
    split: Split | None = None


@dataclass(kw_only=True)
class ImageFolder:
    """The labelled images of a folder, and what was left out.

    Attributes:
        images: in natural order of their paths.
        skipped: files and folders that are left out, each with the reason.
        unknown: names of classes that are no letters, and for which aslkit knows no other meaning.
        negatives: names of the classes that became negative samples; empty if NO_LETTER is the only one.
        classes: names of all classes, in lower case.
        unused_labels: names of the user's labels that are no classes of the folder.
    """

    images: list[LabelledImage] = field(default_factory=list)
    skipped: list[tuple[Path, str]] = field(default_factory=list)
    unknown: set[str] = field(default_factory=set)
    negatives: set[str] = field(default_factory=set)
    classes: set[str] = field(default_factory=set)
    unused_labels: list[str] = field(default_factory=list)

    @property
    def parts(self) -> list[str]:
        """The different `LabelledImage.part`."""
        return sorted({image.part for image in self.images}, key=natural_key)

    @property
    def splits(self) -> list[Split]:
        """The splits of the folder; empty if it has none."""
        present = {image.split for image in self.images}
        return [split for split in SPLITS if split in present]


@dataclass(frozen=True, kw_only=True)
class _Leaf:
    """The image files of one folder, and the names of the folders that lead to it."""

    folder: Path
    names: tuple[str, ...]
    images: list[Path]
    others: list[tuple[Path, str]]


def read_image_folder(
    source: Path, *, labels: Mapping[str, str] | None = None, allow_exams: bool = False
) -> ImageFolder:
    """Find the labelled images of a folder.

    Letters are the names of folders, up to MAX_DEPTH levels below, the beginnings of file names, or stated in a label
    file; `source` can also be the folder of one letter.

    Args:
        source: the folder.
        labels: the user's own names of classes, in lower case, and the names that they stand for.
        allow_exams: whether the images of an exam are accepted. They must not be trained on.

    Raises:
        InputError: not a folder, an exam, or a folder without labelled images. The message says what it contains.
    """
    labels = labels or {}
    if source.is_file():
        raise InputError(explain_file(source))
    if not source.is_dir():
        raise InputError(f"Folder {source} does not exist.")
    found = ImageFolder()
    stated = read_label_files(source)
    if stated is not None:
        _add_stated(source, stated, labels, found)
        _skip_unstated(source, stated, found)
    else:
        _add_leaves(source, labels, allow_exams, found)
    if not found.images:
        raise InputError(explain_empty_folder(source, found.unknown, found.skipped))
    found.negatives = set() if found.negatives == {NO_LETTER} else found.negatives
    found.unused_labels = sorted(set(labels) - found.classes, key=natural_key)
    _set_parts(found)
    return found


def _add_stated(source: Path, stated: StatedClasses, labels: Mapping[str, str], found: ImageFolder) -> None:
    """Add the images of a label file that show one class."""
    for path in sorted(stated.classes, key=lambda path: natural_key(str(path))):
        names = stated.classes[path]
        meaning = parse_class(next(iter(names)), labels) if len(names) == 1 else None
        if not Path(os.path.normpath(path)).is_relative_to(os.path.normpath(source)) or not path.is_file():
            found.skipped.append((path, "not in the folder"))
        elif len(names) != 1:
            found.skipped.append((path, "shows several classes" if names else "shows no class"))
        elif meaning is None or meaning.letter is None:
            _skip(path, next(iter(names)), meaning, found)
        else:
            _add(path, path.relative_to(source).parts[:-1], meaning, found)


def _skip_unstated(source: Path, stated: StatedClasses, found: ImageFolder) -> None:
    """List the folders of images that the label files do not mention."""
    mentioned = {os.path.normpath(path) for path in stated.classes}
    parents = {str(folder) for path in mentioned for folder in Path(path).parents}
    for folder, images in _list_images(source, 0):
        if all(os.path.normpath(path) in mentioned for path in images):
            continue
        reason = f"not in the label files, such as {stated.file}"
        if os.path.normpath(folder) in parents:
            reason = f"has images that are {reason}"
        else:
            reason += "; import the folder separately"
        found.skipped.append((folder, reason))


def _list_images(folder: Path, depth: int) -> Iterator[tuple[Path, list[Path]]]:
    """Yield the folders, to MAX_DEPTH levels below the first one, and the images in each."""
    entries = sorted(
        (path for path in folder.iterdir() if path.name[0] != "."), key=lambda path: natural_key(path.name)
    )
    yield folder, [path for path in entries if path.is_file() and is_image_file(path)]
    for path in entries:
        if depth < MAX_DEPTH and path.is_dir():
            yield from _list_images(path, depth + 1)


def _add_leaves(source: Path, labels: Mapping[str, str], allow_exams: bool, found: ImageFolder) -> None:
    leaves = list(_walk(source, (), labels, allow_exams))
    own_name = source.resolve().name
    # The folder of one letter: its images are in it, and no folder below has images of letters.
    if len(leaves) == 1 and leaves[0].folder == source and (meaning := parse_class(own_name, labels)):
        _add_folder(leaves[0], (), meaning, found)
        return
    for leaf in leaves:
        # The last one: in A/a, the first folder is a person of the dataset by Pugeault and Bowden.
        named = [(number, meaning) for number, name in enumerate(leaf.names) if (meaning := parse_class(name, labels))]
        if named:
            number, meaning = named[-1]
            others = (*leaf.names[:number], *leaf.names[number + 1 :])
            _add_folder(leaf, others, meaning, found)
        else:
            _add_named_files(leaf, labels, found)


def _walk(folder: Path, names: tuple[str, ...], labels: Mapping[str, str], allow_exams: bool) -> Iterator[_Leaf]:
    """Yield the folders that contain files, to MAX_DEPTH levels below the first one."""
    if not allow_exams:
        reject_exam_folder(folder)
    entries = sorted(folder.iterdir(), key=lambda path: natural_key(path.name))
    folders = [path for path in entries if path.is_dir() and path.name[0] != "."]
    images = [path for path in entries if path.name[0] != "." and is_image_file(path)]
    known = {*folders, *images, *(folder / name for name in _METADATA_FILES)}
    others = [(path, _reject_file(path)) for path in entries if path not in known]
    if images and names and parse_class(names[-1], labels):
        others += [(path, "in the folder of a letter") for path in folders]
        folders = []
    if images or others:
        yield _Leaf(folder=folder, names=names, images=images, others=others)
    for path in folders:
        if len(names) < MAX_DEPTH:
            yield from _walk(path, (*names, path.name), labels, allow_exams)


def _reject_file(path: Path) -> str:
    if path.name[0] == ".":
        return "hidden"
    return VIDEO if path.suffix.lower() in VIDEO_SUFFIXES else "not an image file"


def _add_folder(leaf: _Leaf, others: Sequence[str], meaning: ClassName, found: ImageFolder) -> None:
    """Add the images of a folder, which all show one class; `others` are the other folders that lead to it."""
    if meaning.letter is None:
        _skip(leaf.folder, meaning.name, meaning, found)
        return
    found.skipped += leaf.others
    for path in leaf.images:
        _add(path, others, meaning, found)


def _add_named_files(leaf: _Leaf, labels: Mapping[str, str], found: ImageFolder) -> None:
    """Add the images whose file names begin with their letter, if most of them do, and with several letters.

    With one letter only, they are rather the names that a camera gave, such as P1010001.
    """
    if not leaf.images:
        found.skipped += leaf.others
        return
    meanings = {path: parse_file_name(path.stem, labels) for path in leaf.images}
    named = [meaning.name.lower() for meaning in meanings.values() if meaning is not None]
    if len(set(named)) < 2 or len(named) * 2 <= len(meanings):
        if leaf.names:
            _skip(leaf.folder, leaf.names[-1], None, found)
        else:
            found.skipped += [*((path, "not in a letter folder") for path in leaf.images), *leaf.others]
        return
    found.skipped += leaf.others
    for path, meaning in meanings.items():
        if meaning is None or meaning.letter is None:
            found.skipped.append((path, meaning.reason if meaning else "no letter in its name"))
            found.classes.update({_key(meaning.name)} if meaning else ())
        else:
            _add(path, leaf.names, meaning, found)


def _add(path: Path, folders: Sequence[str], meaning: ClassName, found: ImageFolder) -> None:
    assert meaning.letter is not None
    found.images.append(LabelledImage(path=path, letter=meaning.letter, part="/".join(folders)))
    found.classes.add(_key(meaning.name))
    if meaning.letter == NO_LETTER:
        found.negatives.add(meaning.name)


def _skip(path: Path, name: str, meaning: ClassName | None, found: ImageFolder) -> None:
    """Leave out an image, or a folder, of a class that is no letter."""
    found.classes.add(_key(name))
    found.skipped.append((path, meaning.reason if meaning else _UNKNOWN))
    if meaning is None:
        found.unknown.add(name)


def _key(name: str) -> str:
    return name.strip().lower()


def _set_parts(found: ImageFolder) -> None:
    """Set the split of each image, and reduce its part, all folders that lead to it, to those that distinguish it."""
    folders = {part: tuple(filter(None, part.split("/"))) for part in {image.part for image in found.images}}
    splits: dict[str, Split | None] = {}
    if len({split for names in folders.values() for name in names if (split := parse_split(name))}) > 1:
        for part, names in folders.items():
            found_splits = [split for name in names if (split := parse_split(name))]
            splits[part] = found_splits[-1] if found_splits else None
            folders[part] = tuple(name for name in names if not parse_split(name))
    common = _common_length(list(folders.values()))
    folders = {part: names[common:] for part, names in folders.items()}
    common = _common_length([names[::-1] for names in folders.values()])
    parts = {part: "/".join(names[: len(names) - common]) for part, names in folders.items()}
    found.images = [replace(image, part=parts[image.part], split=splits.get(image.part)) for image in found.images]


def _common_length(names: Sequence[Sequence[str]]) -> int:
    """Return how many names all sequences begin with."""
    return sum(1 for _ in takewhile(lambda column: len(set(column)) == 1, zip(*names, strict=False)))
