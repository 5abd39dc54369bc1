"""Cuts clips out of frames that arrive one after another, such as those of a long video."""

from collections.abc import Iterator
from typing import Final

from aslkit.capture.movement.clip_frame import TrackedFrame, measure_clip
from aslkit.capture.quality.movement_segments import DEFAULT_LIMITS, segment_movements
from aslkit.formats.clips import MAX_CLIP_S

Clip = list[TrackedFrame]

_SEARCH_EVERY_S: Final = 0.5
_SETTLED_S: Final = DEFAULT_LIMITS.rest_s + DEFAULT_LIMITS.margin_s + 0.1
"""A movement that ended this long ago has ended for good. The last 0.1 s are needed to measure speeds."""

_MAX_OPEN_S: Final = 3 * MAX_CLIP_S
"""Frames that are remembered. A movement that takes longer is far too long for a clip."""


class MovementCutter:
    """Collects frames, and returns the movements in them as soon as they have ended.

    Args:
        whole_if_short: whether frames that end within MAX_CLIP_S are one clip, even if the hand does not rest.
    """

    def __init__(self, *, whole_if_short: bool) -> None:
        self._frames: Clip = []
        self._whole_if_short = whole_if_short
        self._start_s: float | None = None
        self._searched_s = 0.0

    def push(self, frame: TrackedFrame) -> list[Clip]:
        """Add a frame, and return the clips that have ended.

        A frame that is not later than the previous one starts a new sequence, as after a camera was reconnected.
        """
        clips = self.finish() if self._frames and frame.time_s <= self._frames[-1].time_s else []
        if self._start_s is None:
            self._start_s = self._searched_s = frame.time_s
        self._frames.append(frame)
        may_be_whole = self._whole_if_short and frame.time_s - self._start_s <= MAX_CLIP_S
        if not may_be_whole and frame.time_s - self._searched_s >= _SEARCH_EVERY_S:
            self._searched_s = frame.time_s
            clips += self._cut(frame.time_s - _SETTLED_S)
        return clips

    def finish(self) -> list[Clip]:
        """Return the remaining clips, after the last frame, and forget all frames."""
        frames, start_s = self._frames, self._start_s
        if not frames or start_s is None:
            return []
        if self._whole_if_short and frames[-1].time_s - start_s <= MAX_CLIP_S:
            clips = [frames] if len(frames) > 1 else []
        else:
            clips = [frames[first:end] for first, end in _find(frames)]
        self._frames, self._start_s = [], None
        return clips

    def _cut(self, until_s: float) -> list[Clip]:
        """Return the movements that ended before a time, and forget the frames that are not needed any more."""
        frames, found, needed = self._frames, [], 0
        for first, end in _find(frames):
            if frames[end - 1].time_s >= until_s and frames[-1].time_s - frames[first].time_s < _MAX_OPEN_S:
                needed = first
                break
            found.append(frames[first:end])
            needed = end
        else:
            # Everything until the last margin is at rest.
            oldest_s = until_s - DEFAULT_LIMITS.margin_s
            needed = max(needed, next((row for row, each in enumerate(frames) if each.time_s >= oldest_s), 0))
        self._frames = frames[needed:]
        return found


def _find(frames: Clip) -> Iterator[tuple[int, int]]:
    measured = measure_clip(frames)
    return iter(segment_movements(measured.time_s, measured.landmarks, width=measured.width, height=measured.height))
