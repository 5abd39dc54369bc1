"""Checks of the machine, on simulated machines."""

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from aslkit.doctor import machine
from aslkit.doctor.result import CheckStatus

Program = Callable[[str, str], Path]


@pytest.fixture(autouse=True)
def on_linux(monkeypatch: pytest.MonkeyPatch) -> None:
    """Simulate Linux, because devices, DISPLAY and apt-get are specific to it."""
    monkeypatch.setattr(sys, "platform", "linux")


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """Return a function that writes a shell script to tmp_path/bin, and returns that folder."""

    def write(name: str, script: str) -> Path:
        folder = tmp_path / "bin"
        folder.mkdir(exist_ok=True)
        path = folder / name
        path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        path.chmod(0o755)
        return folder

    return write


def set_path(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Make the programs in `folder` the only ones on the PATH."""
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.delenv("JAVA_HOME", raising=False)


@pytest.mark.parametrize(
    ("banner", "major"),
    [
        ('openjdk version "17.0.15" 2025-04-15', 17),
        ('java version "1.8.0_392"', 8),  # before Java 9, the major version came second
        ('openjdk version "21" 2023-09-19', 21),
        ("The operation couldn't be completed. Unable to locate a Java Runtime.", None),  # macOS without a JDK
    ],
)
def test_java_major_parses_version_banner(banner: str, major: int | None) -> None:
    assert machine.java_major(banner) == major


def test_check_java_finds_java_on_path(program: Program, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    set_path(monkeypatch, program("java", "echo 'openjdk version \"21.0.2\"' >&2"))
    assert machine.check_java(tmp_path) == CheckStatus(state="ok", detail="Java 21 on the PATH")


def test_check_java_without_java_names_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    set_path(monkeypatch, tmp_path)
    status = machine.check_java(tmp_path)
    assert status.state == "missing"
    assert "sudo apt-get install openjdk-17-jre-headless" in status.remedy


def test_check_java_reports_failing_java_as_missing(
    program: Program, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    set_path(monkeypatch, program("java", "echo 'version \"17\"'; exit 1"))
    assert machine.check_java(tmp_path).state == "missing"


def test_check_java_prefers_java_home_and_rejects_old_version(
    program: Program, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program("java", "echo 'openjdk version \"11.0.2\"' >&2")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    status = machine.check_java(tmp_path)
    assert status.state == "problem"
    assert status.detail == f"Java 11 in JAVA_HOME ({tmp_path}) is too old; 17 or newer is required"
    assert "unset JAVA_HOME" in status.remedy


def test_check_compiler_needs_compiler_and_make(
    program: Program, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    set_path(monkeypatch, tmp_path)
    assert machine.check_compiler(tmp_path).state == "missing"
    set_path(monkeypatch, program("g++", "echo g++ 12.2.0"))
    status = machine.check_compiler(tmp_path)
    assert (status.state, status.detail) == ("missing", "g++ 12.2.0, but make is not on the PATH")
    program("make", "")
    assert machine.check_compiler(tmp_path) == CheckStatus(state="ok", detail="g++ 12.2.0")


def test_check_python_accepts_tested_versions_only(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("platform.python_version", lambda: "3.13.1")
    status = machine.check_python(tmp_path)
    assert status.state == "problem"
    assert status.detail == "3.13.1; aslkit's dependencies are tested with 3.11 and 3.12 only"
    assert "uv venv --python 3.11" in status.remedy
    for version in ("3.11.7", "3.12.1"):
        monkeypatch.setattr("platform.python_version", lambda version=version: version)
        assert machine.check_python(tmp_path) == CheckStatus(state="ok", detail=version)


@pytest.mark.parametrize(
    ("devices", "usable", "state"),
    [([], True, "missing"), (["/dev/video0"], True, "ok"), (["/dev/video0"], False, "problem")],
)
def test_check_cameras_lists_devices_on_linux(
    devices: list[str], usable: bool, state: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(Path, "glob", lambda self, pattern: map(Path, devices))
    monkeypatch.setattr(os, "access", lambda path, mode: usable)
    assert machine.check_cameras(tmp_path).state == state


@pytest.mark.parametrize(("opens", "state"), [(True, "ok"), (False, "missing")])
def test_check_cameras_opens_and_releases_camera_on_other_systems(
    opens: bool, state: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    released: list[bool] = []
    camera = SimpleNamespace(isOpened=lambda: opens, release=lambda: released.append(True))
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr("cv2.VideoCapture", lambda index: camera)
    assert machine.check_cameras(tmp_path).state == state
    assert released == [True]


@pytest.mark.parametrize(
    ("environment", "state"),
    [
        ({"DISPLAY": ":0"}, "ok"),
        ({"DISPLAY": ":0", "WAYLAND_DISPLAY": "wayland-0"}, "ok"),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "problem"),  # opencv-python's Qt has no Wayland plugin
        ({}, "missing"),
    ],
)
def test_check_display_needs_x11_on_linux(
    environment: dict[str, str], state: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert machine.check_display(tmp_path).state == state


def test_check_disk_reports_low_space(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=int(1.5 * 2**30)))
    status = machine.check_disk(tmp_path)
    assert (status.state, status.detail) == ("problem", f"only 1.5 GiB free at {tmp_path}")
    assert status.remedy


def test_check_disk_uses_parent_of_missing_workspace(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=3 * 2**30))
    assert machine.check_disk(tmp_path / "not" / "yet").detail == f"3.0 GiB free at {tmp_path}"


def test_check_disk_reports_unwritable_workspace(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert machine.check_disk(tmp_path).state == "problem"


@pytest.mark.parametrize(
    ("listed", "counted", "state", "detail"),
    [
        ("echo 'No devices were found'", 0, "ok", "none; networks are trained on the CPU"),
        ("echo 'GPU 0: NVIDIA H100 (UUID: GPU-1)'", 1, "ok", "NVIDIA H100"),
        ("echo 'GPU 0: NVIDIA H100 (UUID: GPU-1)'", 0, "problem", "the installed TensorFlow cannot use it"),
        ("exit 9", 0, "ok", "none"),
    ],
)
def test_check_gpu(
    listed: str,
    counted: int,
    state: str,
    detail: str,
    program: Program,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    machine._output.cache_clear()  # of the other cases
    set_path(monkeypatch, program("nvidia-smi", listed))
    monkeypatch.setattr(sys, "executable", str(program("python", f"echo 'GPUs: {counted}'; echo log >&2") / "python"))
    status = machine.check_gpu(tmp_path)
    assert status.state == state
    assert detail in status.detail
    assert ("tensorflow[and-cuda]" in status.remedy) == (state == "problem")
