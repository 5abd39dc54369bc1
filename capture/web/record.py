"""Records in a browser, with the same session, quality gate and summary as recordings from other sources."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from aslkit.capture.config import CaptureConfig, GateConfig
from aslkit.capture.session.lifecycle import CTRL_C, RecordingLifecycle, RecordingResult
from aslkit.capture.web.serve import ServeResult, serve_recording
from aslkit.core.progress import OnMessage
from aslkit.core.workspace import Workspace
from aslkit.formats.captures import SessionInfo


def record_in_browser(
    letters: Sequence[str],
    *,
    workspace: Workspace,
    info: SessionInfo,
    capture: CaptureConfig,
    gate: GateConfig,
    count: int | None,
    host: str,
    port: int,
    certificate: Path | None = None,
    key: Path | None = None,
    on_message: OnMessage,
) -> RecordingResult:
    """Serve the recording page until the signer finishes there or the user presses Ctrl-C.

    Args:
        letters: letters that can be recorded; complete ones are skipped.
        workspace: workspace to record into.
        info: signer and session.
        capture: configuration of the recording.
        gate: configuration of the quality gate.
        count: number of frames of each letter to store; None records until the goal is reached.
        host: address to listen on. If it is reachable from other machines, the page uses HTTPS and an access token.
        port: TCP port; 0 picks a free one.
        certificate: PEM file with a certificate; None creates a self-signed one if HTTPS is needed.
        key: PEM file with the private key of `certificate`.
        on_message: called with each line that the user should read.

    Raises:
        AslkitError: the port is taken, or another process is recording into the session.
        OSError: the disk is full. Frames stored before are complete.
    """
    lifecycle = RecordingLifecycle(
        workspace=workspace, info=info, capture=capture, gate=gate, count=count, can_ask=True, ask_licence=True
    )
    incomplete = lifecycle.incomplete_letters(letters)
    if not incomplete:
        return lifecycle.empty_result()
    statistics: dict[str, Any] = {}
    with (
        lifecycle.open_recording(incomplete) as recording,
        lifecycle.write_session_summary(
            recording, close=recording.close, frame_statistics=lambda: statistics
        ) as summary,
    ):
        served = serve_recording(
            recording, host=host, port=port, certificate=certificate, key=key, on_message=on_message
        )
        statistics |= _frame_statistics(served)
        summary["ended_by"] = "finished on the page" if served.finished else CTRL_C
    if served.failure is not None:
        raise served.failure
    return lifecycle.result(recording, summary)


def _frame_statistics(served: ServeResult) -> dict[str, Any]:
    """Return the same keys as `SourceRecording.frame_statistics`.

    The page waits for the response to a frame before it sends the next one, so none is dropped.
    """
    fps = None if served.fps is None else {"p50": served.fps, "p95": served.fps_p95}
    return {"seen": served.frames, "dropped": 0, "fps": fps, "cameras": served.cameras}
