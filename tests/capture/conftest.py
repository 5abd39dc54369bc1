"""Hands and frames without a camera, and sittings to put them before."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any, Protocol

import numpy as np
import pytest

from aslkit.capture.config import CaptureConfig, GateConfig
from aslkit.capture.session.recording import GateDecision, Recording
from aslkit.capture.session.store import Session
from aslkit.core.config import load
from aslkit.core.errors import AslkitError
from aslkit.core.workspace import Workspace
from aslkit.formats.captures import SessionInfo, count_letters
from aslkit.formats.frame_index import IndexEntry
from aslkit.synthetic import Signer, render_frames
from aslkit.synthetic import SyntheticSession as Room
from aslkit.video.sources import SourceFrame
from aslkit.vision.frame_metrics import FrameMetrics
from aslkit.vision.hand_landmarker import Hand
from aslkit.vision.images import Frame
from aslkit.vision.perceptual_hash import FINE_BITS

Sit = Callable[..., AbstractContextManager[Recording]]


class Seen(Protocol):
    """Makes the look of a good frame; frames of different numbers are not alike."""

    def __call__(self, number: int = 0, **changes: Any) -> FrameMetrics: ...


class Offer(Protocol):
    """Puts a frame before a sitting."""

    def __call__(self, sitting: Recording, number: int, *, keep: bool = True, **changes: Any) -> GateDecision: ...


@pytest.fixture(scope="session")
def ways() -> CaptureConfig:
    """How `aslkit capture` records by default."""
    return load("capture", CaptureConfig)


@pytest.fixture(scope="session")
def limits() -> GateConfig:
    """The gate as it is by default."""
    return load("gate", GateConfig)


@pytest.fixture(scope="session")
def drawn() -> tuple[Frame, Hand]:
    """A sharp frame, 480×640, and the hand that was drawn into it: a right one."""
    frame = next(render_frames("B", signer=Signer(name="synthetic-plain"), session=Room(name="plain")))
    return frame.image, Hand(landmarks=frame.joints, handedness="right", score=0.97)


@pytest.fixture(scope="session")
def seen(drawn: tuple[Frame, Hand]) -> Seen:
    def make(number: int = 0, **changes: Any) -> FrameMetrics:
        chance = np.random.default_rng(number)
        hashes = {"phash": int.from_bytes(chance.bytes(8)), "fine_hash": int.from_bytes(chance.bytes(FINE_BITS // 8))}
        good = FrameMetrics(
            hands=1, hand=drawn[1], width=64, height=48, brightness=0.6, blur_fine=0.3, blur_coarse=0.3, **hashes
        )
        side = changes.pop("side", None)
        return replace(good, **changes) if side is None else replace(good, hand=replace(drawn[1], handedness=side))

    return make


@pytest.fixture(scope="session")
def entry(seen: Seen) -> Callable[[str], IndexEntry]:
    def make(file: str, number: int = 0, **other: Any) -> IndexEntry:
        return IndexEntry.from_metrics(seen(number), file=file, **other)

    return make


def picture_of(number: int) -> Frame:
    return np.full((48, 64, 3), number % 256, np.uint8)


@pytest.fixture(scope="session")
def offer(seen: Seen) -> Offer:
    def give(sitting: Recording, number: int, *, keep: bool = True, **changes: Any) -> GateDecision:
        ways = {key: changes.pop(key) for key in ("turn", "at", "wait") if key in changes}
        rest: Mapping[str, Any] = {"at": None, "wait": True} | ways
        return sitting.offer(picture_of(number), seen(number, **changes), name=str(number), keep=keep, **rest)

    return give


@pytest.fixture
def empty(tmp_path: Path) -> Workspace:
    """A workspace in which nothing is."""
    return Workspace(root=tmp_path / "workspace")


@pytest.fixture
def sit(empty: Workspace, ways: CaptureConfig, limits: GateConfig, seen: Seen) -> Sit:
    """Opens a session and sits ada down."""

    @contextmanager
    def begin(letters: str = "AB", *, session: str = "one", **other: Any) -> Iterator[Recording]:
        info = SessionInfo(signer="ada", session=session, camera="test")
        asked: dict[str, Any] = {
            "capture": ways,
            "gate": limits,
            "counts": count_letters(empty.captures, "ada"),
        } | other
        with Session.open(empty, info, look_at=lambda frame: seen(frame.sum())) as opened:
            sitting = Recording(opened, letters=tuple(letters), **asked)
            try:
                yield sitting
            finally:
                sitting.close()

    return begin


DEADLINE_S = 20.0


@pytest.fixture(scope="session")
def until() -> Callable[[Callable[[], object]], None]:
    """Waits for a condition, or fails."""

    def wait(condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + DEADLINE_S
        while not condition():
            assert time.monotonic() < deadline
            time.sleep(0.002)

    return wait


Step = int | BaseException | Event | Frame
"""A frame of that number or with that picture, an error, or something to wait for."""


class Played:
    """A source: each time that it is opened, it does what the next of `takes` says, step by step; then all fails."""

    def __init__(self, *takes: Sequence[Step] | AslkitError) -> None:
        self.takes, self.opened, self.closed = list(takes), 0, 0

    @contextmanager
    def __call__(self, *_: object, **__: object) -> Iterator[Iterator[SourceFrame]]:
        self.opened += 1
        take = self.takes.pop(0) if self.takes else AslkitError("It cannot be opened.")
        if isinstance(take, AslkitError):
            raise take
        try:
            yield self._frames(take)
        finally:
            self.closed += 1

    @staticmethod
    def _frames(take: Sequence[Step]) -> Iterator[SourceFrame]:
        for place, step in enumerate(take):
            if isinstance(step, BaseException):
                raise step
            if isinstance(step, Event):
                step.wait(DEADLINE_S)
            else:
                number, image = (step, picture_of(step)) if isinstance(step, int) else (place, step)
                yield SourceFrame(image=image, name=str(number), time_s=number / 10, captured_at=None)


@pytest.fixture(scope="session")
def played() -> type[Played]:
    return Played


class Blind:
    """A landmarker that sees no hand, at no cost."""

    def __init__(self, **_: object) -> None:
        pass

    def find(self, frame: Frame) -> Hand | None:
        return None

    def find_all(self, frame: Frame) -> tuple[Hand, ...]:
        return ()

    def close(self) -> None:
        pass


@pytest.fixture
def blind(monkeypatch: pytest.MonkeyPatch, limits: GateConfig) -> GateConfig:
    """Nobody looks for hands, and the gate that is returned lets all frames through."""
    monkeypatch.setattr("aslkit.capture.frame_pipeline.HandLandmarker", Blind)
    return replace(limits, enabled=False)
