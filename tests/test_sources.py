from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest

from aslkit import images
from aslkit.errors import AslkitError, InputError
from aslkit.sources import SourceFrame, camera_name, kind_of, opened

RED = np.full((48, 64, 3), (0, 0, 255), np.uint8)


def read(source: str, count: int, **options: float) -> list[SourceFrame]:
    with opened(source, letter="A", signer="synthetic-ada", session="one", **options) as frames:  # type: ignore[arg-type]
        return list(islice(frames, count))


def video(path: Path, frames: int, fps: float = 10.0) -> str:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), fps, (64, 48))
    for index in range(frames):
        writer.write(np.full((48, 64, 3), index * 10, np.uint8))
    writer.release()
    return str(path)


def test_what_a_source_is_is_told_from_how_it_is_written(tmp_path: Path) -> None:
    (tmp_path / "clip.MP4").touch()
    kinds = [kind_of(source) for source in ("0", "12", "synthetic", str(tmp_path), str(tmp_path / "clip.MP4"))]
    assert kinds == ["camera", "camera", "synthetic", "folder", "video"]
    assert {kind_of(source) for source in ("rtsp://ada:secret@10.0.0.2/1", "HTTP://phone.local:8080/video")} == {"stream"}


def test_a_streams_password_stays_out_of_its_name() -> None:
    assert camera_name("rtsp://ada:secret@10.0.0.2/1?key=9") == "stream rtsp://10.0.0.2/1"


@pytest.mark.parametrize("source", ["-1", "nowhere.mp4", "Synthetic", "rtsp:/nowhere", "/dev/null"])
def test_what_is_no_source(source: str) -> None:
    with pytest.raises(InputError) as caught:
        kind_of(source)
    assert source in caught.value.message
    assert caught.value.exit_code == 2


def test_a_single_image_is_no_video(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(images.encode_jpeg(RED))
    with pytest.raises(InputError, match="give their folder"):
        kind_of(str(tmp_path / "a.jpg"))


@pytest.mark.parametrize("number", ["97", "99999999999999999999"])
def test_no_camera(number: str) -> None:
    with pytest.raises(AslkitError, match=f"Camera {number} cannot be opened.*--list-cameras"):
        read(number, 1)


def test_a_video_gives_all_its_frames_with_their_times(tmp_path: Path) -> None:
    frames = read(video(tmp_path / "my clip.avi", 7), 100)
    assert [frame.name for frame in frames] == [f"my clip-{index:06d}" for index in range(7)]
    assert [frame.time_s for frame in frames] == pytest.approx([index / 10 for index in range(7)])
    assert [int(frame.image.mean().round()) for frame in frames] == pytest.approx(range(0, 70, 10), abs=3)


@pytest.mark.parametrize("content", [b"", b"RIFF....AVI LIST", bytes(1000)])
def test_a_damaged_video(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "clip.avi").write_bytes(content)
    with pytest.raises(AslkitError, match=r"clip\.avi cannot be read as a video.*convert"):
        read(str(tmp_path / "clip.avi"), 1)


def test_a_folder_gives_its_images_upright_and_in_order(tmp_path: Path) -> None:
    for name in ("10.png", "9.png", "._9.png", "note.txt"):
        (tmp_path / name).write_bytes(images.encode_png(RED) if name[0] != "." else b"resource fork")
    (tmp_path / "album.jpg").mkdir()
    frames = read(str(tmp_path), 10)
    assert [frame.name for frame in frames] == ["9", "10"]
    assert (frames[0].image == RED).all()


def test_a_folder_without_images_and_one_with_a_bad_one(tmp_path: Path) -> None:
    with pytest.raises(AslkitError, match="holds no images"):
        read(str(tmp_path), 1)
    (tmp_path / "1.jpg").write_bytes(b"")
    with pytest.raises(AslkitError, match=r"1\.jpg: empty file\. Remove it, or use `aslkit import`"):
        read(str(tmp_path), 1)


def test_the_synthetic_signer_is_the_same_each_time_and_another_with_another_seed() -> None:
    first, again, other = (read("synthetic", 2, seed=seed, interval_s=0.5) for seed in (0, 0, 7))
    assert [frame.time_s for frame in first] == [0, 0.5]
    assert (first[1].image == again[1].image).all()
    assert (first[1].image != other[1].image).any()
    assert {frame.name for frame in first} & {frame.name for frame in other} == set()
