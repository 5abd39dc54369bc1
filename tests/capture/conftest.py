"""Fixtures: hands and frames without a camera, recordings, and fake frame sources."""

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
from aslkit.capture.session.decisions import GateDecision
from aslkit.capture.session.recording import Recording
from aslkit.capture.session.store import Session
from aslkit.core.config import load_settings
from aslkit.core.errors import AslkitError
from aslkit.core.workspace import Workspace
from aslkit.formats.captures import SessionInfo, count_letters
from aslkit.formats.frame_index import IndexEntry
from aslkit.synthetic import Signer, SyntheticSession, render_frames
from aslkit.video.source_frame import SourceFrame
from aslkit.vision.frame_metrics import FrameMetrics
from aslkit.vision.hand_landmarker import Hand
from aslkit.vision.images import Frame
from aslkit.vision.perceptual_hash import FINE_BITS

OpenRecording = Callable[..., AbstractContextManager[Recording]]


class MakeMetrics(Protocol):
    """Creates the metrics of a good frame. Frames with different numbers are not near-duplicates."""

    def __call__(self, number: int = 0, **changes: Any) -> FrameMetrics: ...


class ProcessFrame(Protocol):
    """Passes a frame to a recording."""

    def __call__(self, recording: Recording, number: int, *, keep: bool = True, **changes: Any) -> GateDecision: ...


@pytest.fixture(scope="session")
def capture_config() -> CaptureConfig:
    """The default configuration of recordings."""
    return load_settings("capture", CaptureConfig)


@pytest.fixture(scope="session")
def gate_config() -> GateConfig:
    """The default configuration of the quality gate."""
    return load_settings("gate", GateConfig)


@pytest.fixture(scope="session")
def synthetic_hand() -> tuple[Frame, Hand]:
    """A sharp synthetic frame, 480×640, and the right hand that it shows."""
    frame = next(render_frames("B", signer=Signer(name="synthetic-plain"), session=SyntheticSession(name="plain")))
    return frame.image, Hand(landmarks=frame.joints, handedness="right", score=0.97)


@pytest.fixture(scope="session")
def make_metrics(synthetic_hand: tuple[Frame, Hand]) -> MakeMetrics:
    def make(number: int = 0, **changes: Any) -> FrameMetrics:
        rng = np.random.default_rng(number)
        hashes: dict[str, Any] = {
            "phash": int.from_bytes(rng.bytes(8)),
            "fine_hash": int.from_bytes(rng.bytes(FINE_BITS // 8)),
        }
        good = FrameMetrics(
            hands=1,
            hand=synthetic_hand[1],
            width=64,
            height=48,
            brightness=0.6,
            blur_fine=0.3,
            blur_coarse=0.3,
            **hashes,
        )
        side = changes.pop("side", None)
        return (
            replace(good, **changes)
            if side is None
            else replace(good, hand=replace(synthetic_hand[1], handedness=side))
        )

    return make


@pytest.fixture(scope="session")
def make_entry(make_metrics: MakeMetrics) -> Callable[[str], IndexEntry]:
    def make(file: str, number: int = 0, **other: Any) -> IndexEntry:
        return IndexEntry.from_metrics(make_metrics(number), file=file, **other)

    return make


def solid_image(number: int) -> Frame:
    return np.full((48, 64, 3), number % 256, np.uint8)


@pytest.fixture(scope="session")
def process_frame(make_metrics: MakeMetrics) -> ProcessFrame:
    def process(recording: Recording, number: int, *, keep: bool = True, **changes: Any) -> GateDecision:
        options = {key: changes.pop(key) for key in ("revision", "captured_at", "wait") if key in changes}
        arguments: Mapping[str, Any] = {"captured_at": None, "wait": True} | options
        return recording.process_frame(
            recording.encode(solid_image(number)),
            make_metrics(number, **changes),
            name=str(number),
            keep=keep,
            **arguments,
        )

    return process


@pytest.fixture
def empty_workspace(tmp_path: Path) -> Workspace:
    """An empty workspace."""
    return Workspace(root=tmp_path / "workspace")


@pytest.fixture
def open_recording(
    empty_workspace: Workspace, capture_config: CaptureConfig, gate_config: GateConfig, make_metrics: MakeMetrics
) -> OpenRecording:
    """Opens a session of ada and starts a recording."""

    @contextmanager
    def open_session(letters: str = "AB", *, session: str = "one", **other: Any) -> Iterator[Recording]:
        info = SessionInfo(signer="ada", session=session, camera="test")
        arguments: dict[str, Any] = {
            "capture": capture_config,
            "gate": gate_config,
            "counts": count_letters(empty_workspace.captures, "ada"),
        } | other
        with Session.open(empty_workspace, info, measure=lambda frame: make_metrics(frame.sum())) as opened:
            recording = Recording(opened, letters=tuple(letters), **arguments)
            try:
                yield recording
            finally:
                recording.close()

    return open_session


DEADLINE_S = 20.0


@pytest.fixture(scope="session")
def wait_until() -> Callable[[Callable[[], object]], None]:
    """Waits for a condition; fails after a timeout."""

    def wait(condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + DEADLINE_S
        while not condition():
            assert time.monotonic() < deadline
            time.sleep(0.002)

    return wait


Step = int | BaseException | Event | Frame
"""A frame with this number or image, an error to raise, or an event to wait for."""


class FakeSource:
    """A frame source that plays the steps of the next take each time it is opened, and fails after the last take."""

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
        for index, step in enumerate(take):
            if isinstance(step, BaseException):
                raise step
            if isinstance(step, Event):
                step.wait(DEADLINE_S)
            else:
                number, image = (step, solid_image(step)) if isinstance(step, int) else (index, step)
                yield SourceFrame(image=image, name=str(number), time_s=number / 10, captured_at=None)


@pytest.fixture(scope="session")
def fake_source() -> type[FakeSource]:
    return FakeSource


class NoHandLandmarker:
    """A fast landmarker that never finds a hand."""

    def __init__(self, **_: object) -> None:
        pass

    def find(self, frame: Frame) -> Hand | None:
        return None

    def find_all(self, frame: Frame) -> tuple[Hand, ...]:
        return ()

    def close(self) -> None:
        pass


@pytest.fixture
def gate_off(monkeypatch: pytest.MonkeyPatch, gate_config: GateConfig) -> GateConfig:
    """Disables hand detection, and returns a gate configuration that accepts all frames."""
    monkeypatch.setattr("aslkit.capture.movement.hand_tracker.HandLandmarker", NoHandLandmarker)
    return replace(gate_config, enabled=False)
