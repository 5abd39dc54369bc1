"""Reads video files: upright, at the times of the container, and past damaged frames."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any, Final

from aslkit.core.errors import AslkitError, InputError
from aslkit.core.sanitize import format_count
from aslkit.video.source_frame import Frames, SourceFrame, take_image

OnNote = Callable[[str], None]
"""Called with a sentence about what is wrong with a source that can still be read."""

_DEFAULT_FPS: Final = 30.0
_MAX_FPS: Final = 240.0
"""Highest frame rate that is believed. Phones record 240 fps; browsers state 1000, and some cameras 90,000."""

_MIN_MEAN_INTERVAL_S: Final = 1 / 500
"""Times that put the frames closer together on average are wrong: no phone or webcam is that fast."""

_MAX_GAP_S: Final = 600.0
"""A time that is further ahead of the previous one is wrong."""

_MAX_FAILED_READS: Final = 1000
"""This many failures in a row are the end. Damage lasts until the next key frame, rarely more than 300 frames later."""

_MAX_MISSING_S: Final = 0.5
"""A video that ends this much earlier than it states is reported. Sound may last a little longer than the frames."""


_MIN_SPARSE_S: Final = 5.0
"""A longer video with less than one frame per second is reported."""


_TEXT_BYTES: Final = 4096
"""A file without a zero byte among its first ones is text. The headers of all video formats have one."""


class FrameClock:
    """Derives the time of each frame from the container, or from the frame rate where those times are implausible.

    Args:
        fps: frame rate that the file states; any number, or NaN.

    Attributes:
        interval_s: interval between frames that is assumed without plausible times, seconds.
        assumed: number of frames whose time was derived from the frame rate.
    """

    def __init__(self, fps: float) -> None:
        self.interval_s = 1 / (fps if 0 < fps <= _MAX_FPS else _DEFAULT_FPS)
        self.assumed = 0
        self._position, self._time_s, self._last_stamp_s = -1, -self.interval_s, 0.0

    def time_s(self, position: int, stamp_s: float) -> float:
        """Return the time of a frame in seconds, never less than that of the previous frame.

        Args:
            position: number of frames before this one, including those that cannot be read.
            stamp_s: time that the container states, seconds.
        """
        earliest_s = max(self._last_stamp_s, position * _MIN_MEAN_INTERVAL_S)
        if earliest_s <= stamp_s <= self._last_stamp_s + _MAX_GAP_S:  # False for NaN
            time_s = self._last_stamp_s = stamp_s
        else:
            time_s = self._time_s + (position - self._position) * self.interval_s
            self.assumed += 1
        self._position, self._time_s = position, max(self._time_s, time_s)
        return self._time_s


@contextmanager
def open_video(path: Path, *, start_s: float, end_s: float | None, on_note: OnNote) -> Iterator[Frames]:
    """Open a video file, and close it at the end of the block.

    Args:
        path: of the video.
        start_s: skip the frames before this time, seconds.
        end_s: end before this time, seconds; None for the end of the video.
        on_note: called if frames cannot be read, if the file is incomplete, and if its times or its rotation are
            unknown.

    Yields:
        The frames. After damage, reading continues at the next readable frame.

    Raises:
        AslkitError: the file is not a video, or, while iterating, no frame can be read.
        InputError: raised while iterating, if no frame lies between `start_s` and `end_s`.
    """
    import cv2

    with path.open("rb") as file:
        # FFmpeg shows text as a picture, and opens the files and addresses that a playlist lists.
        is_text = b"\0" not in file.read(_TEXT_BYTES)
    device = cv2.VideoCapture() if is_text else cv2.VideoCapture(str(path))
    try:
        if not device.isOpened():
            raise AslkitError(
                f"{path} cannot be read as a video. If a video player plays it, convert it to MP4 (H.264); otherwise "
                "it is incomplete, or not a video."
            )
        # Phones store frames as the sensor delivers them, and the rotation as metadata. OpenCV's own reader for AVI, a
        # format without rotation, lacks the property.
        upright = device.set(cv2.CAP_PROP_ORIENTATION_AUTO, 1)
        if not upright and path.suffix.lower() != ".avi":
            on_note(f"This OpenCV cannot read the rotation of {path.name}. Check that the stored frames are upright.")
        yield _VideoFrames(device, path, on_note).read(start_s, end_s)
    finally:
        device.release()


class _VideoFrames:
    """The frames of an open video, and what is said about them at the end."""

    def __init__(self, device: Any, path: Path, on_note: OnNote) -> None:
        import cv2

        self._device, self._path, self._on_note = device, path, on_note
        fps, frames = device.get(cv2.CAP_PROP_FPS), device.get(cv2.CAP_PROP_FRAME_COUNT)
        self._stated_frames = frames
        self._stated_s = frames / fps if fps > 0 and frames > 0 else 0.0
        self._clock = FrameClock(fps)
        self._readable = self._unreadable = 0
        self._end_s = 0.0

    def read(self, start_s: float, end_s: float | None) -> Frames:
        # Image names that start with a dot would be skipped as hidden.
        stem, yielded = self._path.stem.lstrip(".") or "video", False
        try:
            for position, time_s in self._grab():
                if end_s is not None and time_s >= end_s:
                    break
                if time_s < start_s:
                    continue
                image = take_image(self._device.retrieve, f"video {self._path.name}")
                if image is None:
                    self._readable, self._unreadable = self._readable - 1, self._unreadable + 1
                    continue
                yielded = True
                yield SourceFrame(image=image, name=f"{stem}-{position:06d}", time_s=time_s, captured_at=None)
            else:
                self._note_early_end()
            if not yielded:
                self._reject(start_s, end_s)
        finally:  # also if the consumer stops earlier
            self._note_faults()

    def _reject(self, start_s: float, end_s: float | None) -> None:
        name = self._path.name
        if self._readable and self._end_s <= start_s:
            raise InputError(f"{name} ends at {self._end_s:.1f} s, before --start ({start_s:g} s).")
        if self._readable and end_s is not None:
            raise InputError(f"{name} has no frame between --start ({start_s:g} s) and --end ({end_s:g} s).")
        raise AslkitError(
            f"{self._path} contains no readable frames. Try it in a video player, or give another source."
        )

    def _grab(self) -> Iterator[tuple[int, float]]:
        """Go to one readable frame after another, and yield its position and time in seconds."""
        import cv2

        last = -1
        for position in count():
            if self._device.grab():
                self._unreadable += position - last - 1
                self._readable, last = self._readable + 1, position
                time_s = self._clock.time_s(position, self._device.get(cv2.CAP_PROP_POS_MSEC) / 1000)
                self._end_s = time_s + self._clock.interval_s
                yield position, time_s
            elif position - last > _MAX_FAILED_READS:
                return

    def _note_early_end(self) -> None:
        # Both, because either may be wrong: a stated rate of 1 fps makes a short video look long. A trimmed video of a
        # phone can state the frames that were cut off.
        missing_s = self._stated_s - self._end_s
        if missing_s > _MAX_MISSING_S and self._readable + self._unreadable < self._stated_frames:
            self._on_note(
                f"{self._path.name} ends at {self._end_s:.1f} s, but states a duration of {self._stated_s:.1f} s. If "
                "its end is missing, copy the file again."
            )
        elif self._end_s > max(_MIN_SPARSE_S, self._readable):  # a slide show, or a file that OpenCV reads badly
            self._on_note(f"{self._path.name} has only {self._readable} frames in {self._end_s:.1f} s.")

    def _note_faults(self) -> None:
        if self._unreadable:
            self._on_note(f"{self._path.name}: skipped {format_count(self._unreadable, 'damaged frame')}.")
        if self._clock.assumed > self._readable / 2:
            self._on_note(
                f"The frame times in {self._path.name} are not plausible. "
                f"{1 / self._clock.interval_s:g} frames per second are assumed."
            )
