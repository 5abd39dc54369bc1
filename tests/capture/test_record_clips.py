"""Complete recordings of clips in the terminal, from videos that are made from the synthetic signer."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aslkit.capture.config import CaptureConfig, GateConfig
from aslkit.capture.frame_pipeline import FramePipeline
from aslkit.capture.record import record
from aslkit.capture.session.lifecycle import RecordingResult
from aslkit.capture.terminal import record_in_terminal
from aslkit.core.workspace import Workspace
from aslkit.formats.captures import SessionInfo, walk_captures
from aslkit.formats.clips import CapturedClip, read_clip, walk_clips
from aslkit.video.source_frame import SourceFrame
from aslkit.video.stream import Stream
from aslkit.vision.images import Frame, encode_jpeg
from tests.capture.movies import FPS, ONE_J, render_j, write_movie

RecordClips = Callable[..., RecordingResult]


@pytest.fixture
def j_frames() -> list[Frame]:
    return list(render_j())


def write_video(path: Path, frames: list[Frame]) -> str:
    return str(write_movie(path, tuple(frames)))


@pytest.fixture
def record_clips(empty_workspace: Workspace, capture_config: CaptureConfig, gate_config: GateConfig) -> RecordClips:
    def run(source: str, *, letter: str = "J", messages: list[str] | None = None, **other: Any) -> RecordingResult:
        arguments: dict[str, Any] = {
            "capture": capture_config,
            "gate": gate_config,
            "count": 9,
            "screen": partial(record_in_terminal, on_message=(messages if messages is not None else []).append),
        }
        info = SessionInfo(signer="ada", session="one", camera="test", licence="private")
        return record((letter,), source=source, workspace=empty_workspace, info=info, **arguments | other)

    return run


def stored_clips(workspace: Workspace) -> list[CapturedClip]:
    return [read_clip(folder) for folder in walk_clips(workspace.captures)]


def test_long_video_is_cut_into_its_movements(
    tmp_path: Path, j_frames: list[Frame], record_clips: RecordClips, empty_workspace: Workspace
) -> None:
    messages: list[str] = []
    result = record_clips(write_video(tmp_path / "j.mp4", j_frames), messages=messages)
    clips = stored_clips(empty_workspace)
    assert (result.clips, result.letters, result.end_reason) == ({"J": len(clips)}, {}, "the source ended")
    assert len(clips) >= 2
    for clip in clips:
        assert 0.5 <= clip.duration_s <= 2
        assert len(clip.frames) == pytest.approx(clip.duration_s * FPS, abs=1.5)  # every frame
        assert sum(frame.landmarks is not None for frame in clip.frames) >= 0.8 * len(clip.frames)
    # The way back to the start is no J.
    assert result.rejected_clips["straight"] >= 1
    assert not any("way back" in message for message in messages)
    assert list(walk_captures(empty_workspace.captures)) == []
    report = json.loads((result.folder / "session.json").read_text())["recordings"][0]
    assert (report["clips"], report["stored"]) == ({"J": len(clips)}, 0)


def test_video_of_one_movement_is_one_clip_and_repeats_exactly(
    tmp_path: Path, j_frames: list[Frame], record_clips: RecordClips, empty_workspace: Workspace
) -> None:
    video = write_video(tmp_path / "j.mp4", j_frames[ONE_J])
    assert record_clips(video).clips == {"J": 1}
    assert record_clips(video).clips == {"J": 1}
    first, second = stored_clips(empty_workspace)
    assert len(first.frames) == 35
    assert first.frames == second.frames


def test_folder_of_images_has_the_times_of_the_configured_rate(
    tmp_path: Path, j_frames: list[Frame], record_clips: RecordClips, empty_workspace: Workspace,
    capture_config: CaptureConfig,
) -> None:  # fmt: skip
    for number, frame in enumerate(j_frames[ONE_J]):
        (tmp_path / f"{number}.jpg").write_bytes(encode_jpeg(frame))
    assert record_clips(str(tmp_path), capture=replace(capture_config, clip_fps=20)).clips == {"J": 1}
    (clip,) = stored_clips(empty_workspace)
    assert [frame.time_ms for frame in clip.frames[:3]] == [0, 50, 100]


def test_still_video_says_what_is_missing(
    tmp_path: Path, j_frames: list[Frame], record_clips: RecordClips, empty_workspace: Workspace
) -> None:
    result = record_clips(write_video(tmp_path / "still.mp4", [j_frames[0]] * 100))
    assert result.clips == {}
    assert "No movement was found in 100 frames." in result.report["notes"][0]
    messages: list[str] = []
    short = write_video(tmp_path / "short.mp4", [j_frames[0]] * 30)
    assert record_clips(short, messages=messages).rejected_clips == {"no-movement": 1}
    assert messages == ["Clip of J rejected. Hardly any movement. Draw the letter larger."]


def test_negative_movements_need_no_letter_and_may_leave(
    tmp_path: Path, j_frames: list[Frame], record_clips: RecordClips, empty_workspace: Workspace
) -> None:
    empty = np.full_like(j_frames[0], 120)
    video = write_video(tmp_path / "wave.mp4", [*j_frames[68:93], *[empty] * 20])
    assert record_clips(video).rejected_clips == {"hand-missing": 1}
    assert record_clips(video, letter="none", clip_letters=("J", "Z", "none")).clips == {"none": 1}
    assert [clip.letter for clip in stored_clips(empty_workspace)] == ["none"]


class PacedFrames:
    """A camera that delivers frames at 30 per second, faster than they can be tracked."""

    def __init__(self, frames: list[Frame]) -> None:
        self.frames = frames

    @contextmanager
    def __call__(self) -> Iterator[Iterator[SourceFrame]]:
        yield self._deliver()

    def _deliver(self) -> Iterator[SourceFrame]:
        for number, frame in enumerate(self.frames):
            time.sleep(1 / FPS)
            yield SourceFrame(image=frame, name=f"c{number:04d}", time_s=number / FPS, captured_at=None)


def test_no_frame_of_a_clip_is_lost_when_tracking_is_slow(
    open_recording: Any, j_frames: list[Frame], monkeypatch: pytest.MonkeyPatch, empty_workspace: Workspace,
    wait_until: Any,
) -> None:  # fmt: skip
    from aslkit.capture.movement.hand_tracker import HandTracker

    find = HandTracker.find

    def find_slowly(tracker: HandTracker, frame: Frame) -> Any:
        time.sleep(0.05)
        return find(tracker, frame)

    monkeypatch.setattr(HandTracker, "find", find_slowly)
    with open_recording("J") as recording:
        stream = Stream(PacedFrames([*j_frames[:60], *[j_frames[0]] * 60]), live=True)
        pipeline = FramePipeline(recording, should_keep=lambda: False, wait=False)
        pipeline.start(stream)
        try:
            wait_until(lambda: stream.frame_count >= 8)
            pipeline.start_clip()
            wait_until(lambda: stream.frame_count >= 48)
            pipeline.end_clip(time.monotonic())
            wait_until(lambda: pipeline.clips.decisions)
            pipeline.check()
        finally:
            pipeline.stop(stream)
            pipeline.close()
        assert recording.counts == {"J": 1}
    (clip,) = stored_clips(empty_workspace)
    assert len(clip.frames) >= 38
    assert {later.time_ms - earlier.time_ms for earlier, later in zip(clip.frames, clip.frames[1:], strict=False)} <= {
        33, 34,
    }  # fmt: skip


def test_stream_that_ends_during_a_clip_leaves_nothing(
    open_recording: Any, j_frames: list[Frame], empty_workspace: Workspace, wait_until: Any
) -> None:
    with open_recording("J") as recording:
        stream = Stream(PacedFrames(j_frames[:40]), live=True)
        pipeline = FramePipeline(recording, should_keep=lambda: False, wait=False)
        pipeline.start(stream)
        wait_until(lambda: stream.frame_count >= 5)
        pipeline.start_clip()
        assert pipeline.finished.wait(20)
        pipeline.stop(stream)
        pipeline.close()
        assert recording.counts == {}
    assert stored_clips(empty_workspace) == []


KILLED_SCRIPT = """
import sys
from collections import Counter
from itertools import count
from pathlib import Path
from aslkit.capture.config import CaptureConfig, GateConfig
from aslkit.capture.session.recording import Recording
from aslkit.capture.session.store import Session
from aslkit.core.config import load_settings
from aslkit.core.workspace import Workspace
from aslkit.formats.captures import SessionInfo
from tests.capture.clip_hands import clip_of

