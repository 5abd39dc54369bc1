"""Frames on their way from a stream to the recording: tracking, judging and storing; and the hand's speed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from threading import Event
from typing import Any

import numpy as np
import pytest

from aslkit.capture import frame_pipeline as module
from aslkit.capture.config import CaptureConfig, GateConfig
from aslkit.capture.frame_pipeline import FramePipeline
from aslkit.capture.quality.hand_speed import MAX_GAP_S, HandSpeedTracker
from aslkit.capture.session.recording import Recording
from aslkit.video.source_frame import SourceFrame, SourceLost
from aslkit.video.stream import Stream
from aslkit.vision.frame_metrics import measure_frame
from aslkit.vision.hand_landmarker import Hand
from aslkit.vision.images import Frame
from aslkit.vision.near_duplicate import joints_in_pixels, palm_lengths

FakeSource = Callable[..., Any]
WaitUntil = Callable[[Callable[[], object]], None]


@contextmanager
def running_pipeline(
    recording: Recording, stream: Stream, *, wait: bool = True, keep: bool = True
) -> Iterator[FramePipeline]:
    pipeline = FramePipeline(recording, should_keep=lambda: keep, wait=wait)
    pipeline.start(stream)
    try:
        yield pipeline
    finally:
        pipeline.stop(stream)
        pipeline.close()


def stored_files(recording: Recording) -> list[str]:
    recording.flush()
    return [entry.file for entry in recording.session.entries]


@pytest.mark.parametrize(
    ("interval_s", "expected"),
    [
        (0.0, range(12)),
        (0.1, range(12)),
        (0.3, range(0, 12, 3)),
        (0.25, range(0, 12, 3)),
        (9.0, [0]),
    ],
)
def test_stored_frames_respect_interval(
    open_recording: Any,
    fake_source: FakeSource,
    gate_off: GateConfig,
    capture_config: CaptureConfig,
    interval_s: float,
    expected: list[int],
) -> None:
    with open_recording(gate=gate_off, capture=replace(capture_config, interval_s=interval_s)) as recording:
        with running_pipeline(recording, Stream(fake_source(range(12)), live=False)) as pipeline:
            assert pipeline.finished.wait(20)
            pipeline.check()
        assert stored_files(recording) == [f"A/{number}.jpg" for number in expected]
        assert pipeline.dropped == 0


def test_all_frames_without_time_are_judged(open_recording: Any, gate_off: GateConfig) -> None:
    @contextmanager
    def folder() -> Iterator[Iterator[SourceFrame]]:
        yield (
            SourceFrame(image=np.full((48, 64, 3), number, np.uint8), name=str(number), time_s=None, captured_at=None)
            for number in range(9)
        )

    with open_recording(gate=gate_off) as recording:
        with running_pipeline(recording, Stream(folder, live=False)) as pipeline:
            assert pipeline.finished.wait(20)
        assert len(stored_files(recording)) == 9


def test_reopened_source_is_stored_immediately(
    open_recording: Any, fake_source: FakeSource, gate_off: GateConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aslkit.video.stream._RETRY_INTERVAL_S", 0.0)
    with open_recording(gate=gate_off) as recording:
        source = fake_source([50, 51, SourceLost("gone")], [0, 1])
        with running_pipeline(recording, Stream(source, live=False)) as pipeline:
            assert pipeline.finished.wait(20)
        assert stored_files(recording) == ["A/50.jpg", "A/51.jpg", "A/0.jpg", "A/1.jpg"]


def test_frames_are_judged_but_not_stored_without_keep(
    open_recording: Any, fake_source: FakeSource, gate_off: GateConfig
) -> None:
    with open_recording(gate=gate_off) as recording:
        with running_pipeline(recording, Stream(fake_source([7]), live=False), keep=False) as pipeline:
            assert pipeline.finished.wait(20)
            assert pipeline.newest is not None
            assert (pipeline.newest.frame == 7).all()
            assert pipeline.decision is not None
            assert pipeline.decision.reasons == ("too-dark", "no-hand")
        assert stored_files(recording) == []


def test_slow_judging_drops_and_counts_camera_frames(
    open_recording: Any,
    fake_source: FakeSource,
    gate_off: GateConfig,
    capture_config: CaptureConfig,
    wait_until: WaitUntil,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    judging_allowed, source_may_end = Event(), Event()
    monkeypatch.setattr(
        module, "measure_frame", lambda *args, **kwargs: judging_allowed.wait(20) and measure_frame(*args, **kwargs)
    )
    with open_recording(gate=gate_off, capture=replace(capture_config, interval_s=0.0)) as recording:
        stream = Stream(fake_source([*range(50), source_may_end]), live=True)
        with running_pipeline(recording, stream, wait=False) as pipeline:
            wait_until(lambda: stream.frame_count == 50 and pipeline.newest is not None)
            judging_allowed.set()
            source_may_end.set()
            assert pipeline.finished.wait(20)
        stored = stored_files(recording)
        assert len(stored) + pipeline.dropped + recording.dropped + stream.frames.dropped == 50


def test_check_raises_error_of_judging_thread(
    open_recording: Any,
    fake_source: FakeSource,
    gate_off: GateConfig,
    wait_until: WaitUntil,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def raise_error(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(module, "measure_frame", raise_error)
    with (
        open_recording(gate=gate_off) as recording,
        running_pipeline(recording, Stream(fake_source(range(1000)), live=False)) as pipeline,
    ):
        assert pipeline.finished.wait(20)
        with pytest.raises(ZeroDivisionError):
            pipeline.check()


def test_check_raises_error_of_tracking_thread(
    open_recording: Any, fake_source: FakeSource, gate_off: GateConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def raise_error(*_: object) -> None:
        raise ZeroDivisionError

    with open_recording(gate=gate_off) as recording:
        monkeypatch.setattr(FramePipeline, "_get_tracker", raise_error)
        with running_pipeline(recording, Stream(fake_source(range(1000)), live=False)) as pipeline:
            assert pipeline.finished.wait(20)
            with pytest.raises(ZeroDivisionError):
                pipeline.check()


def test_frame_size_may_change_during_recording(
    open_recording: Any, fake_source: FakeSource, synthetic_hand: tuple[Frame, Hand], gate_config: GateConfig
) -> None:
    """Rotating a phone changes the frame size. Uses the real landmarkers."""
    wide = synthetic_hand[0]
    tall = np.ascontiguousarray(wide[:, 160:480])
    with open_recording() as recording:
        source = fake_source([wide, wide, tall, tall, wide])
        with running_pipeline(recording, Stream(source, live=False)) as pipeline:
            assert pipeline.finished.wait(20)
            pipeline.check()
        stored_files(recording)
        sizes = [(entry.width, entry.height) for entry in recording.session.entries]
        assert sizes == [(640, 480), (320, 480)]
        assert recording.rejected.total() == 3
        assert all(entry.landmarks is not None for entry in recording.session.entries)


def test_stop_leaves_complete_frames_only(
    open_recording: Any, fake_source: FakeSource, gate_off: GateConfig, wait_until: WaitUntil
) -> None:
    with open_recording(gate=gate_off) as recording:
        with running_pipeline(recording, Stream(fake_source(range(10**6)), live=False)):
            wait_until(lambda: recording.stored["A"] > 3)
        stored = stored_files(recording)
        assert len(stored) == recording.stored["A"]


# Hand speed


def shift_hand(hand: Hand, distance: float, *, width: int, height: int) -> Hand:
    """Return the hand moved to the right by a distance in palm lengths."""
    palm = palm_lengths(joints_in_pixels(hand.landmarks, width, height)[None])[0]
    return replace(hand, landmarks=(hand.landmarks + np.array([distance * palm / width, 0, 0])).astype(np.float32))


@pytest.mark.parametrize(("width", "height"), [(640, 480), (1280, 720), (480, 640)])
def test_speed_is_measured_in_palm_lengths_per_second(
    synthetic_hand: tuple[Frame, Hand], width: int, height: int
) -> None:
    tracker, hand = HandSpeedTracker(), synthetic_hand[1]
    size = {"width": width, "height": height}
    assert tracker.speed(hand, time_s=5.0, **size) is None
    assert tracker.speed(hand, time_s=5.1, **size) == pytest.approx(0)
    assert tracker.speed(shift_hand(hand, 0.2, **size), time_s=5.2, **size) == pytest.approx(2, rel=1e-3)


def test_speed_is_none_without_hand_time_or_recent_frame(synthetic_hand: tuple[Frame, Hand]) -> None:
    hand, size = synthetic_hand[1], {"width": 64, "height": 48}
    for before, after in ((0.0, MAX_GAP_S + 0.1), (5.0, 5.0), (5.0, 1.0), (None, None), (0.1, None)):
        tracker = HandSpeedTracker()
        tracker.speed(hand, time_s=before, **size)
        assert tracker.speed(hand, time_s=after, **size) is None
    tracker = HandSpeedTracker()
    tracker.speed(hand, time_s=0.0, **size)
    assert tracker.speed(None, time_s=0.1, **size) is None
    assert tracker.speed(hand, time_s=0.2, **size) is None
