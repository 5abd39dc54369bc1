"""Opens a session for a recording, and writes its summary to session.json at the end."""

import platform
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache, cached_property, partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from aslkit.capture.config import CaptureConfig, GateConfig
from aslkit.capture.session.recording import Recording
from aslkit.capture.session.store import RecoveryReport, Session, load_earlier_frames
from aslkit.core.letters import MOTION_LETTERS
from aslkit.core.workspace import SYNTHETIC_PREFIX, Workspace
from aslkit.formats import signers
from aslkit.formats.captures import SessionInfo
from aslkit.formats.licences import PRIVATE, derive_consent
from aslkit.formats.reviews import count_usable_clips, count_usable_letters
from aslkit.formats.signers import SignerDetails
from aslkit.vision.frame_metrics import FrameMetrics, measure_frame
from aslkit.vision.hand_landmarker import create_landmarker
from aslkit.vision.images import Frame

CTRL_C: Final = "stopped with Ctrl-C"

_SOFTWARE: Final = ("aslkit", "mediapipe", "opencv-python", "numpy")


@dataclass(frozen=True, kw_only=True)
class RecordingResult:
    """Result of a recording.

    Attributes:
        info: description of the session.
        folder: folder of the session.
        letters: number of frames of each letter that were stored and not undone.
        clips: number of clips of each letter that were stored and not undone.
        counts: number of images of each letter, or of clips for letters in `clips`, that the signer has now, in all
            sessions, without those that people dropped in review.
        rejected: number of rejected frames, by reason.
        rejected_clips: number of rejected clips, by reason.
        end_reason: why the recording ended.
        recovered: what was repaired after an earlier, interrupted recording.
        report: summary as stored in session.json; empty if there was nothing to record.
    """

    info: SessionInfo
    folder: Path
    letters: dict[str, int] = field(default_factory=dict)
    clips: dict[str, int] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    rejected: dict[str, int] = field(default_factory=dict)
    rejected_clips: dict[str, int] = field(default_factory=dict)
    end_reason: str
    recovered: RecoveryReport = field(default_factory=RecoveryReport)
    report: dict[str, Any] = field(default_factory=dict)

    @property
    def stored(self) -> int:
        """Number of frames of all letters that were stored and not undone."""
        return sum(self.letters.values())


