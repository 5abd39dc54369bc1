"""Reading video files: rotation, times, damage, and parts. The files are written with OpenCV and patched."""

import math
import re
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from aslkit.core.errors import AslkitError, InputError
from aslkit.video.source_frame import SourceFrame
from aslkit.video.sources import ReadOptions, open_source
from aslkit.video.video_file import FrameClock
from tests.video.factories import MATRICES, clear_frames, patch, rotate_track, state_1000_fps, write_video


def read_video(path: Path, **options: Any) -> tuple[list[SourceFrame], list[str]]:
    """Return the frames of a video, and the notes about it."""
    notes: list[str] = []
    with open_source(
        str(path), letter="A", signer="ada", session="one", on_note=notes.append, options=ReadOptions(**options)
    ) as frames:  # fmt: skip
        return list(frames), notes


def frame_numbers(frames: list[SourceFrame]) -> list[int]:
    return [round(frame.image.mean() / 10) for frame in frames]


def frame_times(frames: list[SourceFrame]) -> list[float]:
    return [frame.time_s for frame in frames if frame.time_s is not None]


# Rotation. The container states by how much a player must turn the frames clockwise.


@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
@pytest.mark.parametrize("angle", MATRICES)
def test_rotated_video_is_read_upright(tmp_path: Path, suffix: str, angle: int) -> None:
    upright = np.zeros((48, 64, 3) if angle in (0, 180) else (64, 48, 3), np.uint8)
    upright[:16, :16], upright[:16, -16:] = (255, 0, 0), (0, 0, 255)  # blue at the top left, red at the top right
    stored = np.ascontiguousarray(np.rot90(upright, k=angle // 90))  # counter-clockwise
    path = write_video(tmp_path / f"clip{suffix}", 3, codec="mp4v", image=stored)
    frames, notes = read_video(patch(path, lambda data: rotate_track(data, angle)))
    assert notes == []
    for frame in frames:
        assert frame.image.shape == upright.shape
        assert np.abs(frame.image.astype(int) - upright).mean() < 10


def test_backend_without_rotation_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, open_device = write_video(tmp_path / "clip.mov"), cv2.VideoCapture

    class Device:
        def __init__(self, path: str) -> None:
            self._device = open_device(path)

        def set(self, *_: object) -> bool:
            return False

        def __getattr__(self, name: str) -> Any:
            return getattr(self._device, name)

    monkeypatch.setattr(cv2, "VideoCapture", Device)
    assert read_video(path)[1] == [
        "This OpenCV cannot read the rotation of clip.mov. Check that the stored frames are upright."
    ]


# Times.


@pytest.mark.parametrize(
    ("fps", "stamps", "expected"),
    [
        (10, [0, 0.1, 0.2], [0, 0.1, 0.2]),
        (1000, [0, 0.083, 0.135, 0.195], [0, 0.083, 0.135, 0.195]),  # a browser's WebM: only the rate is wrong
        (30, [0, 0.1, 0.101, 0.4], [0, 0.1, 0.101, 0.4]),  # variable rate
        (25, [-7e12, -7e12, -7e12], [0, 0.04, 0.08]),  # raw MJPEG
        (90_000, [0, 1 / 90_000, 2 / 90_000], [0, 1 / 30, 2 / 30]),
        (1000, [0, 0.001, 0.002], [0, 1 / 30, 2 / 30]),
        (10, [math.nan, math.nan, math.nan], [0, 0.1, 0.2]),
        (math.nan, [math.nan, math.nan], [0, 1 / 30]),
        (0, [0, 0, 0], [0, 1 / 30, 2 / 30]),
        (-5, [0, math.inf], [0, 1 / 30]),
        (10, [0, 0.1, 95443.0, 0.3, 0.4], [0, 0.1, 0.2, 0.3, 0.4]),  # one wrong time
        (10, [1.0, 1.1, 0.0, 0.1], [1.0, 1.1, 1.2, 1.3]),  # the times start again
    ],
)
def test_frame_times(fps: float, stamps: list[float], expected: list[float]) -> None:
    clock = FrameClock(fps)
    assert [clock.time_s(position, stamp) for position, stamp in enumerate(stamps)] == pytest.approx(expected)


def test_frame_times_never_decrease() -> None:
    clock, rng = FrameClock(90_000), np.random.default_rng(0)
    times = [clock.time_s(position, float(stamp)) for position, stamp in enumerate(rng.normal(0, 100, 500))]
    assert all(0 <= earlier <= later for earlier, later in pairwise(times))


def test_unreadable_frames_count_for_times_from_frame_rate() -> None:
    clock = FrameClock(10)
    assert [clock.time_s(position, math.nan) for position in (0, 1, 5)] == pytest.approx([0, 0.1, 0.5])


def test_wrong_frame_rate_of_webm_does_not_change_times(tmp_path: Path) -> None:
    path = patch(write_video(tmp_path / "clip.webm", codec="VP80"), state_1000_fps)
    assert cv2.VideoCapture(str(path)).get(cv2.CAP_PROP_FPS) == 1000
    frames, notes = read_video(path)
    assert frame_times(frames) == pytest.approx([index / 10 for index in range(20)])
    assert notes == []


def test_variable_rate_is_read_from_container(tmp_path: Path) -> None:
    milliseconds = [0, 83, 135, 195, 600, 640, 641, 1500]

    def set_times(data: bytearray) -> bytes:
        for index, time in reversed(list(enumerate(milliseconds))):
            # Header of a block in a cluster: track 1, time in milliseconds.
            start = data.index(b"\x81" + (100 * index).to_bytes(2), data.index(b"\x1f\x43\xb6\x75")) + 1
            data[start : start + 2] = time.to_bytes(2)
        return bytes(data)

    path = patch(write_video(tmp_path / "clip.webm", len(milliseconds), codec="VP80"), set_times)
    assert frame_times(read_video(path)[0]) == pytest.approx([time / 1000 for time in milliseconds])


@pytest.mark.parametrize("suffix", [".avi", ".mkv", ".mp4"])
def test_implausible_rate_is_replaced_and_reported(tmp_path: Path, suffix: str) -> None:
    path = write_video(tmp_path / f"clip{suffix}", codec="mp4v" if suffix == ".mp4" else "MJPG", fps=1000)
    frames, notes = read_video(path)
    assert frame_times(frames) == pytest.approx([index / 30 for index in range(20)])
    assert notes == [f"The frame times in clip{suffix} are not plausible. 30 frames per second are assumed."]


def test_video_with_few_frames_is_reported(tmp_path: Path) -> None:
    _, notes = read_video(write_video(tmp_path / "clip.avi", 5, fps=0.5))
    assert notes == ["clip.avi has only 5 frames in 10.0 s."]


# Damage.


@pytest.mark.parametrize("suffix", [".avi", ".mkv", ".mov"])
def test_damaged_frames_are_skipped_and_counted(tmp_path: Path, suffix: str) -> None:
    path = patch(write_video(tmp_path / f"clip{suffix}"), lambda data: clear_frames(data, range(8, 12)))
    frames, notes = read_video(path)
    assert frame_numbers(frames) == [*range(8), *range(12, 20)]
    assert [frame.name for frame in frames][7:9] == ["clip-000007", "clip-000012"]
    assert frame_times(frames) == pytest.approx([number / 10 for number in frame_numbers(frames)])
    assert notes == [f"clip{suffix}: skipped 4 damaged frames."]


def test_damage_is_reported_if_the_consumer_stops_early(tmp_path: Path) -> None:
    path = patch(write_video(tmp_path / "clip.avi"), lambda data: clear_frames(data, range(3, 4)))
    notes: list[str] = []
    with open_source(str(path), letter="A", signer="a", session="one", on_note=notes.append) as frames:
        assert len(list(islice(frames, 6))) == 6
    assert notes == ["clip.avi: skipped 1 damaged frame."]


@pytest.mark.parametrize("answer", [(True, None), (False, None), cv2.error("impossible size")])
def test_frame_that_cannot_be_decoded_is_skipped(answer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, open_device = write_video(tmp_path / "clip.avi", 5), cv2.VideoCapture

    class Device:
        def __init__(self, path: str) -> None:
            self._device, self._retrieved = open_device(path), 0

        def retrieve(self) -> Any:
            self._retrieved += 1
            if self._retrieved != 3:
                return self._device.retrieve()
            if isinstance(answer, cv2.error):
                raise answer
            return answer

        def __getattr__(self, name: str) -> Any:
            return getattr(self._device, name)

    monkeypatch.setattr(cv2, "VideoCapture", Device)
    frames, notes = read_video(path)
    assert frame_numbers(frames) == [0, 1, 3, 4]
    assert notes == ["clip.avi: skipped 1 damaged frame."]


@pytest.mark.parametrize("suffix", [".avi", ".mkv"])
def test_incomplete_video_is_reported(tmp_path: Path, suffix: str) -> None:
    def cut(data: bytearray) -> bytes:
        return bytes(data[: [match.start() for match in re.finditer(b"\xff\xd8\xff", data)][12]])

    frames, notes = read_video(patch(write_video(tmp_path / f"clip{suffix}"), cut))
    assert frame_numbers(frames) == list(range(12))
    assert notes == [
        f"clip{suffix} ends at 1.2 s, but states a duration of 2.0 s. If its end is missing, copy the file again."
    ]


# Suffixes, and parts of a video.


@pytest.mark.parametrize("name", ["clip.3gp", "clip.mts", "clip.MP4", "clip"])
def test_content_decides_whether_a_file_is_a_video(tmp_path: Path, name: str) -> None:
    suffix, codec = (".ts", "mp2v") if name == "clip.mts" else (".mp4", "mp4v")
    path = write_video(tmp_path / f"written{suffix}", codec=codec).rename(tmp_path / name)
    assert frame_numbers(read_video(path)[0]) == list(range(20))


@pytest.mark.parametrize("name", ["notes.txt", "clip.mp4", "clip"])
def test_file_that_is_not_a_video_is_reported(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("Not a video.\n" * 100)
    with pytest.raises(AslkitError, match=f"{re.escape(name)} cannot be read as a video"):
        read_video(tmp_path / name)


@pytest.mark.parametrize(
    ("part", "numbers"),
    [
        ({"start_s": 0.5}, range(5, 20)),
        ({"end_s": 0.5}, range(5)),
        ({"start_s": 0.45, "end_s": 1.0}, range(5, 10)),
        ({"end_s": 99}, range(20)),
    ],
)
def test_part_of_a_video(tmp_path: Path, part: dict[str, float], numbers: range) -> None:
    frames, notes = read_video(write_video(tmp_path / "clip.mp4", codec="mp4v"), **part)
    assert frame_numbers(frames) == list(numbers)
    assert frame_times(frames) == pytest.approx([number / 10 for number in numbers])
    assert notes == []


def test_part_without_a_frame_is_reported(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no frame between --start \(0\.51 s\) and --end \(0\.59 s\)"):
        read_video(write_video(tmp_path / "clip.avi"), start_s=0.51, end_s=0.59)


@pytest.mark.parametrize("frames", [1, 3])
def test_video_without_readable_frames_is_reported(tmp_path: Path, frames: int) -> None:
    path = patch(write_video(tmp_path / "clip.avi", frames + 1), lambda data: clear_frames(data, range(frames)))
    last = path.read_bytes().rindex(b"\xff\xd8\xff")
    path.write_bytes(path.read_bytes()[:last])
    with pytest.raises(AslkitError, match=r"clip\.avi contains no readable frames"):
        read_video(path)


def test_start_after_the_end_is_reported(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"clip\.avi ends at 2\.0 s, before --start \(3 s\)"):
        read_video(write_video(tmp_path / "clip.avi"), start_s=3)


def test_mirrored_source_is_unmirrored(tmp_path: Path) -> None:
    image = np.zeros((48, 64, 3), np.uint8)
    image[:, :20] = 255
    frames, _ = read_video(write_video(tmp_path / "clip.avi", 2, image=image), mirrored=True)
    for frame in frames:
        assert frame.image.flags.c_contiguous
        assert frame.image[:, -16:].min() > 200
        assert frame.image[:, :40].max() < 50
