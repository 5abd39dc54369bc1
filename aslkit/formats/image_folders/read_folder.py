"""Finds the labelled images of a folder, whose layout can be any of the common ones."""

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from aslkit.core.errors import InputError
from aslkit.core.files import natural_key
from aslkit.core.letters import NO_LETTER
from aslkit.formats.captures import SESSION_FILE, reject_exam_folder
from aslkit.formats.image_folders.advice import VIDEO, VIDEO_SUFFIXES, explain_empty_folder, explain_file
from aslkit.formats.image_folders.class_names import SPLITS, ClassName, Split, parse_class, parse_file_name
from aslkit.formats.image_folders.clip_folders import LabelledClip, is_clip_folder
from aslkit.formats.image_folders.folder_parts import find_parts, with_parts
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
        clips: the same.
        skipped: files and folders that are left out, each with the reason.
        unknown: names of classes that are no letters, and for which aslkit knows no other meaning.
        negatives: names of the classes that became negative samples; empty if NO_LETTER is the only one.
        classes: names of all classes, in lower case.
        unused_labels: names of the user's labels that are no classes of the folder.
    """

    images: list[LabelledImage] = field(default_factory=list)
    clips: list[LabelledClip] = field(default_factory=list)
    skipped: list[tuple[Path, str]] = field(default_factory=list)
    unknown: set[str] = field(default_factory=set)
    negatives: set[str] = field(default_factory=set)
    classes: set[str] = field(default_factory=set)
    unused_labels: list[str] = field(default_factory=list)

    @property
    def files(self) -> list[LabelledImage | LabelledClip]:
        """Images and clips."""
        return [*self.images, *self.clips]

    @property
    def parts(self) -> list[str]:
        """The different `LabelledImage.part`."""
        return sorted({file.part for file in self.files}, key=natural_key)

    @property
    def splits(self) -> list[Split]:
        """The splits of the folder; empty if it has none."""
        present = {file.split for file in self.files}
        return [split for split in SPLITS if split in present]


@dataclass(frozen=True, kw_only=True)
class _Leaf:
    """The image files of one folder, and the names of the folders that lead to it."""

    folder: Path
    names: tuple[str, ...]
    images: list[Path]
    others: list[tuple[Path, str]]


def read_image_folder(
    source: Path, *, labels: Mapping[str, str] | None = None, allow_exams: bool = False, clips: bool = False
) -> ImageFolder:
    """Find the labelled images, and clips, of a folder.

    Letters are the names of folders, up to MAX_DEPTH levels below, the beginnings of file names, or stated in a label
    file; `source` can also be the folder of one letter.

    Args:
        source: the folder.
        labels: the user's own names of classes, in lower case, and the names that they stand for.
        allow_exams: whether the images of an exam are accepted. They must not be trained on.
        clips: whether to find clips. Otherwise they are skipped.

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
        _add_leaves(source, labels, found, allow_exams=allow_exams, clips=clips)
    if not found.files:
        raise InputError(explain_empty_folder(source, found.unknown, found.skipped))
    found.negatives = set() if found.negatives == {NO_LETTER} else found.negatives
    found.unused_labels = sorted(set(labels) - found.classes, key=natural_key)
    parts = find_parts(file.part for file in found.files)
    found.images, found.clips = with_parts(found.images, parts), with_parts(found.clips, parts)
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


def _add_leaves(source: Path, labels: Mapping[str, str], found: ImageFolder, *, allow_exams: bool, clips: bool) -> None:
    leaves = list(_walk(source, (), labels, allow_exams))
    classes = [_find_class(leaf, labels) for leaf in leaves]
    own_class = parse_class(source.resolve().name, labels)
    # The folder of one letter: its images are in it, and no folder below has images of letters.
    is_one = len(leaves) == 1 and leaves[0].folder == source
    if own_class and (is_one or (own_class.clip_letter and clips and not any(classes))):
        classes = [(-1, own_class)] * len(leaves)
    persons = {
        leaf.names[-1]
        for leaf, named in zip(leaves, classes, strict=True)
        if named and named[1].clip_letter is None and named[0] < len(leaf.names) - 1
    }
    for leaf, named in zip(leaves, classes, strict=True):
        if named is None:
            _add_named_files(leaf, labels, found)
        elif named[1].clip_letter and clips:
            _add_clips(leaf, *named, persons, found)
        else:
            number, meaning = named
            others = leaf.names if number < 0 else (*leaf.names[:number], *leaf.names[number + 1 :])
            _add_folder(leaf, others, meaning, found)


def _find_class(leaf: _Leaf, labels: Mapping[str, str]) -> tuple[int, ClassName] | None:
    """Return which of the folders that lead to images names their class, and the class."""
    # The last one: in A/a, the first folder is a person of the dataset by Pugeault and Bowden.
    named = [(number, meaning) for number, name in enumerate(leaf.names) if (meaning := parse_class(name, labels))]
    return named[-1] if named else None


def _add_clips(leaf: _Leaf, number: int, meaning: ClassName, persons: Collection[str], found: ImageFolder) -> None:
    """Add the videos of a folder, and its images as one clip or as images; `number` is that of the folder's class."""
    above, below = leaf.names[: max(number, 0)], leaf.names[number + 1 :]
    assert meaning.clip_letter is not None
    videos = [path for path, reason in leaf.others if reason == VIDEO]
    found.clips += [
        LabelledClip(path=path, letter=meaning.clip_letter, part="/".join((*above, *below))) for path in videos
    ]
    is_clip = is_clip_folder(leaf.folder, leaf.images, below, meaning, persons)
    if is_clip and leaf.images:
        part = "/".join((*above, *below[:-1]))
        found.clips.append(LabelledClip(path=leaf.folder, letter=meaning.clip_letter, part=part))
    found.classes.add(_key(meaning.name))
    others = [(path, reason) for path, reason in leaf.others if reason != VIDEO]
    if leaf.images and not is_clip:
        _add_folder(replace(leaf, others=others), (*above, *below), meaning, found)
    else:
        found.skipped += others


def _walk(folder: Path, names: tuple[str, ...], labels: Mapping[str, str], allow_exams: bool) -> Iterator[_Leaf]:
    """Yield the folders that contain files, to MAX_DEPTH levels below the first one."""
    if not allow_exams:
        reject_exam_folder(folder)
    entries = sorted(folder.iterdir(), key=lambda path: natural_key(path.name))
    folders = [path for path in entries if path.is_dir() and path.name[0] != "."]
    images = [path for path in entries if path.name[0] != "." and is_image_file(path)]
    known = {*folders, *images, *(folder / name for name in _METADATA_FILES)}
    others = [(path, _reject_file(path)) for path in entries if path not in known]
    # Below the images of "none", there can be clips.
    if images and names and (meaning := parse_class(names[-1], labels)) and meaning.clip_letter is None:
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
