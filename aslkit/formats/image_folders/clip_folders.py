"""Finds the clips in folders of J, Z and negative samples: videos, and folders with the frames of one clip."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from aslkit.core.letters import NO_LETTER
from aslkit.formats.clips import CLIP_INDEX_FILE, MAX_CLIP_FRAMES
from aslkit.formats.image_folders.class_names import ClassName, Split


@dataclass(frozen=True, kw_only=True)
class LabelledClip:
    """A movement, or a video with several of them.

    Attributes:
        path: a video, or a folder with the frames of one movement.
        letter: J, Z, or NO_LETTER.
        part, split: see `LabelledImage`.
    """

    path: Path
    letter: str
    part: str = ""
    split: Split | None = None


def is_clip_folder(
    folder: Path, images: Sequence[Path], below: Sequence[str], meaning: ClassName, persons: Collection[str]
) -> bool:
    """Return whether the images of a folder are the frames of one clip.

    Args:
        folder: the folder.
        images: its images.
        below: names of the folders from that of the class to `folder`; empty if it is the folder of the class.
        meaning: of the class.
        persons: names of folders below those of static letters. A folder of negative samples with such a name has the
            single images of a person.
    """
    if not below or meaning.clip_letter is None:
        return False
    if meaning.clip_letter != NO_LETTER or (folder / CLIP_INDEX_FILE).is_file():
        return True
    return below[-1] not in persons and 1 < len(images) <= MAX_CLIP_FRAMES
