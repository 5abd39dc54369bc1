"""Listing cameras, with fake device files, because test machines have no camera."""

import os
import sys
from pathlib import Path

import pytest

from aslkit.video.cameras import list_cameras


@pytest.fixture
def devices(tmp_path: Path) -> Path:
    """A folder with fake device files. No machine has cameras of these numbers; OpenCV accesses the real system."""
    (tmp_path / "dev").mkdir()
    for name in ("video97", "video8", "video9x", "video", "videox", "null"):
        (tmp_path / "dev" / name).touch()
    (tmp_path / "sys" / "video97").mkdir(parents=True)
    (tmp_path / "sys" / "video97" / "name").write_text("HD Pro Webcam C920\n")
    return tmp_path / "dev"


def test_no_cameras(tmp_path: Path) -> None:
    assert list_cameras(tmp_path, tmp_path) == []
    assert list_cameras(tmp_path / "none", tmp_path / "none") == []


def test_cameras_are_sorted_by_number(devices: Path) -> None:
    found = list_cameras(devices, devices.parent / "sys")
    assert [(camera.number, camera.name) for camera in found] == [
        (8, str(devices / "video8")),
        (97, "HD Pro Webcam C920"),
    ]
    assert all("gives no image" in camera.state for camera in found)


def test_missing_permission_is_reported(devices: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    found = list_cameras(devices, devices.parent / "sys")
    assert all("no permission" in camera.state and "aslkit doctor" in camera.state for camera in found)


def test_numbers_are_probed_if_devices_are_not_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert list_cameras() == []
