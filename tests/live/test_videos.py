"""Videos of telephones and browsers in `aslkit live` and `aslkit exam`: upright, at their times, past damage."""

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from aslkit.core.config import load_settings
from aslkit.live.config import LiveConfig
from aslkit.live.exam.result_folder import ExamFolder
from aslkit.live.exam.run import run_exam
from aslkit.live.recogniser import Recognition
from aslkit.live.run import live
from aslkit.vision.images import Frame
from aslkit.vision.preprocess import PreprocessConfig
from tests.video.factories import clear_frames, patch, rotate_track, state_1000_fps, write_video

Read = Callable[[Path], list[str]]
"""Reads a video with a command, and returns its messages."""


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[Frame]:
    """Replaces the recogniser. The frames that it is shown are appended to this list."""
    frames: list[Frame] = []

    def recognise(frame: Frame) -> Recognition:
        frames.append(frame)
        return Recognition(hand=None, letter=None, probabilities=np.zeros(24, np.float32), rejected=True)

    recogniser = SimpleNamespace(
        recognise=recognise, contract=PreprocessConfig(kind="landmarks", threshold=0.9),
        create_motion_reader=lambda: None,
    )  # fmt: skip
    for module in ("aslkit.live.run", "aslkit.live.exam.run"):
        monkeypatch.setattr(f"{module}.Recogniser", lambda run, **_: nullcontext(recogniser))
    return frames


def read_live(path: Path) -> list[str]:
    messages: list[str] = []
    live(
        path.parent, source=str(path), config=load_settings("live", LiveConfig), on_event=lambda event: None,
        on_message=messages.append, windowed=False,
    )  # fmt: skip
    return messages


def read_exam(path: Path) -> list[str]:
    messages: list[str] = []
    metadata: dict[str, Any] = {"run": "run", "signer": "ada", "source": path.name, "seed": 0, "times": 100}
    run_exam(
        path.parent, source=str(path), letters=("A",), prompts=("A",), times=100, rng=np.random.default_rng(0),
        config=load_settings("live", LiveConfig), rest_s=0, windowed=False, on_message=messages.append,
        folder=ExamFolder(path=path.parent / "exam", signer="ada", metadata=metadata),
    )  # fmt: skip
    return messages


both = pytest.mark.parametrize("read", [read_live, read_exam])


@both
@pytest.mark.parametrize("angle", [90, 180, 270])
def test_rotated_video_is_shown_upright(read: Read, angle: int, tmp_path: Path, seen: list[Frame]) -> None:
    upright = np.zeros((48, 64, 3) if angle == 180 else (64, 48, 3), np.uint8)
    upright[:16] = 255
    image = np.ascontiguousarray(np.rot90(upright, k=angle // 90))
    path = write_video(tmp_path / "clip.mp4", 3, codec="mp4v", image=image)
    assert read(patch(path, lambda data: rotate_track(data, angle))) == []
    assert seen[0].shape == upright.shape
    assert seen[0][:8].min() > 200
    assert seen[0][-8:].max() < 50


@pytest.mark.parametrize(("read", "count"), [(read_live, 20), (read_exam, 10)])  # an exam takes a frame every 0.2 s
def test_webm_with_wrong_rate_is_read_at_its_times(read: Read, count: int, tmp_path: Path, seen: list[Frame]) -> None:
    path = patch(write_video(tmp_path / "clip.webm", codec="VP80"), state_1000_fps)
    assert read(path) == []
    assert len(seen) == count


@both
def test_damaged_frames_are_reported(read: Read, tmp_path: Path, seen: list[Frame]) -> None:
    path = patch(write_video(tmp_path / "clip.avi"), lambda data: clear_frames(data, range(8, 12)))
    assert read(path) == ["clip.avi: skipped 4 damaged frames."]
    assert seen[-1].mean() > 170
