"""Frames on their way from a stream to the sitting: followed, judged, stored, none twice and none without its look."""

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
from aslkit.capture.quality.hand_speed import FORGOTTEN_S, HandSpeedTracker
from aslkit.capture.session.recording import Recording
from aslkit.video.sources import SourceFrame, SourceLost
from aslkit.video.stream import Stream
from aslkit.vision.frame_metrics import measure_frame
from aslkit.vision.hand_landmarker import Hand
from aslkit.vision.images import Frame
from aslkit.vision.near_duplicate import joints_in_pixels, palm_lengths

Played = Callable[..., Any]
Until = Callable[[Callable[[], object]], None]


@contextmanager
def watching(sitting: Recording, stream: Stream, *, wait: bool = True, keep: bool = True) -> Iterator[FramePipeline]:
    watch = FramePipeline(sitting, keep=lambda: keep, wait=wait)
    watch.start(stream)
    try:
        yield watch
    finally:
        watch.stop(stream)
        watch.close()


def names(sitting: Recording) -> list[str]:
    sitting.flush()
    return [entry.file for entry in sitting.session.entries]


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
def test_frames_are_the_interval_apart_and_none_is_lost(
    sit: Any, played: Played, blind: GateConfig, ways: CaptureConfig, interval_s: float, expected: list[int]
) -> None:
    with sit(gate=blind, capture=replace(ways, interval_s=interval_s)) as sitting:
        with watching(sitting, Stream(played(range(12)), live=False)) as watch:
            assert watch.finished.wait(20)
            watch.check()
        assert names(sitting) == [f"A/{number}.jpg" for number in expected]
        assert watch.dropped == 0


def test_frames_without_a_time_are_all_judged(sit: Any, blind: GateConfig) -> None:
    @contextmanager
    def folder() -> Iterator[Iterator[SourceFrame]]:
        yield (
            SourceFrame(image=np.full((48, 64, 3), number, np.uint8), name=str(number), time_s=None, captured_at=None)
            for number in range(9)
        )

    with sit(gate=blind) as sitting:
        with watching(sitting, Stream(folder, live=False)) as watch:
            assert watch.finished.wait(20)
        assert len(names(sitting)) == 9


def test_a_source_that_begins_anew_is_stored_at_once(
    sit: Any, played: Played, blind: GateConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aslkit.video.stream._RETRY_S", 0.0)
    with sit(gate=blind) as sitting:
        source = played([50, 51, SourceLost("gone")], [0, 1])
        with watching(sitting, Stream(source, live=False)) as watch:
            assert watch.finished.wait(20)
        assert names(sitting) == ["A/50.jpg", "A/51.jpg", "A/0.jpg", "A/1.jpg"]


def test_while_nothing_is_kept_frames_are_shown_and_judged(sit: Any, played: Played, blind: GateConfig) -> None:
    with sit(gate=blind) as sitting:
        with watching(sitting, Stream(played([7]), live=False), keep=False) as watch:
            assert watch.finished.wait(20)
            assert watch.newest is not None
            assert (watch.newest.frame == 7).all()
            assert watch.decision is not None
            assert watch.decision.reasons == ("too-dark", "no-hand")
        assert names(sitting) == []


def test_a_slow_judge_costs_a_camera_frames_and_they_are_counted(
    sit: Any, played: Played, blind: GateConfig, ways: CaptureConfig, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    on, shown_all = Event(), Event()
    monkeypatch.setattr(module, "measure_frame", lambda *given, **other: on.wait(20) and measure_frame(*given, **other))
    with sit(gate=blind, capture=replace(ways, interval_s=0.0)) as sitting:
        stream = Stream(played([*range(50), shown_all]), live=True)
        with watching(sitting, stream, wait=False) as watch:
            until(lambda: stream.seen == 50 and watch.newest is not None)
            on.set()
            shown_all.set()
            assert watch.finished.wait(20)
        stored = names(sitting)
        assert len(stored) + watch.dropped + sitting.late + stream.frames.lost == 50


def test_an_error_in_judging_reaches_the_caller_and_ends_all(
    sit: Any, played: Played, blind: GateConfig, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(module, "measure_frame", fails)
    with sit(gate=blind) as sitting, watching(sitting, Stream(played(range(1000)), live=False)) as watch:
        assert watch.finished.wait(20)
        with pytest.raises(ZeroDivisionError):
            watch.check()


def test_an_error_in_following_reaches_the_caller(
    sit: Any, played: Played, blind: GateConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise ZeroDivisionError

    with sit(gate=blind) as sitting:
        monkeypatch.setattr(FramePipeline, "_follower", fails)
        with watching(sitting, Stream(played(range(1000)), live=False)) as watch:
            assert watch.finished.wait(20)
            with pytest.raises(ZeroDivisionError):
                watch.check()


def test_pictures_of_another_size_in_the_middle_are_followed_and_stored(
    sit: Any, played: Played, drawn: tuple[Frame, Hand], limits: GateConfig
) -> None:
    """As when a telephone is turned: through the real landmarkers."""
    wide = drawn[0]
    tall = np.ascontiguousarray(wide[:, 160:480])
    with sit() as sitting:
        source = played([wide, wide, tall, tall, wide])
        with watching(sitting, Stream(source, live=False)) as watch:
            assert watch.finished.wait(20)
            watch.check()
        names(sitting)
        sizes = [(entry.width, entry.height) for entry in sitting.session.entries]
        assert sizes == [(640, 480), (320, 480)]
        assert sitting.refused.total() == 3
        assert all(entry.landmarks is not None for entry in sitting.session.entries)


def test_stopping_in_the_middle_leaves_only_whole_frames(
    sit: Any, played: Played, blind: GateConfig, until: Until
) -> None:
    with sit(gate=blind) as sitting:
        with watching(sitting, Stream(played(range(10**6)), live=False)):
            until(lambda: sitting.stored["A"] > 3)
        stored = names(sitting)
        assert len(stored) == sitting.stored["A"]


# Motion


def moved(hand: Hand, palms: float, *, width: int, height: int) -> Hand:
    """The hand, so many lengths of its palm to the right."""
    palm = palm_lengths(joints_in_pixels(hand.landmarks, width, height)[None])[0]
    return replace(hand, landmarks=(hand.landmarks + np.array([palms * palm / width, 0, 0])).astype(np.float32))


@pytest.mark.parametrize(("width", "height"), [(640, 480), (1280, 720), (480, 640)])
def test_speed_is_in_palm_lengths_a_second(drawn: tuple[Frame, Hand], width: int, height: int) -> None:
    motion, hand = HandSpeedTracker(), drawn[1]
    size = {"width": width, "height": height}
    assert motion.speed(hand, time_s=5.0, **size) is None
    assert motion.speed(hand, time_s=5.1, **size) == pytest.approx(0)
    assert motion.speed(moved(hand, 0.2, **size), time_s=5.2, **size) == pytest.approx(2, rel=1e-3)


def test_speed_is_unknown_where_it_cannot_be_told(drawn: tuple[Frame, Hand]) -> None:
    hand, size = drawn[1], {"width": 64, "height": 48}
    for before, after in ((0.0, FORGOTTEN_S + 0.1), (5.0, 5.0), (5.0, 1.0), (None, None), (0.1, None)):
        motion = HandSpeedTracker()
        motion.speed(hand, time_s=before, **size)
        assert motion.speed(hand, time_s=after, **size) is None
    motion = HandSpeedTracker()
    motion.speed(hand, time_s=0.0, **size)
    assert motion.speed(None, time_s=0.1, **size) is None
    assert motion.speed(hand, time_s=0.2, **size) is None
