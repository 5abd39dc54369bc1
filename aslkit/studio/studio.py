"""The studio of a workspace: its parts, its job, and the values that all open pages show."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import msgspec

from aslkit import __version__
from aslkit.capture.config import CaptureConfig, GateConfig
from aslkit.capture.signers import LICENCE_CHOICES, licence_note
from aslkit.capture.web.frame_analyzer import FrameAnalyzer
from aslkit.core.errors import AslkitError
from aslkit.core.letters import LETTERS
from aslkit.core.workspace import Workspace
from aslkit.live.config import LiveConfig
from aslkit.live.reader import OnEvent
from aslkit.studio.events import EventBroker
from aslkit.studio.jobs.job import LOG_FILE, JobRunner
from aslkit.studio.parts.people import list_people
from aslkit.studio.parts.reading import ReadingPart
from aslkit.studio.parts.recording import RecordingOptions, RecordingPart
from aslkit.studio.parts.review import ReviewPart
from aslkit.studio.parts.sharing import describe_sharing
from aslkit.studio.parts.training import describe_job, honesty_note, list_run_summaries, missing_steps

PEOPLE_INTERVAL_S: Final = 2.0
"""While recording, counts are sent to all pages at most this often: counting reads the folders."""

POLL_S: Final = 0.3
"""Interval at which new frames and the progress of a running job are looked for, seconds."""


@dataclass(frozen=True, kw_only=True)
class StudioOptions:
    """What the command line sets.

    Attributes:
        part: part that the page opens first, such as "record".
        recording: options of recordings.
        run: folder of the run that is proposed for spelling; None for the newest.
    """

    part: str = ""
    recording: RecordingOptions = field(default_factory=RecordingOptions)
    run: Path | None = None


class Studio:
    """The parts of the studio, without HTTP. Use as a context manager.

    Args:
        workspace: workspace that everything is stored in.
        capture, gate, live: settings.
        options: what the command line sets.
        analyze_frame: measures frames while recording; None uses MediaPipe.
        on_event: called with each event of live spelling.

    Attributes:
        recording, reading, review: the parts with a state of their own.
        jobs: runs curation, training and exports.
        events: tells pages what has changed.
    """

    def __init__(
        self,
        workspace: Workspace,
        *,
        capture: CaptureConfig,
        gate: GateConfig,
        live: LiveConfig,
        options: StudioOptions,
        analyze_frame: FrameAnalyzer | None = None,
        on_event: OnEvent = lambda event: None,
    ) -> None:
        self.workspace, self._capture, self.options = workspace, capture, options
        self.recording = RecordingPart(
            workspace, capture, gate, options.recording, analyze_frame=analyze_frame, on_change=self._recording_changed
        )
        self.reading = ReadingPart(workspace, live, run=options.run, on_event=on_event)
        self.review = ReviewPart(workspace)
        self.jobs = JobRunner(workspace)
        self.events = EventBroker(self._sources)
        self._frames_changed = False
        self._closed = threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)

    @cached_property
    def _sources(self) -> dict[str, Callable[[], Any]]:
        return {
            "people": lambda: msgspec.to_builtins(list_people(self.workspace)),
            "recording": lambda: {"signer": self.recording.signer},
            "review": self.review.summary,
            "job": lambda: describe_job(self.jobs),
            "runs": lambda: msgspec.to_builtins(list_run_summaries(self.workspace)),
            "guidance": self._guidance,
        }

    def settings(self) -> dict[str, Any]:
        """Return what does not change while the server runs."""
        recording = self.options.recording
        return {
            "version": __version__,
            "workspace": str(self.workspace.root.absolute()),
            "alphabet": LETTERS,
            "goal": self._capture.goal if recording.count is None else recording.count,
            "part": self.options.part,
            "signer": recording.signer,
            "run": self.options.run and self.options.run.name,
            "licences": [msgspec.to_builtins(choice) for choice in LICENCE_CHOICES],
            "licence_note": licence_note("The person"),
        }

    def sharing(self) -> dict[str, Any]:
        """Return what can be shared."""
        return describe_sharing(self.workspace, list_run_summaries(self.workspace))

    def _guidance(self) -> dict[str, Any]:
        people = list_people(self.workspace)
        return {"needs": missing_steps(people, list_run_summaries(self.workspace)), "honesty": honesty_note(people)}

    def frame_stored(self) -> None:
        """Tell all pages about new or removed frames, at most every PEOPLE_INTERVAL_S."""
        self._frames_changed = True

    def _recording_changed(self) -> None:
        self.events.publish("people", "recording", "guidance")

    def _watch(self) -> None:
        """Publish new frames, the progress of the job, and everything that it may have changed at its end."""
        before, published_s = self._job_version(), 0.0
        while not self._closed.wait(POLL_S):
            if self._frames_changed and time.monotonic() - published_s >= PEOPLE_INTERVAL_S:
                self._frames_changed, published_s = False, time.monotonic()
                self.events.publish("people", "guidance")
            version = self._job_version()
            if version == before:
                continue
            before = version
            self.events.publish("job")
            if version[1] != "running":
                self.events.publish("runs", "review", "guidance")

    def _job_version(self) -> tuple[str, str, int, int]:
        """Return what changes whenever a page should show something else about the job."""
        try:
            job = self.jobs.current()
            changed_ns = (self.jobs.folder / LOG_FILE).stat().st_mtime_ns if job else 0
        except (AslkitError, OSError):  # a job is just being started
            return "", "", 0, 0
        return (job.name, job.state, job.step, changed_ns) if job else ("", "", 0, 0)

    def __enter__(self) -> "Studio":
        self._watcher.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closed.set()
        self.events.close()
        self._watcher.join()
        self.reading.close()
