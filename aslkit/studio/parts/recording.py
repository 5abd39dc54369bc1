"""The part Record: at most one recording at a time, by one page at a time."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from threading import RLock
from typing import Any, Final

from aslkit.capture.config import CaptureConfig, GateConfig
from aslkit.capture.session.lifecycle import RecordingLifecycle, RecordingResult
from aslkit.capture.web.browser_recording import BROWSER_CAMERA, BrowserRecording
from aslkit.capture.web.controller import RecordingController, recording_closed
from aslkit.capture.web.frame_analyzer import FrameAnalyzer
from aslkit.core.files import remove
from aslkit.core.letters import ALPHABET, CLIP_LETTERS, NO_LETTER
from aslkit.core.workspace import Workspace, make_name, validate_name, validate_signer
from aslkit.formats.captures import SESSION_FILE, SessionInfo
from aslkit.formats.frame_index import INDEX_FILE
from aslkit.formats.signers import load_signer
from aslkit.studio.parts.preview import RecordingPreview
from aslkit.web.active_page import ActivePage

FINISHED: Final = "finished on the page"
SWITCHED: Final = "another person was chosen on the page"


@dataclass(frozen=True, kw_only=True)
class RecordingOptions:
    """What `aslkit capture --web` sets.

    Attributes:
        letters: letters that can be recorded.
        count: number of frames or clips of each letter to store; None records until the goal is reached.
        session: name of the session; None for today's date.
        signer: proposed signer; None for none.
    """

    letters: Sequence[str] = (*ALPHABET, NO_LETTER)
    count: int | None = None
    session: str | None = None
    signer: str | None = None


class RecordingPart:
    """Opens and closes recordings. Thread-safe.

    Args:
        workspace: workspace to record into.
        capture, gate: settings.
        options: what the command line sets.
        analyze_frame: measures frames; None uses MediaPipe.
        on_change: called when a recording was opened or closed, or frames were stored.

    Attributes:
        active_page: the page that may record.
        results: results of the recordings that were closed, in order.
    """

    def __init__(
        self,
        workspace: Workspace,
        capture: CaptureConfig,
        gate: GateConfig,
        options: RecordingOptions,
        *,
        analyze_frame: FrameAnalyzer | None = None,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self._workspace, self._capture, self._gate, self.options = workspace, capture, gate, options
        self._analyze_frame, self._on_change = analyze_frame, on_change
        self._lock = RLock()
        self._recording: BrowserRecording | None = None
        self._preview: RecordingPreview | None = None
        self.results: list[RecordingResult] = []
        self.active_page = ActivePage(
            capture.web_fps,
            taken_over_message="Recording continues in another window. Record here, or close this window.",
        )

    @property
    def controller(self) -> RecordingController:
        """Handles the requests of the open recording.

        Raises:
            RequestRefused: no recording is open.
        """
        if self._recording is None:
            raise recording_closed()
        return self._recording.controller

    @property
    def signer(self) -> str | None:
        """The signer of the open recording; None if none is open."""
        recording = self._recording
        return None if recording is None else recording.controller.recording.session.info.signer

    def open(
        self, signer: str, page: str | None, *, letter: str | None = None, take_over: bool = False
    ) -> dict[str, Any]:
        """Start a recording of a signer, or continue the open one, and return its state with the page's identifier.

        Args:
            signer: name of the signer.
            page: identifier that the page was given before; None if it is new.
            letter: letter to start with; None for the one with the fewest frames.
            take_over: end what another page records.

        Raises:
            RequestRefused: another page is recording (409).
            InputError: the name is invalid.
            AslkitError: another process is recording into the session.
        """
        signer = validate_signer(signer, synthetic=False)
        with self._lock, self.active_page.claim_or_restore(page, take_over=take_over) as (token, _):
            if self.signer != signer:
                self._close(SWITCHED)
                self._recording = self._open_recording(signer)
                if letter in self.controller.recording.letters:
                    self.controller.select_letter(letter)
                self._on_change()
            return self.controller.state() | {"page": token}

    def _open_recording(self, signer: str) -> BrowserRecording:
        details = load_signer(self._workspace, signer)
        default = make_name(f"{datetime.now().astimezone():%Y-%m-%d} {BROWSER_CAMERA}")
        info = SessionInfo(
            signer=signer, session=validate_name("session", self.options.session or default), camera=BROWSER_CAMERA,
            licence=details.licence if details.has_chosen else None, consent=details.consent,
        )  # fmt: skip
        lifecycle = RecordingLifecycle(
            workspace=self._workspace, info=info, capture=self._capture, gate=self._gate, count=self.options.count,
            can_ask=True, ask_licence=True, clip_letters=CLIP_LETTERS,
        )  # fmt: skip
        letters = sorted(self.options.letters, key=lifecycle.share_done)
        preview = RecordingPreview(self._workspace, signer, self._count_frames)
        recording = BrowserRecording(lifecycle, letters, analyze_frame=self._analyze_frame, read_preview=preview.read)
        self._preview = preview
        return recording

    def _count_frames(self) -> dict[str, int]:
        recording = self.controller.recording
        return {letter: count for letter, count in recording.counts.items() if not recording.records_clips(letter)}

    def frame_stored(self) -> None:
        """Let the preview know of a new frame."""
        preview = self._preview
        if preview is not None:
            preview.frame_stored()

    def finish(self) -> dict[str, Any]:
        """Close the recording, and return its summary."""
        with self._lock:
            summary = self.controller.summary()
            with suppress(OSError):  # the summary says so
                self._close(FINISHED)
            self.active_page.release()
            self._on_change()
            return summary

    def close(self, end_reason: str) -> None:
        """Close the recording, if one is open.

        Raises:
            OSError: the last frame could not be written. Frames stored before are complete.
        """
        with self._lock:
            self._close(end_reason)

    def _close(self, end_reason: str) -> None:
        recording, self._recording = self._recording, None
        preview, self._preview = self._preview, None
        if preview is not None:
            preview.close()
        if recording is not None:
            result = recording.close(end_reason)
            _remove_if_empty(result.folder)
            self.results.append(result)


def _remove_if_empty(session: Path) -> None:
    """Remove the folder of a session in which nothing was ever stored, and its signer's, if that is empty then."""
    if {path.name for path in session.iterdir()} <= {SESSION_FILE, ".lock", INDEX_FILE} and not any(
        path.stat().st_size for path in session.glob(INDEX_FILE)
    ):
        remove(session)
        with suppress(OSError):  # not empty
            session.parent.rmdir()
