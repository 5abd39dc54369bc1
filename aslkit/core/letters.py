"""The letters: 24 static ones, and J and Z, which are signed with a movement that a single image cannot show."""

from collections.abc import Callable
from typing import Final

from aslkit.core.errors import InputError

LETTERS: Final = tuple("ABCDEFGHIKLMNOPQRSTUVWXY")
INDEX: Final = {letter: index for index, letter in enumerate(LETTERS)}
MOTION_LETTERS: Final = ("J", "Z")
ALPHABET: Final = tuple(sorted((*LETTERS, *MOTION_LETTERS)))

LABELS: Final = (*LETTERS, *MOTION_LETTERS)
"""Names of the labels of a dataset, in order. J and Z are last, so that the numbers of the others are those of datasets
without them."""

LABEL_INDEX: Final = {letter: index for index, letter in enumerate(LABELS)}

NO_LETTER: Final = "none"
"""Label of negative samples: rest poses, and transitions from one letter to the next."""

RECORDABLE: Final = frozenset((*LETTERS, NO_LETTER))
"""Valid names of the folders of a session that hold single frames."""

MIN_MOVEMENT_S: Final = 0.4
MAX_MOVEMENT_S: Final = 2.5
"""Shortest and longest movement, seconds. Signers take 0.5 to 1.5 s for J and Z."""

CLIP_LETTERS: Final = (*MOTION_LETTERS, NO_LETTER)
"""Valid names of the folders of a session that hold clips: one folder for each."""


def parse_letter(text: str) -> str:
    """Return `text` as one of LETTERS, upper case.

    Raises:
        InputError: J or Z, or not a letter of the alphabet.
    """
    letter = text.strip().upper()
    if letter in INDEX:
        return letter
    if letter in MOTION_LETTERS:
        raise InputError(
            f"{letter} is signed with a movement, which a single image cannot show. "
            f"Use one of the 24 static letters: {' '.join(LETTERS)}."
        )
    raise InputError(f"{text!r} is not a letter of the ASL alphabet. Use one of: {' '.join(LETTERS)}.")


def parse_letters(text: str) -> tuple[str, ...]:
    """Parse "A-Y" (without J and Z), "A,B,C" or "ABC" to letters without repetitions.

    Raises:
        InputError: no letter, or something else.
    """
    return _parse_list(text, parse_letter, lambda first, last: LETTERS)


def parse_alphabet_letter(text: str) -> str:
    """Return `text` as one of ALPHABET, upper case: J and Z are letters as well.

    Raises:
        InputError: not a letter of the alphabet.
    """
    letter = text.strip().upper()
    if letter not in ALPHABET:
        raise InputError(f"{text!r} is not a letter of the ASL alphabet. Use one of: {' '.join(ALPHABET)}.")
    return letter


def parse_alphabet_letters(text: str) -> tuple[str, ...]:
    """Parse "A-Z", "J,Z" or "ABC" to letters of ALPHABET without repetitions.

    A range has J and Z only if it begins or ends with one of them: A-Z has all letters, A-Y those without a movement.

    Raises:
        InputError: no letter, or something else.
    """
    return _parse_list(
        text,
        parse_alphabet_letter,
        lambda first, last: ALPHABET if {first, last} & {*MOTION_LETTERS} else LETTERS,
    )


def _parse_list(
    text: str, parse: Callable[[str], str], letters_of_range: Callable[[str, str], tuple[str, ...]]
) -> tuple[str, ...]:
    found: list[str] = []
    for part in text.upper().replace(",", " ").split():
        first, dash, last = (each.strip() for each in part.partition("-"))
        if not dash:
            found += [parse(letter) for letter in part]
        elif len(first) == len(last) == 1 and "A" <= first <= last <= "Z":
            found += [letter for letter in letters_of_range(first, last) if first <= letter <= last]
        else:
            raise InputError(f"{part!r} is not a range of letters. Write A-Y, or A,B,C.")
    if not found:
        raise InputError(f"{text!r} contains no letter. Write A-Y, or A,B,C.")
    return tuple(dict.fromkeys(found))
