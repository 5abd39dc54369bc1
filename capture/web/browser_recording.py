"""A recording whose frames a page sends, with the same session, quality gate and summary as other recordings."""

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any, Final

from aslkit.capture.movement.hand_tracker import HandTracker
from aslkit.capture.session.lifecycle import RecordingLifecycle, RecordingResult
from aslkit.capture.web.clip_uploads import ClipUploads
from aslkit.capture.web.controller import RecordingController
from aslkit.capture.web.frame_analyzer import FrameAnalyzer, HandFrameAnalyzer

BROWSER_CAMERA: Final = "browser"
"""Camera of a session recorded in a browser, in session.json."""


class BrowserRecording:
    """A recording in a browser, which is open until `close`.

    Args:
        lifecycle: opens the session, and writes its summary.
        letters: letters that can be recorded, the first one first.
        analyze_frame: measures frames; None uses MediaPipe.
        options: further arguments of `RecordingController`.

    Attributes:
        controller: handles the page's requests.

    Raises:
        AslkitError: another process is recording into the session.
    """

    def __init__(
        self,
        lifecycle: RecordingLifecycle,
        letters: Sequence[str],
        *,
        analyze_frame: FrameAnalyzer | None = None,
        **options: Any,
    ) -> None:
        self._lifecycle = lifecycle
        with ExitStack() as stack:
            analyzer = analyze_frame or stack.enter_context(HandFrameAnalyzer())
            recording = stack.enter_context(lifecycle.open_recording(letters))
            if analyze_frame is None:
                tracker = stack.enter_context(HandTracker())
                options["clips"] = ClipUploads(
                    recording, lambda frame, time_s: tracker.find(frame), start_tracking=tracker.forget
                )
            self.controller = RecordingController(recording, analyzer, **options)
            self._summary = stack.enter_context(
                lifecycle.write_session_summary(
                    recording, close=recording.close, frame_statistics=self._frame_statistics
                )
            )
            self._stack = stack.pop_all()

    def close(self, end_reason: str) -> RecordingResult:
        """Write the remaining frames and the summary, and return the result.

        Args:
            end_reason: why the recording ended.

        Raises:
            OSError: the last frame could not be written. Frames stored before are complete.
        """
        self.controller.close()
        self._summary["ended_by"] = end_reason
        self._stack.close()
        return self._lifecycle.result(self.controller.recording, self._summary)

    def _frame_statistics(self) -> dict[str, Any]:
        """Return the same keys as `SourceRecording.frame_statistics`.

        The page waits for the response to a frame before it sends the next one, so none is dropped.
        """
        rate = self.controller.frame_rate
        median = rate.fps(50)
        fps = None if median is None else {"p50": median, "p95": rate.fps(95)}
        return {"seen": rate.frames, "dropped": 0, "fps": fps, "cameras": self.controller.cameras}
