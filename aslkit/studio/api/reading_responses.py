"""Bodies of responses of the part Try, for /openapi.json."""

from typing import Any, Literal

from pydantic import BaseModel

from aslkit.studio.api.responses import Box, CameraRequest, Point


class RunText(BaseModel):
    """The text spelled with a run."""

    run: str
    text: str


class OpenRun(RunText):
    """A run that is tried, and the letters that it recognises, which an exam may ask for."""

    letters: list[str]


class ReadingState(BaseModel):
    """The runs that are tried, and whether words are suggested and corrected, see `ReadingPart.open`."""

    runs: list[OpenRun]
    words: bool
    page: str
    fps: float
    camera: CameraRequest


class Texts(BaseModel):
    """The text spelled with each run."""

    runs: list[RunText]


class CorrectedWord(BaseModel):
    """A word that was corrected: the letters as they were read, and the word that replaced them."""

    read: str
    word: str


class RunReading(BaseModel):
    """What a run reads in a frame."""

    run: str
    letter: str | None
    top_letters: list[list[str | float]]
    progress: float
    text: str
    suggestion: str | None
    correction: CorrectedWord | None
    landmarks: list[Point] | None
    box: Box | None


class ExamState(BaseModel):
    """The prompt of an exam."""

    phase: Literal["ready", "sign", "rest", "done"]
    letter: str
    number: int
    prompts: int
    remaining_s: float
    results: list[list[str | None]]


class Readings(BaseModel):
    """The readings of a frame."""

    readings: list[RunReading]
    exam: ExamState | None


class ExamStart(BaseModel):
    """The letters of an exam, those that the run does not recognise, and whether it was trained on the signer."""

    letters: list[str]
    left_out: list[str]
    known: bool


class ExamResult(BaseModel):
    """The score of an exam, as in its result.json; further keys describe the exam."""

    accuracy: float
    asked: int
    false_letters: int | None
    letters: list[dict[str, Any]]
    report: str
    model_config = {"extra": "allow"}
