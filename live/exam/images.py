"""Selects and decodes the images of a folder for an exam."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from aslkit.core.errors import InputError
from aslkit.core.letters import NO_LETTER
from aslkit.core.progress import OnMessage
from aslkit.formats.image_folders.read_folder import ImageFolder, LabelledImage, read_image_folder
from aslkit.vision.image_formats import is_image_file
from aslkit.vision.images import Frame, ImageError, decode_image, read_image_file


def select_images(
    folder: Path,
    letters: tuple[str, ...],
    times: int,
    rng: np.random.Generator,
    labels: Mapping[str, str] | None = None,
    *,
    single_letter: bool = False,
    on_message: OnMessage = lambda _: None,
) -> list[tuple[str, Path]]:
    """Select up to `times` random images of each letter and of NO_LETTER, and return them in random order.

    Of a folder with several splits, only the test images are selected, or else the validation images.

    Args:
        folder: folder with one folder per letter, or of another layout; see `read_image_folder`.
        letters: letters to select.
        times: maximum number of images of each letter.
        rng: selects the images and their order.
        labels: see `read_image_folder`.
        single_letter: whether unlabelled images in the folder show the only letter in `letters`.
        on_message: called with each line that the user should read.

    Raises:
        InputError: the folder has no image of these letters.
    """
    by_letter: dict[str, list[Path]] = {}
    for image in _read_images(folder, labels, letters[0] if single_letter else None, on_message):
        by_letter.setdefault(image.letter, []).append(image.path)
    if not by_letter.keys() & set(letters):
        raise InputError(f"{folder} has no images of {' '.join(letters)}. It has images of: {' '.join(by_letter)}.")
    selected = []
    for letter in (*letters, NO_LETTER):
        files = by_letter.get(letter, [])
        selected += [(letter, files[index]) for index in rng.permutation(len(files))[:times].tolist()]
    return [selected[index] for index in rng.permutation(len(selected)).tolist()]


def _read_images(
    folder: Path, labels: Mapping[str, str] | None, letter: str | None, on_message: OnMessage
) -> list[LabelledImage]:
    try:
        found = read_image_folder(folder, labels=labels, allow_exams=True, clips=True)
    except InputError as error:
        images = _list_images(folder)
        if not images:
            raise
        if letter is None:
            raise InputError(f"{error.message} If all show the same letter, add it, such as --letter A.") from error
        on_message(f"The images in {folder} are not labelled. All {len(images):,} count as {letter}.")
        return [LabelledImage(path=path, letter=letter) for path in images]
    _leave_out_clips(found, folder, on_message)
    if not found.splits:
        return found.images
    used = found.splits[-1]  # in the order train, validation, test
    on_message(
        f"{folder} has the splits {', '.join(found.splits)}. Only {used} is used. For another one, give its folder."
    )
    return [image for image in found.images if image.split == used]


def _leave_out_clips(found: ImageFolder, folder: Path, on_message: OnMessage) -> None:
    letters = " ".join(sorted({clip.letter for clip in found.clips}))
    if not found.images:
        raise InputError(f"{folder} has only movements, {letters}, which can only be tested at a camera.")
    if letters:
        on_message(f"Skipped, because movements can only be tested at a camera: {letters}")
    found.clips = []


def _list_images(folder: Path) -> list[Path]:
    """Return the image files that are directly in a folder; empty if there is no such folder."""
    return sorted(path for path in folder.glob("*") if path.name[0] != "." and is_image_file(path))


def decode_images(
    selected: list[tuple[str, Path]], unreadable: list[str], on_message: OnMessage, *, mirrored: bool = False
) -> Iterator[tuple[str, Frame]]:
    """Decode images of known letters. Damaged images are skipped, reported, and appended to `unreadable`.

    Args:
        selected: letter and file of each image.
        unreadable: list of the damaged images.
        on_message: called with each line that the user should read.
        mirrored: whether the images are mirrored, as selfies. They are unmirrored.
    """
    for letter, path in selected:
        try:
            frame = decode_image(read_image_file(path))
        except ImageError as error:
            unreadable.append(str(path))
            on_message(f"{path}: {error.message}. The image is skipped.")
            continue
        yield letter, np.ascontiguousarray(frame[:, ::-1]) if mirrored else frame
