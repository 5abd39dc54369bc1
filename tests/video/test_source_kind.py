"""Kinds and names of sources, and how they are typed."""

from pathlib import Path

import numpy as np
import pytest

from aslkit.core.errors import InputError
from aslkit.video.source_kind import camera_name, normalise_source, source_kind
from aslkit.vision import images

RED = np.full((48, 64, 3), (0, 0, 255), np.uint8)


def test_source_kind_is_derived_from_text(tmp_path: Path) -> None:
    (tmp_path / "clip.MP4").touch()
    kinds = [source_kind(source) for source in ("0", "12", "synthetic", str(tmp_path), str(tmp_path / "clip.MP4"))]
    assert kinds == ["camera", "camera", "synthetic", "folder", "video"]
    assert {source_kind(source) for source in ("rtsp://ada:secret@10.0.0.2/1", "HTTP://phone.local:8080/video")} == {
        "stream"
    }


def test_camera_name_hides_stream_password() -> None:
    assert camera_name("rtsp://ada:secret@10.0.0.2/1?key=9") == "stream rtsp://10.0.0.2/1"


@pytest.mark.parametrize("source", ["-1", "nowhere.mp4", "Synthetic", "rtsp:/nowhere", "/dev/null", r"C:\clip.mp4"])
def test_invalid_source_is_rejected(source: str) -> None:
    with pytest.raises(InputError) as caught:
        source_kind(source)
    assert source in caught.value.message
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("0 ", "0"),
        (" synthetic", "synthetic"),
        ("  ", ""),
        ("clip.mp4 ", "clip.mp4"),
        ("file:///videos/my%20clip.mp4", "/videos/my clip.mp4"),
        ("file://localhost/clip.mp4", "/clip.mp4"),
        ("file://clip.mp4", "clip.mp4"),
        ("~/clip.mp4", "HOME/clip.mp4"),
        ("127.0.0.1:8099/video", "http://127.0.0.1:8099/video"),
        ("192.168.1.5", "http://192.168.1.5"),
        ("phone.local:4747/video?640x480", "http://phone.local:4747/video?640x480"),
        ("localhost:8080", "http://localhost:8080"),
        ("rtsp://ada:secret@10.0.0.2/1", "rtsp://ada:secret@10.0.0.2/1"),
        ("clip.final.mp4", "clip.final.mp4"),
        (r"C:\clip.mp4", r"C:\clip.mp4"),
    ],
)
def test_source_is_normalised(text: str, source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert normalise_source(text) == source.replace("HOME", str(tmp_path))


@pytest.mark.parametrize("name", [" clip.mp4 ", "10.0.0.1", "localhost:80"])
def test_existing_file_is_not_normalised(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).touch()
    assert normalise_source(name) == name


@pytest.mark.parametrize("device", ["/dev/video97", "/dev/v4l/by-id/usb-046d_HD_Pro_Webcam_C920-video-index0"])
def test_missing_device_file_is_reported(device: str) -> None:
    with pytest.raises(InputError, match=rf"{device} is not a connected camera\. .*--list-cameras"):
        normalise_source(device)


@pytest.mark.parametrize("device", ["/dev/video3", "/dev/v4l/by-id/usb-046d_HD_Pro_Webcam_C920-video-index0"])
def test_device_file_is_a_camera_number(device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "exists", lambda path: str(path).startswith("/dev/"))
    monkeypatch.setattr(Path, "resolve", lambda path: Path("/dev/video3"))
    assert normalise_source(device) == "3"


def test_single_image_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(images.encode_jpeg(RED))
    with pytest.raises(InputError, match="give their folder"):
        source_kind(str(tmp_path / "a.jpg"))
