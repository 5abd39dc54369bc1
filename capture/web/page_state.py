"""What the recording page shows: the state of a recording, and its summary at the end."""

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from aslkit.capture.quality.clip_gate import CLIP_REASON_MESSAGES
from aslkit.capture.quality.gate import REASON_MESSAGES
from aslkit.capture.quality.negative_examples import NEGATIVE_EXAMPLES
from aslkit.capture.session.recording import Recording
from aslkit.capture.web.licence_question import licence_question
from aslkit.core.letters import ALPHABET, NO_LETTER
from aslkit.web.request_limits import describe_disk_error

RECENT_FRAMES: Final = 12
"""Number of newest frames and clips that the page shows."""


def describe_state(recording: Recording, failure: OSError | None) -> dict[str, Any]:
    """Return all values that a page needs to start, also after a reload.

    Args:
        recording: the recording.
        failure: error of the disk, if any.
    """
    capture = recording.capture
    # "none" is only shown if it is recorded.
    letters = (*ALPHABET, NO_LETTER) if NO_LETTER in recording.letters else ALPHABET
    return {
        "signer": recording.session.info.signer,
        "session": recording.session.info.session,
        "alphabet": letters,
        "letters": recording.letters,
        "letter": recording.letter,
        "revision": recording.revision,
        "clip_letters": [letter for letter in letters if recording.records_clips(letter)],
        "goals": {letter: recording.goal(letter) for letter in letters},
        "counts": {letter: recording.progress(letter) for letter in letters},
        "complete": [letter for letter in letters if recording.is_complete(letter)],
        "interval_s": capture.interval_s,
        "countdown_s": capture.countdown_s,
        "burst_s": capture.burst_s,
        "clip_s": recording.gate.clip_longest_s,
        "negative_examples": NEGATIVE_EXAMPLES,
        "fps": capture.web_fps,
        "camera": {"width": capture.camera_width, "height": capture.camera_height, "fps": capture.camera_fps},
        "recent": [entry.file for entry in recording.recent(RECENT_FRAMES)],
        "usual_hand": recording.handedness.usual,
        "question": recording.handedness.question,
        "licence_question": licence_question(recording),
        "reason_messages": REASON_MESSAGES,
        "failure": None if failure is None else describe_disk_error(failure),
    }


def describe_summary(recording: Recording, failure: OSError | None) -> dict[str, Any]:
    """Return what was recorded. All frames must have been written. For the arguments see `describe_state`."""
    return {
        "signer": recording.session.info.signer,
        "stored": recording.stored_frames,
        "clips": recording.stored_clips,
        "rejected": _summarise(recording.rejected, REASON_MESSAGES),
        "rejected_clips": _summarise(recording.rejected_clips, CLIP_REASON_MESSAGES),
        "undone": recording.undone,
        "dropped": recording.dropped,
        "failure": None if failure is None else describe_disk_error(failure),
    }


def _summarise(rejected: Counter[Any], messages: Mapping[Any, str]) -> dict[str, int]:
    """Return the number of rejections by the first sentence of the message."""
    return {messages[reason].partition(".")[0]: number for reason, number in rejected.most_common()}