@dataclass(frozen=True, kw_only=True)
class RecordingLifecycle:
    """Opens the session of a recording and writes its summary.

    Attributes:
        workspace: workspace to record into.
        info: signer, session and camera.
        capture: configuration of the recording.
        gate: configuration of the quality gate.
        count: number of frames or clips of each letter to store; None records until the goal is reached.
        can_ask: whether the signer can answer a question.
        ask_licence: whether to ask for the licence if `info` states none. Otherwise the images are private.
        clip_letters: letters that are recorded as clips.
    """

    workspace: Workspace
    info: SessionInfo
    capture: CaptureConfig
    gate: GateConfig
    count: int | None
    can_ask: bool
    ask_licence: bool = False
    clip_letters: Collection[str] = MOTION_LETTERS

    @property
    def folder(self) -> Path:
        """Folder of the session."""
        return self.workspace.captures / self.info.signer / self.info.session

    @cached_property
    def counts(self) -> Counter[str]:
        """Number of images, or of clips, of each letter that the signer had before, in all sessions, without dropped
        ones.
        """
        return self._count()

    def _count(self) -> Counter[str]:
        counts = count_usable_letters(self.workspace, self.info.signer)
        clips = count_usable_clips(self.workspace, self.info.signer)
        for letter in self.clip_letters:
            del counts[letter]  # frames of "none" do not count for clips of "none"
        return counts + Counter({letter: clips[letter] for letter in self.clip_letters})

    def share_done(self, letter: str) -> float:
        """Return the share of the goal that a letter had reached before; 1 if it is complete."""
        goal = self.capture.clip_goal if letter in self.clip_letters else self.capture.goal
        return min(1.0, self.counts[letter] / goal)

    def incomplete_letters(self, letters: Sequence[str]) -> list[str]:
        """Return the letters that need more frames or clips, those with the fewest first."""
        return sorted(
            (letter for letter in letters if self.count is not None or self.share_done(letter) < 1),
            key=self.share_done,
        )

    @contextmanager
    def open_recording(self, letters: Sequence[str]) -> Iterator[Recording]:
        """Open the session for a recording, save the licence, and afterwards the signer's usual hand."""
        details = signers.load_signer(self.workspace, self.info.signer)
        with _create_measure() as measure, Session.open(self.workspace, self.info, measure=measure) as session:
            # Count again: opening may have moved damaged images to the trash.
            counts = self._count()
            asks_licence = self.info.licence is None and self.ask_licence
            if not asks_licence:
                self._save_licence(session, session.info.licence or PRIVATE, session.info.consent)
            recording = Recording(
                session,
                capture=self.capture,
                gate=self.gate,
                letters=letters,
                counts=counts,
                earlier_frames=load_earlier_frames(self.workspace, self.info.signer, exclude=self.info.session),
                count=self.count,
                usual_hand=details.hand,
                can_ask=self.can_ask,
                save_licence=partial(self._save_choice, session) if asks_licence else None,
                clip_letters=self.clip_letters,
            )
            yield recording
        if recording.handedness.usual != details.hand:
            details = signers.load_signer(self.workspace, self.info.signer)  # may have been edited in the meantime
            signers.save_signer(self.workspace, self.info.signer, replace(details, hand=recording.handedness.usual))

    def _save_choice(self, session: Session, licence: str) -> None:
        self._save_licence(session, licence, self.info.consent or derive_consent(licence))

    def _save_licence(self, session: Session, licence: str, consent: str | None) -> None:
        session.state_licence(licence, consent)
        if not self.info.signer.startswith(SYNTHETIC_PREFIX):
            signers.save_signer(self.workspace, self.info.signer, SignerDetails(licence=licence, consent=consent))

    @contextmanager
    def write_session_summary(
        self, recording: Recording, *, close: Callable[[], None], frame_statistics: Callable[[], dict[str, Any]]
    ) -> Iterator[dict[str, Any]]:
        """Write the summary of the recording to session.json, at its start and at its end.

        The first version says that the recording was interrupted, and stays if the process crashes.

        Args:
            recording: the running recording.
            close: stops the frame source and closes the recording.
            frame_statistics: returns statistics of the source to add to the summary.

        Yields:
            The summary, to which the caller can add keys.
        """
        software = {name: version(name) for name in _SOFTWARE} | {"python": platform.python_version()}
        encoding = "PNG" if self.capture.format == "png" else f"JPEG {self.capture.jpeg_quality}"
        session_values = {"images": f"unmirrored, {encoding}", "display": "mirrored", "software": software}
        summary: dict[str, Any] = {
            "started": _now(),
            "ended": None,
            "ended_by": "was interrupted",
            "source": self.info.camera,
        }
        try:
            recording.session.update_info(session_values, summary)
            yield summary
        finally:
            # First, because statistics and counts are only final when no thread adds frames any more.
            close()
            summary |= {"ended": _now(), **frame_statistics(), **recording.report()}
            summary["notes"] = [*summary.get("notes", []), *recording.notes()]
            recording.session.update_info(session_values | {"ended": summary["ended"]}, summary)

    def result(self, recording: Recording, summary: dict[str, Any]) -> RecordingResult:
        """Return the result of a recording that has ended.

        Raises:
            OSError: the last frame could not be written.
        """
        # Raises what prevented the last frame from being written. `close` does not, so that clean-up always completes.
        recording.flush()
        return RecordingResult(
            info=recording.session.info,
            folder=self.folder,
            letters=recording.stored_frames,
            clips=recording.stored_clips,
            counts=recording.counts,
            rejected={str(reason): number for reason, number in recording.rejected.items()},
            rejected_clips={str(reason): number for reason, number in recording.rejected_clips.items()},
            end_reason=summary["ended_by"],
            recovered=recording.session.recovered,
            report=summary,
        )

    def empty_result(self) -> RecordingResult:
        """Return the result if all letters are complete already."""
        return RecordingResult(
            info=self.info,
            folder=self.folder,
            counts=self.counts,
            end_reason="complete already; use --goal or --count to record more",
        )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


@contextmanager
def _create_measure() -> Iterator[Callable[[Frame], FrameMetrics]]:
    """Yield a function that measures frames; the landmarker is only created when it is needed."""
    with ExitStack() as stack:
        landmarker = cache(lambda: stack.enter_context(create_landmarker()))
        yield lambda frame: measure_frame(frame, landmarker().find_all(frame))
