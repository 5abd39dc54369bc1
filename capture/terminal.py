"""Records in the terminal, without a window: the user interface for files and for machines without a display."""

import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Final

from aslkit.capture.quality.clip_gate import CLIP_REASON_MESSAGES
from aslkit.capture.quality.gate import REASON_MESSAGES
from aslkit.capture.record import COMPLETE, SOURCE_ENDED, SourceRecording
from aslkit.capture.session.lifecycle import CTRL_C
from aslkit.core.progress import Advance, OnMessage, progress_bar

_POLL_INTERVAL_S: Final = 0.05
_ADVICE_INTERVAL_S: Final = 2.0


def record_in_terminal(
    source_recording: SourceRecording,
    *,
    on_message: OnMessage,
    show: Callable[[str, int], AbstractContextManager[Advance]] = progress_bar,
) -> str:
    """Record all letters one after another, and return why the recording ended.

    Args:
        source_recording: the running recording.
        on_message: called with each line that the user should read.
        show: shows the progress of a letter. Arguments: title, number of frames.
    """
    recording, end_reason = source_recording.recording, COMPLETE
    source_recording.pipeline.clips.cuts = True  # nobody starts and ends clips
    try:
        for letter in recording.letters:
            source_recording.select_letter(letter)
            recording.start_burst()
            source_recording.keep = True
            goal = recording.goal(letter) - recording.progress(letter)
            with show(f"Recording {letter}", goal) as advance:
                end_reason = _wait_until_complete(source_recording, letter, advance, on_message)
            # An error of a thread also sets `finished`, and must not look like the end of the source.
            source_recording.check()
            if end_reason != COMPLETE:
                break
    except KeyboardInterrupt:
        return CTRL_C
    return end_reason


def _wait_until_complete(
    source_recording: SourceRecording, letter: str, advance: Advance, on_message: OnMessage
) -> str:
    recording, shown, problem = source_recording.recording, 0, None
    last_advice, finished = ("", 0.0), False
    wrong_letter: str | None = None
    while True:
        # Before the loop ends, because a short video can be complete before the first look. Once per letter.
        if wrong_letter is None and (wrong_letter := recording.wrong_letter_hint) is not None:
            on_message(wrong_letter)
        if recording.is_complete(letter):
            return COMPLETE
        if finished:
            return SOURCE_ENDED
        # With a timeout, because progress, camera problems and advice are shown while waiting.
        finished = source_recording.pipeline.finished.wait(_POLL_INTERVAL_S)
        advance(recording.stored[letter] - shown)
        shown = recording.stored[letter]
        previous_problem, problem = problem, source_recording.stream.problem
        if bool(problem) != bool(previous_problem):
            on_message(problem or "The camera works again.")
        _report_clips(source_recording, on_message)
        last_advice = _advise(source_recording, last_advice, on_message)


def _report_clips(source_recording: SourceRecording, on_message: OnMessage) -> None:
    """Report why clips were rejected: a movement is repeated only by somebody who knows."""
    decisions = source_recording.pipeline.clips.decisions
    while decisions:
        decision = decisions.popleft()
        # The way back to the start is straight, and comes after each letter. It is counted, but nobody need know it.
        if decision.reasons and decision.reasons[0] != "straight" and decision.stored is None:
            on_message(f"Clip of {decision.letter} rejected. {CLIP_REASON_MESSAGES[decision.reasons[0]]}")


def _advise(
    source_recording: SourceRecording, last_advice: tuple[str, float], on_message: OnMessage
) -> tuple[str, float]:
    """Report why frames are rejected, when the reason changes and not too often. Only for a live source in a terminal.

    Args:
        source_recording: the running recording.
        last_advice: last message and the monotonic time at which it was checked, seconds.
        on_message: called with each line that the user should read.

    Returns:
        The new value for `last_advice`.
    """
    decision, now = source_recording.pipeline.decision, time.monotonic()
    is_due = now - last_advice[1] >= _ADVICE_INTERVAL_S
    if decision is None or not is_due or not (source_recording.live and sys.stderr.isatty()):
        return last_advice
    message = REASON_MESSAGES[decision.reasons[0]] if decision.reasons else ""
    if message and message != last_advice[0]:
        on_message(message)
    return message, now
