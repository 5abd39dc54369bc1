"""The 24 letters with a still hand shape. J and Z are drawn in the air, so one image cannot show them."""

from typing import Final

from aslkit.errors import InputError

LETTERS: Final = tuple("ABCDEFGHIKLMNOPQRSTUVWXY")
INDEX: Final = {letter: index for index, letter in enumerate(LETTERS)}
MOVING: Final = ("J", "Z")


def parse_letter(text: str) -> str:
    """Return `text` as one of LETTERS, upper case.

    Raises:
        InputError: for J and Z, which need movement, and for anything that is no letter of the alphabet.
    """
    letter = text.strip().upper()
    if letter in INDEX:
        return letter
    if letter in MOVING:
        raise InputError(
            f"{letter} is signed with a movement, which a single image cannot show. "
            f"aslkit knows the 24 still letters: {' '.join(LETTERS)}."
        )
    raise InputError(f"{text!r} is not a letter of the ASL alphabet. Use one of: {' '.join(LETTERS)}.")
