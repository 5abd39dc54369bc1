"""Running the recorder until the signer has finished, or until Ctrl-C."""

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
    """How it went.

    Attributes:
        finished: whether the signer ended it on the page; otherwise Ctrl-C did.
        frames: received, of which most are only judged.
        fps: frames a second that came in, at the median; None where there were none.
        fps_slow: likewise, but 19 of 20 gaps between frames were shorter.
        cameras: label and settings of each camera that the page used, as the browser tells them.
        failure: why the disk took no more frames; None where it took them all.
    """

    finished: bool
    frames: int
    fps: float | None
    fps_slow: float | None
    cameras: list[dict[str, Any]]
    failure: OSError | None


def serve_recording(
    sitting: Recording,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    on_message: OnMessage,
    look: FrameAnalyzer | None = None,
    certificate: Path | None = None,
    key: Path | None = None,
) -> ServeResult:
    """Serve the page until the signer has finished, or until Ctrl-C. The caller closes the sitting afterwards.

    Args:
        sitting: where frames go.
        host: to listen at. Beyond this machine, the page speaks HTTPS and asks for a token.
        port: 0 picks a free one.
        on_message: is given each line that the user must read, as soon as the page can be opened.
        look: measures frames; None for MediaPipe.
        certificate: the user's own, PEM; None for one that signs itself, where one is needed.
        key: of `certificate`.

    Raises:
        AslkitError: the port is taken, or nothing can listen at that host.
        InputError: certificate or key are missing or wrong.
    """
    with RecordingServer(sitting, host=host, port=port, look=look, certificate=certificate, key=key) as recorder:
        for line in recorder.words():
            on_message(line)
        return recorder.run()


class RecordingServer(server.PageServer):
    """A recorder that listens, for `run` to serve.

    Args: as `serve_recording`.

    Attributes:
        desk: what the page is told.
    """

    may = "can record into this session. Give it to the signer only."
    end = "Ctrl-C, or Finish on the page, ends the sitting."

    def __init__(self, sitting: Recording, *, look: FrameAnalyzer | None = None, **where: Any) -> None:
        with ExitStack() as stack:
            self.desk = desk = PageController(sitting, look or stack.enter_context(HandFrameAnalyzer()))
            super().__init__(lambda addresses, stop: create_app(desk, addresses, on_finish=stop), **where)
            self._stack.enter_context(stack.pop_all())

    def run(self) -> ServeResult:
        """Serve until the signer has finished, until `stop`, or until Ctrl-C."""
        self.serve()
        desk = self.desk
        desk.close()
        return ServeResult(
            finished=desk.turns.finished,
            frames=desk.pace.frames,
            fps=desk.pace.fps(50),
            fps_slow=desk.pace.fps(95),
            cameras=desk.cameras,
            failure=desk.failure,
        )
