"""Clips that a page sends frame by frame. They are judged, and stored, only when they are complete."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Final

from aslkit.capture.movement.clip_frame import BrightnessMeter, TrackedFrame
from aslkit.capture.session.decisions import ClipDecision
from aslkit.capture.session.encoded_frame import encode_image
from aslkit.capture.session.recording import Recording
from aslkit.formats.captures import frame_timestamp
from aslkit.vision.hand_landmarker import Hand
from aslkit.vision.images import Frame
from aslkit.web.request_limits import RequestRefused, decode_upload

MAX_FRAMES: Final = 160
MAX_BYTES: Final = 64_000_000
"""Of one clip: 2.5 s at 60 frames per second, in frames of 1280×720."""

FindHand = Callable[[Frame, float], Hand | None]
"""Finds the hand in consecutive frames. Arguments: the frame, and when it was taken, seconds."""


@dataclass(frozen=True, kw_only=True)
class ClipFrameUpload:
    """A frame of a clip.

    Attributes:
        data: encoded image, JPEG or PNG.
        clip: number of the clip on the page.
        page: identifier of the page.
        revision: `Recording.revision` known to the page when the clip began.
        letter: letter that the page records.
        taken_s: time at which the frame was taken, seconds on the page's monotonic clock.
    """

    data: bytes
    clip: int
    page: str
    revision: int
    letter: str
    taken_s: float


class ClipUploads:
    """The clip that a page is sending. Thread-safe.

    Args:
        recording: judges and stores the clips.
        find_hand: finds the hand in consecutive frames.
        start_tracking: called before the first frame of a clip.
    """

    def __init__(
        self, recording: Recording, find_hand: FindHand, *, start_tracking: Callable[[], None] = lambda: None
    ) -> None:
        self._recording, self._find_hand, self._start_tracking = recording, find_hand, start_tracking
        self._frames: list[ClipFrameUpload] = []
        self._lock = Lock()

    def add(self, upload: ClipFrameUpload) -> int:
        """Keep a frame, and return the number of frames of its clip. A new clip replaces one that was not finished.

        Raises:
            RequestRefused: the clip has too many frames, or its letter is not recorded as clips.
        """
        recording = self._recording
        if upload.letter not in recording.letters or not recording.records_clips(upload.letter):
            raise RequestRefused(422, f"Clips of {upload.letter} are not being recorded.")
        with self._lock:
            if self._frames and (self._frames[0].page, self._frames[0].clip) != (upload.page, upload.clip):
                self._frames = []
            size = sum(len(frame.data) for frame in self._frames) + len(upload.data)
            if len(self._frames) >= MAX_FRAMES or size > MAX_BYTES:
                raise RequestRefused(413, f"A clip has {MAX_FRAMES} frames at most. Send fewer per second.")
            self._frames.append(upload)
            return len(self._frames)

    def finish(self, page: str, clip: int, *, now: datetime) -> ClipDecision:
        """Judge the clip, and store it if it is good.

        Args:
            page: identifier of the page.
            clip: number of the clip on the page.
            now: current time, which names the clip.

        Raises:
            RequestRefused: no frame of the clip has arrived, or one cannot be decoded.
            OSError: the disk is full.
        """
        with self._lock:
            uploads, self._frames = self._frames, []
        uploads = [upload for upload in uploads if (upload.page, upload.clip) == (page, clip)]
        if not uploads:
            raise RequestRefused(422, "No frame of this clip has arrived. Record it again.")
        frames = self._track(uploads)
        longest_s = self._recording.gate.clip_longest_s
        frames = [frame for frame in frames if frame.time_s - frames[0].time_s <= longest_s]
        first = uploads[0]
        return self._recording.process_clip(
            frames, name=frame_timestamp(now), letter=first.letter, revision=first.revision
        )

    def _track(self, uploads: list[ClipFrameUpload]) -> list[TrackedFrame]:
        """Return the frames in the order in which they were taken, with the hand in each."""
        self._start_tracking()
        brightness, frames = BrightnessMeter(), []
        for upload in sorted(uploads, key=lambda upload: upload.taken_s):
            image = decode_upload(upload.data)
            data, suffix = encode_image(image, self._recording.capture)
            hand = self._find_hand(image, upload.taken_s)
            height, width = image.shape[:2]
            frames.append(
                TrackedFrame(
                    name="",
                    data=data,
                    suffix=suffix,
                    time_s=upload.taken_s,
                    width=width,
                    height=height,
                    hand=hand,
                    brightness=brightness.measure(image, hand, upload.taken_s),
                )
            )
        return frames
