"""Which letter the name of a class stands for: the name of a folder, the start of a file name, or a name in a file."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from aslkit.core.errors import InputError
from aslkit.core.letters import INDEX, LETTERS, MOTION_LETTERS, NO_LETTER

Split = Literal["train", "validation", "test"]
SPLITS: Final[tuple[Split, ...]] = ("train", "validation", "test")

_ALPHABET: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

NO_HAND_NAMES: Final = frozenset({NO_LETTER, "nothing", "blank", "background"})
"""Names that public datasets give to images without a letter; they become negative samples."""

_OTHER_NAMES: Final[Mapping[str, str]] = {
    **dict.fromkeys(("space", "del", "delete", "backspace"), "not a letter"),
    **dict.fromkeys(
        ("rest", "neutral", "other", "unknown"), "not a letter; if no hand signs one, add --labels NAME=none"
    ),
    **{
        letter.lower(): f"its sign is a movement; give videos, {letter}/*.mp4, or a folder of frames for each clip, "
        f"{letter}/CLIP/*.jpg"
        for letter in MOTION_LETTERS
    },
}
"""Names of classes of which images cannot be imported, and why."""

_SPLIT_WORDS: Final[Mapping[str, Split]] = {
    "train": "train", "training": "train", "valid": "validation", "val": "validation", "validation": "validation",
    "dev": "validation", "test": "test", "testing": "test",
}  # fmt: skip

_FILE_NAME: Final = re.compile(r"([a-z]+?)(?:[ _.-]+(?:test|train|valid|val))?(?:[ _.-]*\(?\d+\)?)?", re.IGNORECASE)
"""File names that begin with their class: A, a1, A_test, nothing-12, B (3)."""


@dataclass(frozen=True, kw_only=True)
class ClassName:
    """The meaning of the name of a class.

    Attributes:
        name: the name.
        letter: what its images show: a letter of the 24, NO_LETTER, or None with the reason why they are skipped.
        reason: why.
        clip_letter: what its clips show: J, Z or NO_LETTER; None if it can have no clips.
    """

    name: str
    letter: str | None
    reason: str = ""
    clip_letter: str | None = None


def parse_class(name: str, labels: Mapping[str, str]) -> ClassName | None:
    """Return the meaning of a class name, in upper or lower case; None if it has none.

    Args:
        name: such as "A", "nothing" or "del".
        labels: the user's own names, in lower case, and the names that they stand for.
    """
    key = name.strip().lower()
    key = labels.get(key, key).lower()
    if key.upper() in INDEX and len(key) == 1:
        return ClassName(name=name, letter=key.upper())
    if key in NO_HAND_NAMES:
        return ClassName(name=name, letter=NO_LETTER, clip_letter=NO_LETTER)
    reason = _OTHER_NAMES.get(key)
    if reason is None:
        return None
    clip_letter = key.upper() if key.upper() in MOTION_LETTERS else None
    return ClassName(name=name, letter=None, reason=reason.replace("NAME", name), clip_letter=clip_letter)


def parse_file_name(stem: str, labels: Mapping[str, str]) -> ClassName | None:
    """Return the meaning of the class with which a file name begins; None if it begins with none."""
    match = _FILE_NAME.fullmatch(stem)
    return parse_class(match[1], labels) if match else None


def parse_split(name: str) -> Split | None:
    """Return the split that a name such as "train", "asl_alphabet_test" or "instances_val2017" stands for."""
    found = {_SPLIT_WORDS[word] for word in re.split(r"[^a-z]+", name.lower()) if word in _SPLIT_WORDS}
    return found.pop() if len(found) == 1 else None


def parse_labels(text: str) -> dict[str, str]:
    """Parse "0=A,1=B,nothing=none" to what each name stands for; names are in lower case.

    Raises:
        InputError: a part is not NAME=LETTER, or its letter is none.
    """
    labels = {}
    for part in text.split(","):
        name, equals, target = (each.strip() for each in part.partition("="))
        if not equals or not name or parse_class(target, {}) is None:
            raise InputError(f"{part.strip()!r} is not NAME=LETTER. Write --labels 0=A,1=B,rest=none.")
        labels[name.lower()] = target
    return labels


def propose_labels(names: Iterable[str]) -> dict[str, str]:
    """Return what class names probably stand for: numbers in alphabetical order, or a letter in the name.

    Numbers begin with A. They count J and Z, as in Sign Language MNIST, unless there are exactly 24 without a gap.
    """
    names = list(names)
    numbers = sorted({int(name) for name in names if name.isdecimal()})
    if numbers and len(numbers) == len(set(names)):
        first = min(numbers[0], 1)
        letters = LETTERS if numbers == list(range(first, first + len(LETTERS))) else _ALPHABET
        return {
            name: letters[int(name) - first] for name in sorted(set(names), key=int) if int(name) - first < len(letters)
        }
    proposals = {}
    for name in names:
        found = [word.upper() for word in re.split(r"[\W_]+", name) if len(word) == 1 and word.upper() in _ALPHABET]
        if len(found) == 1:
            proposals[name] = found[0]
    return proposals
