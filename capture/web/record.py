"""Recording in the browser: the same session, sitting and gate, with the page in place of window and camera."""

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
    """Serve the recorder's page until it is finished there, or until Ctrl-C.

    Args:
        letters: which may be recorded.
        workspace: where to.
        info: who is recorded.
        capture: how to record.
        gate: what frames must be like.
        count: frames of each letter to store now; None for as many as the goal wants.
        host: where to listen; beyond this machine, the page needs the token in the address that is announced.
        port: likewise; 0 takes a free one.
        certificate: the user's own, PEM; None for one that signs itself, where one is needed.
        key: of the certificate.
        on_message: is given what the user must read.

    Raises:
        AslkitError: the port is taken; another process records into the session.
        OSError: the disk is full. What was stored before is whole.
    """
    seat = RecordingLifecycle(workspace=workspace, info=info, capture=capture, gate=gate, count=count, ask=True)
    lacking = seat.missing_letters(letters)
    if not lacking:
        return seat.empty_result()
    frames: dict[str, Any] = {}
    with (
        seat.open_recording(lacking) as sitting,
        seat.write_session_record(sitting, close=sitting.close, frames=lambda: frames) as outcome,
    ):
        served = serve_recording(sitting, host=host, port=port, certificate=certificate, key=key, on_message=on_message)
        frames |= _frames(served)
        outcome["ended_by"] = "finished on the page" if served.finished else CTRL_C
    if served.failure is not None:
        raise served.failure
    return seat.result(sitting, outcome)


def _frames(served: ServeResult) -> dict[str, Any]:
    """As `Recording.frames` tells it; the page sends no frame before the last one is answered, so none is dropped."""
    fps = None if served.fps is None else {"p50": served.fps, "p95": served.fps_slow}
    return {"seen": served.frames, "dropped": 0, "fps": fps, "cameras": served.cameras}