gate, capture = load_settings("gate", GateConfig), load_settings("capture", CaptureConfig)
info, frames = SessionInfo(signer="ada", session="one", camera="test"), clip_of("J")
with Session.open(Workspace(root=Path(sys.argv[1])), info, measure=None) as session:
    recording = Recording(session, capture=capture, gate=gate, letters="J", counts=Counter(), count=10**6)
    for number in count():
        print(recording.process_clip(frames, name=f"c{number}", letter="J").stored.file, flush=True)
"""


def test_killed_recording_leaves_complete_clips_only(empty_workspace: Workspace, open_recording: Any) -> None:
    root = Path(__file__).parents[2]
    for delay_s in (0.02, 0.037, 0.051):
        with subprocess.Popen(
            [sys.executable, "-c", KILLED_SCRIPT, str(empty_workspace.root)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=root,
        ) as process:
            assert process.stdout is not None
            reported = [process.stdout.readline().strip()]
            time.sleep(delay_s)
            process.send_signal(signal.SIGKILL)
            reported += process.stdout.read().split()
        assert reported[0] == "J/c0"
        with open_recording("J") as recording:
            assert recording.session.recovered.damaged_clips == 0
        stored = {"/".join(folder.parts[-2:]) for folder in walk_clips(empty_workspace.captures)}
        assert set(reported) <= stored
        assert len(stored) <= len(reported) + 1
        assert all(read_clip(folder).duration_s > 1 for folder in walk_clips(empty_workspace.captures))
        assert not [path for path in (recording.session.folder / "J").iterdir() if path.name[0] == "."]
        for folder in walk_clips(empty_workspace.captures):
            folder.rename(folder.parents[1] / f"moved-{delay_s}-{folder.name}")
