"""Bodies of requests. FastAPI validates them, and describes them in /openapi.json."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Name = Annotated[str, Field(min_length=1, max_length=64)]
Letter = Annotated[
    str, Field(pattern="^[A-IK-Y]$", description="One of the 24 letters that are signed without movement.")
]

AnyLetter = Annotated[str, Field(pattern="^[A-Z]$", description="A letter of the alphabet.")]

RecordedLetter = Annotated[str, Field(pattern="^([A-Z]|none)$", description="A letter, or none.")]


class Body(BaseModel):
    """A body without other keys than those described."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Empty(Body):
    """An empty object."""


class PersonBody(Body):
    """Details of a person."""

    name: Name
    hand: Literal["left", "right"] | None = None
    licence: Annotated[str, Field(max_length=64)] = "private"
    consent: Annotated[str, Field(max_length=500)] | None = None
    new: bool = False


class RecordingBody(Body):
    """Whose recording to open, and with which letter to go on after a restart of the server."""

    signer: Name
    letter: RecordedLetter | None = None
    take_over: bool = False


class CameraBody(Body):
    """What the browser reports about its camera; values of unexpected types are ignored."""

    label: object = None
    settings: object = None


class LetterBody(Body):
    """A letter, or a step to the next (1) or previous (-1) incomplete letter."""

    letter: RecordedLetter | None = None
    step: Literal[1, -1] | None = None


class ClipBody(Body):
    """A clip that is complete."""

    clip: Annotated[int, Field(ge=0, le=10**9)]


class AnswerBody(Body):
    """Whether the signer really uses the other hand."""

    confirmed: bool


class LicenceBody(Body):
    """The licence that the signer chooses."""

    licence: Annotated[str, Field(max_length=64)]


class DecisionBody(Body):
    """A decision about frames, by their keys SIGNER/SESSION/LETTER/NAME."""

    frames: Annotated[list[Annotated[str, Field(max_length=600)]], Field(min_length=1, max_length=20_000)]
    action: Literal["keep", "drop", "relabel", "reset"]
    letter: Letter | Literal["none"] | None = None


class TrainingBody(Body):
    """How to train."""

    compare: bool = False
    hold_out: Name | None = None


class ReadingBody(Body):
    """Which runs to try."""

    runs: Annotated[list[Annotated[str, Field(max_length=250)]], Field(min_length=1, max_length=2)]
    take_over: bool = False
    words: Annotated[bool | None, Field(description="Suggest and correct words. Null for as in the settings.")] = None


class KeyBody(Body):
    """An edit of the text."""

    key: Literal["space", "delete", "clear", "suggestion", "undo"]


class ExamBody(Body):
    """An exam: who signs, which letters, and how often each."""

    signer: Name
    letters: Annotated[list[AnyLetter], Field(min_length=1, max_length=26)]
    times: Annotated[int, Field(ge=1, le=20)] = 1
    seed: Annotated[int, Field(ge=0, le=2**31)] = 0


class ExportBody(Body):
    """An export of a run."""

    run: Annotated[str, Field(min_length=1, max_length=250)]
    format: Literal["page", "tflite", "onnx"]


class PreparationBody(Body):
    """A copy of a dataset for sharing."""

    dataset: Name
    images: Literal["crop", "whole", "none"] = "crop"
    pseudonyms: bool = False
