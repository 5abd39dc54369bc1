"""Kinds of findings in a dataset, each with a severity level and a remedy."""

from dataclasses import dataclass
from typing import Final, Literal

from aslkit.core.sanitize import sanitize_text

Level = Literal["problem", "warning"]

_SEND_AGAIN: Final = "Ask the sender to send the dataset again, or run `aslkit curate --rebuild` if it is your own."
_REMOVE_ROWS: Final = "Ask the sender to remove these rows. Until then, do not extract or train on the dataset."
_LEAKAGE: Final = "Accuracy measured on the test split is optimistic. Curate the dataset again, or ask the sender to."
_ODD_TEXT: Final = "aslkit displays it safely, but other programs may not. Ask the sender to rename it."
_NO_ACTION: Final = "No action is needed, but keep it in mind when you use the dataset."

KINDS: Final[dict[str, tuple[Level, str]]] = {
    "link": ("problem", "Delete the link: it points to a file outside the dataset folder."),
    "special-file": ("problem", "Delete it: it is not a regular file, and reading it may never end."),
    "missing-file": ("problem", _SEND_AGAIN),
    "corrupt": ("problem", _SEND_AGAIN),
    "crash": ("problem", "Do not open the file with any program: it crashes the program that reads it. " + _SEND_AGAIN),
    "schema": ("problem", "It is not an aslkit dataset of a known version; `aslkit curate` makes one. " + _SEND_AGAIN),
    "too-large": ("problem", "No real dataset is so large. Do not open the file with other programs. " + _SEND_AGAIN),
    "label-names": ("problem", "Other programs would show wrong letters. " + _SEND_AGAIN),
    "counts": ("problem", "Rows were removed or added since the dataset was created. " + _SEND_AGAIN),
    "several-makings": ("problem", "The files come from different datasets. " + _SEND_AGAIN),
    "missing-value": ("problem", _REMOVE_ROWS),
    "label": ("problem", _REMOVE_ROWS),
    "clip": ("problem", "The movement of the clip is unknown or ambiguous. " + _REMOVE_ROWS),
    "list-length": ("problem", _REMOVE_ROWS),
    "not-finite": ("problem", _REMOVE_ROWS),
    "value": ("problem", _REMOVE_ROWS),
    "unsafe-path": ("problem", "A program that extracts the images could overwrite other files. " + _REMOVE_ROWS),
    "not-an-image": ("problem", _REMOVE_ROWS),
    "bomb": ("problem", "Other programs may run out of memory when they open it. " + _REMOVE_ROWS),
    "damaged-image": ("problem", _REMOVE_ROWS),
    "size": ("problem", "Landmarks and boxes are relative to the size, so they are wrong too. " + _REMOVE_ROWS),
    "pixels": ("problem", "The image is not the one that was curated. " + _SEND_AGAIN),
    "pixels-in-two-splits": ("problem", _LEAKAGE),
    "group-in-two-splits": ("problem", _LEAKAGE),
    "signer-in-two-splits": ("problem", _LEAKAGE),
    "clip-in-two-splits": ("problem", _LEAKAGE),
    "two-letters": ("problem", "The correct letter is unknown, so use neither row. " + _REMOVE_ROWS),
    "copy-outside-train": ("problem", _LEAKAGE),
    "parent": ("problem", "Remove the augmented copy, or curate the dataset again."),
    "twice": ("warning", "The same image counts twice. Curate the dataset again, or ask the sender to."),
    "odd-text": ("warning", _ODD_TEXT),
    "odd-name": ("warning", "It cannot be a folder name, so the dataset cannot be curated again. " + _ODD_TEXT),
    "odd-value": ("warning", _NO_ACTION),
    "metadata": (
        "warning",
        "It can reveal where and by whom the image was taken. `aslkit dataset export` writes images without it.",
    ),
    "script": ("warning", "The report of a dataset contains no scripts. Delete the file, or do not open it."),
    "stray-file": ("warning", "aslkit does not read it. Delete it if you do not know it."),
    "unstated": ("warning", "Ask the contributor of these rows before you share them."),
    "unknown-signer": ("warning", "It cannot be checked whether the test split contains only unseen signers."),
    "extra-column": ("warning", _NO_ACTION),
    "card": (
        "warning", "The files are authoritative, not the card. Curate the dataset again, or ask the sender to."
    ),
}  # fmt: skip
"""Level and remedy by kind of finding."""


@dataclass(frozen=True, kw_only=True)
class Problem:
    """A finding: a problem, or a warning.

    Attributes:
        kind: one of KINDS.
        what: short description, sanitized for a terminal.
        file: path relative to the dataset folder, sanitized for a terminal; empty if the finding is about the whole
            dataset.
        row: index of the row in the file, or None if the finding is about the file.
    """

    kind: str
    what: str
    file: str = ""
    row: int | None = None

    @property
    def level(self) -> Level:
        """Severity of the finding."""
        return KINDS[self.kind][0]

    @property
    def remedy(self) -> str:
        """What the user can do."""
        return KINDS[self.kind][1]


def make_problem(kind: str, what: object, *, file: str = "", row: int | None = None) -> Problem:
    """Make a finding from untrusted text, which is sanitized."""
    return Problem(kind=kind, what=sanitize_text(what, most=300), file=sanitize_text(file, most=200), row=row)
