from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from aslkit.core.errors import AslkitError
from aslkit.video.source_frame import SourceLost
from aslkit.vision import images
from tests.video.factories import read_frames

RED = np.full((48, 64, 3), (0, 0, 255), np.uint8)


def create_video(path: Path, frames: int, fps: float = 10.0) -> str:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), fps, (64, 48))
    for index in range(frames):
        writer.write(np.full((48, 64, 3), index * 10, np.uint8))
    writer.release()
    return str(path)


@pytest.mark.parametrize("number", ["97", "99999999999999999999"])
def test_missing_camera_is_reported(number: str) -> None:
    with pytest.raises(AslkitError, match=f"Camera {number} cannot be opened.*--list-cameras"):
        read_frames(number, 1)


def test_video_yields_all_frames_with_times(tmp_path: Path) -> None:
    frames = read_frames(create_video(tmp_path / "my clip.avi", 7), 100)
    assert [frame.name for frame in frames] == [f"my clip-{index:06d}" for index in range(7)]
    assert [frame.time_s for frame in frames] == pytest.approx([index / 10 for index in range(7)])
    assert [int(frame.image.mean().round()) for frame in frames] == pytest.approx(range(0, 70, 10), abs=3)


@pytest.mark.parametrize("content", [b"", b"RIFF....AVI LIST", bytes(1000)])
def test_damaged_video_is_reported(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "clip.avi").write_bytes(content)
    with pytest.raises(AslkitError, match=r"clip\.avi cannot be read as a video.*convert"):
        read_frames(str(tmp_path / "clip.avi"), 1)


def test_folder_yields_images_in_natural_order(tmp_path: Path) -> None:
    for name in ("10.png", "9.png", "._9.png", "note.txt"):
        (tmp_path / name).write_bytes(images.encode_png(RED) if name[0] != "." else b"resource fork")
    (tmp_path / "album.jpg").mkdir()
    frames = read_frames(str(tmp_path), 10)
    assert [frame.name for frame in frames] == ["9", "10"]
    assert (frames[0].image == RED).all()


def test_folder_without_images_or_with_damaged_image_is_reported(tmp_path: Path) -> None:
    with pytest.raises(AslkitError, match="contains no images"):
        read_frames(str(tmp_path), 1)
    (tmp_path / "1.jpg").write_bytes(b"")
    with pytest.raises(AslkitError, match=r"1\.jpg: empty file\. Remove it, or use `aslkit import`"):
        read_frames(str(tmp_path), 1)


@pytest.mark.parametrize("names", [("B/1.png", "A/1.png"), ("x/A/1.png",)])
def test_folder_with_images_in_subfolders_names_one(tmp_path: Path, names: tuple[str, ...]) -> None:
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_bytes(images.encode_png(RED))
    subfolder = (tmp_path / names[-1]).parent
    with pytest.raises(AslkitError, match=f"are in its subfolders. Give one, such as {subfolder}."):
        read_frames(str(tmp_path), 1)


def test_synthetic_frames_depend_on_seed_only() -> None:
    first, again, other = (read_frames("synthetic", 2, seed=seed, interval_s=0.5) for seed in (0, 0, 7))
    assert [frame.time_s for frame in first] == [0, 0.5]
    assert (first[1].image == again[1].image).all()
    assert (first[1].image != other[1].image).any()
    assert {frame.name for frame in first} & {frame.name for frame in other} == set()


@pytest.mark.parametrize("shape", [(48, 64), (48, 64, 1), (48, 64, 4), (48, 64, 3)])
def test_greyscale_and_alpha_images_are_converted_to_bgr(
    monkeypatch: pytest.MonkeyPatch, shape: tuple[int, ...]
) -> None:
    monkeypatch.setattr(cv2, "VideoCapture", fake_capture(np.full(shape, 77, np.uint8)))
    frame = read_frames("0", 1)[0]
    assert frame.image.shape == (48, 64, 3)
    assert frame.image.dtype == np.uint8
    assert (frame.image == 77).all()


@pytest.mark.parametrize("image", [np.zeros((48, 64, 2), np.uint8), np.zeros((48, 64), np.uint16)])
def test_unsupported_image_format_is_reported(monkeypatch: pytest.MonkeyPatch, image: npt.NDArray[Any]) -> None:
    monkeypatch.setattr(cv2, "VideoCapture", fake_capture(image))
    with pytest.raises(AslkitError, match=r"camera 0 gives images with \d × uint"):
        read_frames("0", 1)


def test_camera_without_first_frame_is_not_source_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cv2, "VideoCapture", fake_capture())
    with pytest.raises(AslkitError, match=r"gives no image\. Check that no other program uses it") as caught:
        read_frames("0", 1)
    assert not isinstance(caught.value, SourceLost)
    monkeypatch.setattr(cv2, "VideoCapture", fake_capture(RED, RED))
    with pytest.raises(SourceLost, match=r"no more frames\. Frames stored so far are kept"):
        read_frames("0", 3)


def fake_capture(*images: npt.NDArray[Any]) -> type:
    """Return a replacement for `cv2.VideoCapture` that delivers these images and then fails."""

    class Device:
        def __init__(self, *_: object) -> None:
            self._images = list(images)

        def isOpened(self) -> bool:
            return True

        def set(self, *_: object) -> bool:
            return True

        def read(self) -> tuple[bool, npt.NDArray[Any] | None]:
            return (True, self._images.pop(0)) if self._images else (False, None)

        def release(self) -> None:
            pass

    return Device
