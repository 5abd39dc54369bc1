"""What can be wrong with a dataset that somebody sent: each kind with its weight and its remedy."""

from dataclasses import dataclass
from typing import Final, Literal

from aslkit.core.sanitize import sanitize_text

Level = Literal["problem", "warning"]

_AGAIN: Final = "Ask its sender to send the dataset again, or run `aslkit curate --rebuild` where it is your own."
_OUT: Final = "Ask its sender to remove these rows. Until then, do not unpack or train on the dataset."
_LEAK: Final = "A figure measured on this test flatters. Curate again, or ask its sender to."
_ODD: Final = "aslkit shows it harmlessly; other programs may not. Ask its sender to rename it."
_KNOW: Final = "Nothing needs to be done; know it when you use the dataset."

KINDS: Final[dict[str, tuple[Level, str]]] = {
    "link": ("problem", "Delete the link: it leads out of the dataset's folder, to files that are none of its own."),
    "special-file": ("problem", "Delete it: it is no ordinary file, and reading it may never end."),
    "missing-file": ("problem", _AGAIN),
    "corrupt": ("problem", _AGAIN),
    "crash": ("problem", "Do not open the file with any program: reading it ends the program. " + _AGAIN),
    "schema": ("problem", "It is not an aslkit dataset of a version known here; `aslkit curate` makes one. " + _AGAIN),
    "too-large": ("problem", "No real dataset has such sizes. Do not open the file with other programs. " + _AGAIN),
    "label-names": ("problem", "Other programs would show wrong letters. " + _AGAIN),
    "counts": ("problem", "Rows were lost or added since the dataset was made. " + _AGAIN),
    "several-makings": ("problem", "Its files come from different datasets. " + _AGAIN),
    "missing-value": ("problem", _OUT),
    "label": ("problem", _OUT),
    "list-length": ("problem", _OUT),
    "not-finite": ("problem", _OUT),
    "value": ("problem", _OUT),
    "unsafe-path": ("problem", "A program that writes images out by this name would write elsewhere. " + _OUT),
    "not-an-image": ("problem", _OUT),
    "bomb": ("problem", "Other programs may use up all memory on it. " + _OUT),
    "damaged-image": ("problem", _OUT),
    "size": ("problem", "Landmarks and boxes are shares of the size, so they are wrong too. " + _OUT),
    "pixels": ("problem", "The image is not the one that was curated. " + _AGAIN),
    "pixels-in-two-splits": ("problem", _LEAK),
    "group-in-two-splits": ("problem", _LEAK),
    "signer-in-two-splits": ("problem", _LEAK),
    "two-letters": ("problem", "Nobody knows the right letter, so take neither. " + _OUT),
    "copy-outside-train": ("problem", _LEAK),
    "parent": ("problem", "Remove the varied copy, or curate again."),
    "twice": ("warning", "The same image counts twice. Curate again, or ask its sender to."),
    "odd-text": ("warning", _ODD),
    "odd-name": ("warning", "It cannot be the name of a folder, so it cannot be curated again. " + _ODD),
    "odd-value": ("warning", _KNOW),
    "metadata": ("warning", "It may tell where and by whom it was taken. `aslkit dataset export` writes it without."),
    "script": ("warning", "The report of a dataset has no scripts. Delete the file, or do not open it."),
    "stray-file": ("warning", "Nothing of aslkit reads it. Delete it if you do not know it."),
    "unstated": ("warning", "Ask whoever contributed these rows before you share them."),
    "unknown-signer": ("warning", "Whether a test is on strangers cannot be told."),
    "extra-column": ("warning", _KNOW),
    "card": ("warning", "The files count, not the card. Curate again, or ask its sender to."),
}


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing that is wrong, or should be known.

    Attributes:
        kind: one of KINDS.
        what: in a few words, fit for a terminal.
        file: relative to the dataset's folder, fit for a terminal; empty where it is about the whole.
        row: in the file, from 0; None where it is about the file.
    """

    kind: str
    what: str
    file: str = ""
    row: int | None = None

    @property
    def level(self) -> Level:
        """Whether it is a problem or only to be known."""
        return KINDS[self.kind][0]

    @property
    def remedy(self) -> str:
        """What to do."""
        return KINDS[self.kind][1]


def make_problem(kind: str, what: object, *, file: str = "", row: int | None = None) -> Problem:
    """Make a finding of words that may be a sender's."""
    return Problem(kind=kind, what=sanitize_text(what, most=300), file=sanitize_text(file, most=200), row=row)
