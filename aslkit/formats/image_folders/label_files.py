"""Files that state the classes of images: `_classes.csv`, `_annotations.csv`, COCO and YOLO."""

import csv
import os
import shlex
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from aslkit.core.errors import AslkitError, InputError
from aslkit.vision.image_formats import IMAGE_SUFFIXES

Classes = dict[Path, set[str]]
"""Names of the classes that each image shows; empty if it shows none."""


@dataclass(frozen=True, kw_only=True)
class StatedClasses:
    """What the label files of a folder state.

    Attributes:
        classes: of each image that they mention.
        file: one of the label files, or the folder `labels` of YOLO.
    """

    classes: Classes
    file: Path


MAX_DEPTH: Final = 4
"""Levels of folders below the given one that are searched."""

_MAX_BYTES: Final = 200_000_000
"""Larger files are rejected. The annotations of the 123,000 images of COCO 2017 have 20 to 450 MB."""


def read_label_files(source: Path) -> StatedClasses | None:
    """Return the classes that files in a folder, up to MAX_DEPTH levels below, state; None if there are no such files.

    Raises:
        InputError: a file is damaged, too large, or names no classes.
    """
    paths = [path for depth in range(MAX_DEPTH) for path in source.glob("*/" * depth + "*") if path.name[0] != "."]
    classes: Classes = defaultdict(set)
    readers = {path: reader for path in sorted(paths) if (reader := _find_reader(path))}
    files = []
    for path, reader in readers.items():
        before = len(classes)
        try:
            reader(source, path, classes)
        except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError, csv.Error) as error:
            raise InputError(f"{path} cannot be read: {type(error).__name__}: {error}. Repair or remove it.") from error
        if len(classes) > before:
            files.append(path)
    return StatedClasses(classes=dict(classes), file=files[0]) if files else None


def _find_reader(path: Path) -> Any:
    if path.is_dir():
        return _read_yolo if path.name == "labels" else None
    if path.name in ("_classes.csv", "_annotations.csv"):
        return _read_csv
    is_coco = path.name.endswith(".coco.json") or (path.suffix == ".json" and path.parent.name == "annotations")
    return _read_coco if is_coco else None


def _read_csv(_: Path, path: Path, classes: Classes) -> None:
    """Read the columns filename and class, or filename and one column of 0 and 1 for each class."""
    rows = csv.DictReader(_read_text(path).splitlines(), skipinitialspace=True)
    names = [name.strip() for name in rows.fieldnames or ()]
    if "filename" not in names:
        raise InputError(f"{path} has no column 'filename'; its columns are {', '.join(names)}.")
    for row in rows:
        values = {name.strip(): (value or "").strip() for name, value in row.items() if isinstance(name, str)}
        image = path.parent / values.pop("filename")
        if "class" in values:
            classes[image].add(values["class"])
        else:
            classes[image].update(name for name, value in values.items() if value == "1")


class _Image(msgspec.Struct):
    id: int
    file_name: str


class _Category(msgspec.Struct):
    id: int
    name: str


class _Annotation(msgspec.Struct):
    image_id: int
    category_id: int


class _Coco(msgspec.Struct):
    images: list[_Image]
    categories: list[_Category]
    annotations: list[_Annotation]


def _read_coco(_: Path, path: Path, classes: Classes) -> None:
    coco = msgspec.json.decode(_read_text(path), type=_Coco)
    names = {category.id: category.name for category in coco.categories}
    folders = [path.parent, path.parent / "images", path.parent.parent / "images", path.parent.parent]
    folders += [folder for folder in path.parent.parent.iterdir() if folder.is_dir()]
    images = {}
    for image in coco.images:
        files = (folder / image.file_name for folder in folders)
        images[image.id] = next((file for file in files if file.is_file()), path.parent / image.file_name)
        classes[images[image.id]].update(())  # also an image without annotations
    for annotation in coco.annotations:
        classes[images[annotation.image_id]].add(names[annotation.category_id])


def _read_yolo(source: Path, folder: Path, classes: Classes) -> None:
    names: dict[int, str] | None = None
    for path in sorted(folder.rglob("*.txt")):
        image = _find_yolo_image(folder, path)
        if image is None:
            continue
        names = _read_yolo_names(source, folder) if names is None else names
        classes[image].update(names[int(line.split()[0])] for line in _read_text(path).splitlines() if line.strip())


def _find_yolo_image(labels: Path, path: Path) -> Path | None:
    stem = labels.parent / "images" / path.relative_to(labels).with_suffix("")
    files = (stem.with_name(f"{stem.name}{suffix}") for suffix in sorted(IMAGE_SUFFIXES))
    return next((file for file in files if file.is_file()), None)


def _read_yolo_names(source: Path, labels: Path) -> dict[int, str]:
    """Return the names of the classes by number, from the nearest data.yaml or classes.txt.

    Raises:
        InputError: there is none.
    """
    import yaml  # type: ignore[import-untyped]

    for folder in (labels, *labels.parents):
        for path in (folder / "data.yaml", folder / "data.yml"):
            if path.is_file():
                try:
                    names = yaml.safe_load(_read_text(path))["names"]
                except yaml.YAMLError as error:
                    raise ValueError("it is not YAML") from error
                numbered = names.items() if isinstance(names, dict) else enumerate(names)
                return {int(number): _check_name(name) for number, name in numbered}
        if (folder / "classes.txt").is_file():
            return dict(enumerate(_read_text(folder / "classes.txt").split()))
        if folder == source:
            break
    above = Path(os.path.normpath(source / ".."))
    has_names = any((above / name).is_file() for name in ("data.yaml", "data.yml", "classes.txt"))
    advice = f" {above} has one: aslkit import {shlex.quote(str(above))}" if has_names else ""
    raise InputError(
        f"{labels} contains YOLO labels, but there is no data.yaml in {source} that names their classes.{advice}"
    )


def _check_name(name: object) -> str:
    if not isinstance(name, str | int):  # the text of nested YAML lists can be huge
        raise ValueError("a name of a class is not text")
    return str(name)


def _read_text(path: Path) -> str:
    if path.stat().st_size > _MAX_BYTES:
        raise AslkitError(f"{path} is larger than {_MAX_BYTES:,} bytes.")
    return path.read_text(encoding="utf-8-sig")
