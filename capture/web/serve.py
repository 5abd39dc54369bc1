"""Serves the recording page until the signer finishes or the user presses Ctrl-C."""

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aslkit.capture.session.recording import Recording
from aslkit.capture.web.app import create_app
from aslkit.capture.web.controller import PageController
from aslkit.capture.web.frame_analyzer import FrameAnalyzer, HandFrameAnalyzer
from aslkit.core.progress import OnMessage
from aslkit.web import server


@dataclass(frozen=True, kw_only=True)
class ServeResult:
    """What the page has done.

    Attributes:
        finished: whether the signer finished on the page; otherwise the server was stopped with Ctrl-C.
        frames: number of frames received, most of which are only judged.
        fps: median frame rate; None if it was not measured.
        fps_p95: frame rate that 95 % of the frames reached; None if it was not measured.
        cameras: label and settings of each camera that the page used, as reported by the browser.
        failure: error of the disk; None if all frames could be written.
    """

    finished: bool
    frames: int
    fps: float | None
    fps_p95: float | None
    cameras: list[dict[str, Any]]
    failure: OSError | None


def serve_recording(
    recording: Recording,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    on_message: OnMessage,
    analyze_frame: FrameAnalyzer | None = None,
    certificate: Path | None = None,
    key: Path | None = None,
) -> ServeResult:
    """Serve the page until the signer finishes or the user presses Ctrl-C. The caller then closes the recording.

    Args:
        recording: judges and stores the frames.
        host: address to listen on. If it is reachable from other machines, the page uses HTTPS and an access token.
        port: TCP port; 0 picks a free one.
        on_message: called with each line that the user should read, once the page can be opened.
        analyze_frame: measures frames; None uses MediaPipe.
        certificate: PEM file with a certificate; None creates a self-signed one if HTTPS is needed.
        key: PEM file with the private key of `certificate`.

    Raises:
        AslkitError: the port is taken, or the host is not an address of this machine.
        InputError: the certificate or its key is missing, unreadable or invalid.
    """
    with RecordingServer(
        recording, host=host, port=port, analyze_frame=analyze_frame, certificate=certificate, key=key
    ) as recording_server:
        return recording_server.run(on_message)


class RecordingServer(server.PageServer):
    """The server of a recording page; call `run` to serve it.

    Args:
        recording: judges and stores the frames.
        analyze_frame: measures frames; None uses MediaPipe.
        options: host, port, certificate and key, see `aslkit.web.server.PageServer`.

    Attributes:
        controller: handles the page's requests.
    """

    access_note = "can record into this session. Give it to the signer only."
    stop_note = "To end the recording, press Ctrl-C, or Finish on the page."

    def __init__(self, recording: Recording, *, analyze_frame: FrameAnalyzer | None = None, **options: Any) -> None:
        with ExitStack() as stack:
            # If the port is taken, the analyzer is closed here; otherwise together with the server.
            analyzer = analyze_frame or stack.enter_context(HandFrameAnalyzer())
            self.controller = controller = PageController(recording, analyzer)
            super().__init__(lambda addresses, stop: create_app(controller, addresses, on_finish=stop), **options)
            self._stack.enter_context(stack.pop_all())

    def run(self, on_message: OnMessage = lambda _: None) -> ServeResult:
        """Serve until the signer finishes, `stop` is called, or the user presses Ctrl-C."""
        self.serve(on_message)
        controller = self.controller
        # The server stops waiting for requests after a few seconds, so a thread may still be measuring a frame.
        controller.close()
        return ServeResult(
            finished=controller.active_page.finished,
            frames=controller.frame_rate.frames,
            fps=controller.frame_rate.fps(50),
            fps_p95=controller.frame_rate.fps(95),
            cameras=controller.cameras,
            failure=controller.failure,
        )
