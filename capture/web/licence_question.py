"""The question about the licence, as the page shows it."""

from dataclasses import asdict
from typing import Any

from aslkit.capture.session.recording import Recording
from aslkit.capture.signers import LICENCE_CHOICES, LICENCE_QUESTION, licence_note
from aslkit.web.request_limits import RequestRefused


def licence_question(recording: Recording) -> dict[str, Any] | None:
    """Return title, note and choices of the question; None if the licence is known."""
    if not recording.asks_licence:
        return None
    choices = [asdict(choice) for choice in LICENCE_CHOICES]
    return {"title": LICENCE_QUESTION, "note": licence_note(recording.session.info.signer), "choices": choices}


def choose_licence(recording: Recording, licence: object) -> None:
    """Save the licence that the signer chooses.

    Raises:
        RequestRefused: the licence is not offered.
    """
    offered = [choice.licence for choice in LICENCE_CHOICES]
    if licence not in offered:
        raise RequestRefused(422, f"Choose one of the licences {', '.join(offered)}.")
    recording.choose_licence(str(licence))
