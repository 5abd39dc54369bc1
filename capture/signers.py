"""The question about the licence, which a new signer is asked in the terminal, in the window or on the page."""

from dataclasses import dataclass
from typing import Final

from aslkit.formats.licences import PRIVATE

LICENCE_QUESTION: Final = "Who may use these images?"


@dataclass(frozen=True, kw_only=True)
class LicenceChoice:
    """A licence that the question offers.

    Attributes:
        licence: the licence, as it is stored.
        title: short name.
        permits: what the licence permits, in one sentence.
    """

    licence: str
    title: str
    permits: str


LICENCE_CHOICES: Final = (
    LicenceChoice(
        licence=PRIVATE,
        title="Only me",
        permits="I can train my own recogniser; nobody else gets the images.",
    ),
    LicenceChoice(
        licence="CC0-1.0", title="CC0-1.0", permits="Anybody may use, change and sell the images without naming me."
    ),
    LicenceChoice(
        licence="CC-BY-4.0", title="CC-BY-4.0", permits="Anybody may use, change and sell the images if they name me."
    ),
    LicenceChoice(
        licence="CC-BY-NC-4.0",
        title="CC-BY-NC-4.0",
        permits="Anybody may use and change the images if they name me, but not for money.",
    ),
)
"""The licences that are offered; the first one is proposed."""


def licence_note(signer: str) -> str:
    """Return who answers the question."""
    return f"{signer} decides. If the person is under 18, a parent or guardian must agree."
