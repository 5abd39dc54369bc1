"""Records clips in the window: hold space, sign, release."""

from aslkit.capture.quality.clip_gate import CLIP_REASON_MESSAGES
from aslkit.capture.quality.negative_examples import choose_negative_example
from aslkit.capture.record import SourceRecording
from aslkit.capture.session.decisions import ClipDecision
from aslkit.capture.window.shutter import ClipShutter
from aslkit.core.letters import NO_LETTER
from aslkit.gui.drawing import GOOD, WARN, Banner


class ClipKeys:
    """Starts and ends the clips of a recording, and says what became of them.

    Args:
        source_recording: the running recording.

    Attributes:
        shutter: decides when a clip begins and ends.
    """

    def __init__(self, source_recording: SourceRecording) -> None:
        self._source, self._recording = source_recording, source_recording.recording
        self.shutter = ClipShutter(
            countdown_s=self._recording.capture.countdown_s, longest_s=self._recording.gate.clip_longest_s
        )

    def update(self, now: float) -> Banner | None:
        """Begin or end a clip if that is due, and return a message about the clip that was judged last."""
        begins, end_s = self.shutter.update(now)
        if begins:
            self._source.pipeline.start_clip()
        elif end_s is not None:
            self._source.pipeline.end_clip(end_s)
        decisions = self._source.pipeline.clips.decisions
        return self._describe(decisions.popleft()) if decisions else None

    def drop(self) -> None:
        """Drop the clip that is being recorded, if any."""
        self.shutter.stop()
        self._source.pipeline.end_clip(None)

    def instruction(self) -> str:
        """Return what to do next."""
        letter = self._recording.letter
        if letter != NO_LETTER:
            return f"Hold space, sign {letter}, release."
        return f"Hold space, move, release. {choose_negative_example(self._recording.progress(letter))}"

    def _describe(self, decision: ClipDecision) -> Banner | None:
        if decision.stored is not None:
            count = self._recording.progress(decision.letter)
            return Banner(text=f"Clip {count} of {decision.letter} stored.", colour=GOOD)
        if decision.reasons:
            return Banner(text=CLIP_REASON_MESSAGES[decision.reasons[0]], colour=WARN)
        return None
