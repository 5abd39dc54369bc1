"""Collects the tracked frames of clips: between a start and an end, or by cutting all movements out of the source."""

from collections import deque
from dataclasses import dataclass
from typing import Final

from aslkit.capture.movement.clip_frame import BrightnessMeter, TrackedFrame
from aslkit.capture.movement.movement_cutter import MovementCutter
from aslkit.capture.session.decisions import ClipDecision
from aslkit.capture.session.encoded_frame import encode_image
from aslkit.capture.session.recording import Recording
from aslkit.video.source_frame import SourceFrame
from aslkit.vision.hand_landmarker import Hand

_MAX_DECISIONS: Final = 100


@dataclass(frozen=True, kw_only=True)
class ClipStart:
    """The beginning of a clip. The letter and the revision are those at that time."""

    number: int
    letter: str
    revision: int


@dataclass(frozen=True, kw_only=True)
class ClipEnd:
    """The end of a clip: frames that arrived after `end_s`, monotonic, do not belong to it. None drops the clip."""

    number: int
    end_s: float | None


class ClipCollector:
    """Turns tracked frames into clips and passes these to the recording. Only one thread calls it.

    Args:
        recording: judges and stores the clips.
        live: whether frames arrive in real time. Otherwise a short source is one clip.

    Attributes:
        decisions: decisions about the last clips; the user interface takes them from the left.
        cuts: whether to cut all movements out of the frames, because nobody starts and ends clips.
    """

    def __init__(self, recording: Recording, *, live: bool) -> None:
        self.decisions: deque[ClipDecision] = deque(maxlen=_MAX_DECISIONS)
        self.cuts = not live
        self._recording, self._live = recording, live
        self._brightness = BrightnessMeter()
        self._cutter = MovementCutter(whole_if_short=not live)
        self._start: ClipStart | None = None
        # The frames of the clip that is being recorded, and when they arrived.
        self._frames: list[tuple[TrackedFrame, float]] = []
        self._index = 0

    def restart(self) -> None:
        """Begin with a new source."""
        self._cutter = MovementCutter(whole_if_short=not self._live)
        self._start, self._frames, self._index = None, [], 0

    def start(self, start: ClipStart) -> None:
        """Begin a clip."""
        self._start, self._frames = start, []

    def add(self, frame: SourceFrame, hand: Hand | None, *, clip: int | None, arrived_s: float) -> None:
        """Process a frame in which the hand was tracked.

        Args:
            frame: the frame.
            hand: the hand in it.
            clip: number of the clip that was being recorded when the frame arrived.
            arrived_s: when it arrived, monotonic, seconds.

        Raises:
            OSError: a clip could not be written.
        """
        recording = self._recording
        if self.cuts and recording.records_clips(recording.letter):
            for found in self._cutter.push(self._encode(frame, hand)):
                self._process(found, letter=recording.letter, revision=recording.revision)
        elif self._start is not None and clip == self._start.number:
            self._frames.append((self._encode(frame, hand), arrived_s))

    def end(self, end: ClipEnd) -> None:
        """End the clip that was begun last, and pass it to the recording."""
        start, frames = self._start, self._frames
        self._start, self._frames = None, []
        if start is None or start.number != end.number or end.end_s is None or not frames:
            return
        longest_s = self._recording.gate.clip_longest_s
        first_s = frames[0][0].time_s
        clip = [frame for frame, arrived_s in frames if arrived_s <= end.end_s and frame.time_s - first_s <= longest_s]
        self._process(clip or [frames[0][0]], letter=start.letter, revision=start.revision)

    def finish(self) -> None:
        """Process what is left at the end of a source. A clip that was not ended is dropped."""
        recording = self._recording
        for found in self._cutter.finish():
            self._process(found, letter=recording.letter, revision=recording.revision)

    def _process(self, frames: list[TrackedFrame], *, letter: str, revision: int) -> None:
        decision = self._recording.process_clip(frames, name=frames[0].name, letter=letter, revision=revision)
        self.decisions.append(decision)

    def _encode(self, frame: SourceFrame, hand: Hand | None) -> TrackedFrame:
        data, suffix = encode_image(frame.image, self._recording.capture)
        height, width = frame.image.shape[:2]
        # Images of a folder have no times.
        time_s = self._index / self._recording.capture.clip_fps if frame.time_s is None else frame.time_s
        self._index += 1
        brightness = self._brightness.measure(frame.image, hand, time_s)
        return TrackedFrame(
            name=frame.name, data=data, suffix=suffix, time_s=time_s, width=width, height=height, hand=hand,
            brightness=brightness,
        )  # fmt: skip
