"""Bodies of responses, for /openapi.json. FastAPI checks that each response is as described."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from aslkit.studio.parts.people import Person
from aslkit.studio.parts.sharing import DatasetSummary
from aslkit.studio.parts.training import RunSummary

Point = Annotated[list[float], Field(min_length=2, max_length=2)]
"""x and y, relative to the width and height of the frame."""

Box = Annotated[list[float], Field(min_length=4, max_length=4)]
"""Left, top, right and bottom, in the same units."""


class LicenceChoice(BaseModel):
    """A licence that is offered, see `aslkit.capture.signers.LicenceChoice`."""

    licence: str
    title: str
    permits: str


class Settings(BaseModel):
    """What does not change while the server runs, see `Studio.settings`."""

    version: str
    workspace: str
    alphabet: list[str]
    goal: int
    part: str
    signer: str | None
    run: str | None
    licences: list[LicenceChoice]
    licence_note: str


class RecordingSigner(BaseModel):
    """Who is being recorded."""

    signer: str | None


class ReviewSummary(BaseModel):
    """Numbers of frames, and the time of the last decision."""

    frames: int
    doubtful: int
    decided: int
    changed_ns: int


class JobProgress(BaseModel):
    """A progress bar; times in seconds."""

    progress: str
    done: int
    total: int
    elapsed_s: float
    remaining_s: float | None


class JobState(BaseModel):
    """The running or last job, see `aslkit.studio.jobs.job.Job`."""

    name: str
    kind: str
    state: Literal["running", "finished", "failed", "cancelled"]
    steps: list[str]
    step: int
    started: str
    ended: str | None
    error: str
    log: list[str]
    progress: JobProgress | None
    run: str | None


class Guidance(BaseModel):
    """What each part still needs, and what the accuracy of a model trained now would not show."""

    needs: dict[str, str]
    honesty: str


class State(BaseModel):
    """What all pages show."""

    settings: Settings
    people: list[Person]
    recording: RecordingSigner
    review: ReviewSummary
    job: JobState | None
    runs: list[RunSummary]
    guidance: Guidance


class PersonName(BaseModel):
    """The name of a person as it is stored."""

    name: str


class CameraRequest(BaseModel):
    """What a page should ask of the camera."""

    width: int
    height: int
    fps: float


class LicenceQuestion(BaseModel):
    """The question who may use the images."""

    title: str
    note: str
    choices: list[LicenceChoice]


class RecordingState(BaseModel):
    """The state of a recording, see `RecordingController.state`."""

    signer: str
    session: str
    alphabet: list[str]
    letters: list[str]
    letter: str
    revision: int
    clip_letters: list[str]
    goals: dict[str, int]
    counts: dict[str, int]
    complete: list[str]
    interval_s: float
    countdown_s: float
    burst_s: float
    clip_s: float
    negative_examples: list[str]
    fps: float
    camera: CameraRequest
    recent: list[str]
    usual_hand: Literal["left", "right"] | None
    question: Literal["left", "right"] | None
    licence_question: LicenceQuestion | None
    reason_messages: dict[str, str]
    failure: str | None
    page: str | None = None
    removed: int | None = None
    removed_clips: int | None = None
    restored: int | None = None


class ClipFrames(BaseModel):
    """How many frames of a clip have arrived."""

    frames: int


class ClipResult(RecordingState):
    """The decision about a clip, see `RecordingController.finish_clip`, and the state."""

    stored: str | None
    reasons: list[str]
    messages: list[str]


class PreviewReading(BaseModel):
    """What a model that was adapted to the person reads in a frame."""

    letter: str
    probability: float


class FrameDecision(BaseModel):
    """The decision about a frame, see `RecordingController.process_frame`."""

    reasons: list[str]
    messages: list[str]
    landmarks: list[Point] | None
    box: Box | None
    stored: str | None
    hint: str | None
    question: Literal["left", "right"] | None
    kept: bool
    letter: str
    revision: int
    count: int
    complete: bool
    dropped: int
    usual_hand: Literal["left", "right"] | None
    preview: PreviewReading | None


class RecordingSummary(BaseModel):
    """The summary of a recording, see `RecordingController.summary`."""

    signer: str
    stored: dict[str, int]
    clips: dict[str, int]
    rejected: dict[str, int]
    rejected_clips: dict[str, int]
    undone: int
    dropped: int
    failure: str | None


class Decisions(BaseModel):
    """Action and letter of the current decision of each frame, how many changed, and the number of a new batch."""

    decisions: dict[str, list[str | None]]
    changed: int
    batch: int | None = None


class Sharing(BaseModel):
    """What can be shared, see `aslkit.studio.parts.sharing`."""

    datasets: list[DatasetSummary]
    exports: dict[str, dict[str, int]]
    formats: dict[str, str]


class Accepted(BaseModel):
    """Nothing but that the request was accepted."""
