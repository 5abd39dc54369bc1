"""The 24 letters with a still hand shape. J and Z are drawn in the air, so one image cannot show them."""

from typing import Final

from aslkit.core.errors import InputError

LETTERS: Final = tuple("ABCDEFGHIKLMNOPQRSTUVWXY")
INDEX: Final = {letter: index for index, letter in enumerate(LETTERS)}
MOTION_LETTERS: Final = ("J", "Z")

NO_LETTER: Final = "none"
"""What is recorded under no letter: hands at rest, or on the way from one letter to the next."""

RECORDABLE: Final = frozenset((*LETTERS, NO_LETTER))
"""What a session's folders may be called."""


def parse_letter(text: str) -> str:
    """Return `text` as one of LETTERS, upper case.

    Raises:
        InputError: for J and Z, which need movement, and for anything that is no letter of the alphabet.
    """
    letter = text.strip().upper()
    if letter in INDEX:
        return letter
    if letter in MOTION_LETTERS:
        raise InputError(
            f"{letter} is signed with a movement, which a single image cannot show. "
            f"aslkit knows the 24 still letters: {' '.join(LETTERS)}."
        )
    raise InputError(f"{text!r} is not a letter of the ASL alphabet. Use one of: {' '.join(LETTERS)}.")


def parse_letters(text: str) -> tuple[str, ...]:
    """Return the letters that `text` names, each once: "A-Y" (J and Z, which move, are passed over), "A,B,C" or "ABC".

    Raises:
        InputError: it names none, or something else.
    """
    found: list[str] = []
    for part in text.upper().replace(",", " ").split():
        first, dash, last = (each.strip() for each in part.partition("-"))
        if not dash:
            found += [parse_letter(letter) for letter in part]
        elif len(first) == len(last) == 1 and "A" <= first <= last <= "Z":
            found += [letter for letter in LETTERS if first <= letter <= last]
        else:
            raise InputError(f"{part!r} is no range of letters. Write A-Y, or A,B,C.")
    if not found:
        raise InputError(f"{text!r} names no letter. Write A-Y, or A,B,C.")
    return tuple(dict.fromkeys(found))
