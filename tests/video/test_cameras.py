"""On machines without a camera, as those that test are; devices are made up."""

import os
import sys
from pathlib import Path

import pytest

from aslkit.video.cameras import list_cameras


@pytest.fixture
def devices(tmp_path: Path) -> Path:
    """Numbers that no machine has: OpenCV asks the real system."""
    (tmp_path / "dev").mkdir()
    for name in ("video97", "video8", "video9x", "video", "videox", "null"):
        (tmp_path / "dev" / name).touch()
    (tmp_path / "sys" / "video97").mkdir(parents=True)
    (tmp_path / "sys" / "video97" / "name").write_text("HD Pro Webcam C920\n")
    return tmp_path / "dev"


def test_no_cameras(tmp_path: Path) -> None:
    assert list_cameras(tmp_path, tmp_path) == []
    assert list_cameras(tmp_path / "none", tmp_path / "none") == []


def test_cameras_are_named_in_the_order_of_their_numbers(devices: Path) -> None:
    found = list_cameras(devices, devices.parent / "sys")
    assert [(each.number, each.name) for each in found] == [(8, str(devices / "video8")), (97, "HD Pro Webcam C920")]
    assert all("gives no picture" in each.state for each in found)


def test_one_that_this_user_may_not_use_says_so(devices: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    found = list_cameras(devices, devices.parent / "sys")
    assert all("may not use it" in each.state and "aslkit doctor" in each.state for each in found)


def test_where_devices_are_not_listed_a_few_numbers_are_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert list_cameras() == []
