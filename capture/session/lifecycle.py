"""Seating a signer: the session opened, what is known of signer and letters brought along, the outcome written down."""

import platform
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache, cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from aslkit.capture import signers
from aslkit.capture.config import CaptureConfig, GateConfig
from aslkit.capture.session.recording import Recording
from aslkit.capture.session.store import RecoveryReport, Session, load_earlier_frames
from aslkit.core.workspace import Workspace
from aslkit.formats.captures import SessionInfo, count_letters
from aslkit.vision.frame_metrics import FrameMetrics, measure_frame
from aslkit.vision.hand_landmarker import create_landmarker
from aslkit.vision.images import Frame

CTRL_C: Final = "stopped with Ctrl-C"

_RECORDED_WITH: Final = ("aslkit", "mediapipe", "opencv-python", "numpy")


@dataclass(frozen=True, kw_only=True)
class RecordingResult:
    """What a recording did.

    Attributes:
        folder: of the session.
        letters: how many frames of each letter were stored and not undone.
        counts: how many images of each letter the signer has now, in all sessions.
        refused: frames that were not stored, by reason.
        ended: why it ended.
        recovered: what an earlier, interrupted recording had left.
        report: as it stands in session.json; empty where there was nothing to record.
    """

    folder: Path
    letters: dict[str, int] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    refused: dict[str, int] = field(default_factory=dict)
    ended: str
    recovered: RecoveryReport = field(default_factory=RecoveryReport)
    report: dict[str, Any] = field(default_factory=dict)

    @property
    def stored(self) -> int:
        """Frames stored and not undone, of all letters."""
        return sum(self.letters.values())


@dataclass(frozen=True, kw_only=True)
class RecordingLifecycle:
    """Sits a signer down: opens the session, and keeps what is to be known of it when it is over.

    Attributes:
        workspace, info, capture, gate, count, ask: as `record` takes them.
    """

    workspace: Workspace
    info: SessionInfo
    capture: CaptureConfig
    gate: GateConfig
    count: int | None
    ask: bool

    @property
    def folder(self) -> Path:
        """Of the session."""
        return self.workspace.captures / self.info.signer / self.info.session

    @cached_property
    def counts(self) -> Counter[str]:
        """How many images of each letter the signer had before, in all sessions."""
        return count_letters(self.workspace.captures, self.info.signer)

    def missing_letters(self, letters: Sequence[str]) -> list[str]:
        """Those of the letters that want frames, least first."""
        wanted = [each for each in letters if self.count is not None or self.counts[each] < self.capture.goal]
        return sorted(wanted, key=lambda letter: self.counts[letter])

    @contextmanager
    def open_recording(self, letters: Sequence[str]) -> Iterator[Recording]:
        """Open the session for a sitting; afterwards, remember the signer's usual hand."""
        stated = signers.load_signer(self.workspace, self.info.signer)
        with _looking() as look_at, Session.open(self.workspace, self.info, look_at=look_at) as session:
            sitting = Recording(
                session,
                capture=self.capture,
                gate=self.gate,
                letters=letters,
                counts=count_letters(self.workspace.captures, self.info.signer),  # anew: damaged ones are gone
                before=load_earlier_frames(self.workspace, self.info.signer, but=self.info.session),
                count=self.count,
                usual_hand=stated.hand,
                ask=self.ask,
            )
            yield sitting
        if sitting.handedness.usual != stated.hand:
            stated = signers.load_signer(self.workspace, self.info.signer)  # somebody may have edited it meanwhile
            signers.save_signer(self.workspace, self.info.signer, replace(stated, hand=sitting.handedness.usual))

    @contextmanager
    def write_session_record(
        self, sitting: Recording, *, close: Callable[[], None], frames: Callable[[], dict[str, Any]]
    ) -> Iterator[dict[str, Any]]:
        """Keep in session.json how it goes: at its beginning, so that a crash shows, and at its end."""
        software = {name: version(name) for name in _RECORDED_WITH} | {"python": platform.python_version()}
        encoding = "PNG" if self.capture.format == "png" else f"JPEG {self.capture.jpeg_quality}"
        about = {"images": f"unmirrored, {encoding}", "display": "mirrored", "software": software}
        outcome: dict[str, Any] = {
            "started": _now(),
            "ended": None,
            "ended_by": "was interrupted",
            "source": self.info.camera,
        }
        try:
            sitting.session.update_info(about, outcome)
            yield outcome
        finally:
            close()
            outcome |= {"ended": _now(), **frames(), **sitting.report()}
            sitting.session.update_info(about | {"ended": outcome["ended"]}, outcome)

    def result(self, sitting: Recording, outcome: dict[str, Any]) -> RecordingResult:
        """What came of it.

        Raises:
            OSError: the last frames could not be written.
        """
        sitting.flush()
        return RecordingResult(
            folder=self.folder,
            letters={letter: number for letter, number in sitting.stored.items() if number},
            counts=sitting.counts,
            refused={str(reason): number for reason, number in sitting.refused.items()},
            ended=outcome["ended_by"],
            recovered=sitting.session.recovered,
            report=outcome,
        )

    def empty_result(self) -> RecordingResult:
        """Where all letters have what is wanted."""
        return RecordingResult(
            folder=self.folder, counts=self.counts, ended="complete already; --goal or --count wants more"
        )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


@contextmanager
def _looking() -> Iterator[Callable[[Frame], FrameMetrics]]:
    """What looks at frames without an index; the landmarker is only started where there are any."""
    with ExitStack() as stack:
        landmarker = cache(lambda: stack.enter_context(create_landmarker()))
        yield lambda frame: measure_frame(frame, landmarker().find_all(frame))
