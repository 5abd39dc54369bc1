"""What `aslkit doctor` says of machines made up for the purpose."""

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
    """Most of what is made up here (devices, DISPLAY, apt-get) is Linux's."""
    monkeypatch.setattr(sys, "platform", "linux")


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """Write a program NAME that runs SCRIPT into tmp_path/bin, and return that folder."""

    def write(name: str, script: str) -> Path:
        folder = tmp_path / "bin"
        folder.mkdir(exist_ok=True)
        path = folder / name
        path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        path.chmod(0o755)
        return folder

    return write


def only_path(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Let only the programs in `folder` be found."""
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.delenv("JAVA_HOME", raising=False)


@pytest.mark.parametrize(
    ("banner", "major"),
    [
        ('openjdk version "17.0.15" 2025-04-15', 17),
        ('java version "1.8.0_392"', 8),  # before 9, the major version came second
        ('openjdk version "21" 2023-09-19', 21),
        ("The operation couldn't be completed. Unable to locate a Java Runtime.", None),  # macOS without a JDK
    ],
)
def test_java_major(banner: str, major: int | None) -> None:
    assert machine.java_major(banner) == major


def test_java_on_the_path_is_found(program: Program, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    only_path(monkeypatch, program("java", "echo 'openjdk version \"21.0.2\"' >&2"))
    assert machine.check_java(tmp_path) == CheckStatus(state="ok", detail="Java 21 on the PATH")


def test_no_java(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    only_path(monkeypatch, tmp_path)
    verdict = machine.check_java(tmp_path)
    assert verdict.state == "missing"
    assert "sudo apt-get install openjdk-17-jre-headless" in verdict.remedy


def test_java_that_does_not_start_is_missing(program: Program, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    only_path(monkeypatch, program("java", "echo 'version \"17\"'; exit 1"))
    assert machine.check_java(tmp_path).state == "missing"


def test_java_too_old_in_java_home_counts_before_the_path(
    program: Program, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program("java", "echo 'openjdk version \"11.0.2\"' >&2")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    verdict = machine.check_java(tmp_path)
    assert verdict.state == "problem"
    assert verdict.detail == f"Java 11 in JAVA_HOME, {tmp_path}, too old: 17 at least"
    assert "unset JAVA_HOME" in verdict.remedy


def test_compiler_and_make(program: Program, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    only_path(monkeypatch, tmp_path)
    assert machine.check_compiler(tmp_path).state == "missing"
    only_path(monkeypatch, program("g++", "echo g++ 12.2.0"))
    verdict = machine.check_compiler(tmp_path)
    assert (verdict.state, verdict.detail) == ("missing", "g++ 12.2.0, but no make on the PATH")
    program("make", "")
    assert machine.check_compiler(tmp_path) == CheckStatus(state="ok", detail="g++ 12.2.0")


def test_python_of_another_minor_version(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("platform.python_version", lambda: "3.13.1")
    verdict = machine.check_python(tmp_path)
    assert verdict.state == "problem"
    assert verdict.detail == "3.13.1; aslkit's dependencies were tried together on 3.11 and 3.12 only"
    assert "uv venv --python 3.11" in verdict.remedy
    for known in ("3.11.7", "3.12.1"):
        monkeypatch.setattr("platform.python_version", lambda known=known: known)
        assert machine.check_python(tmp_path) == CheckStatus(state="ok", detail=known)


@pytest.mark.parametrize(
    ("devices", "usable", "state"),
    [([], True, "missing"), (["/dev/video0"], True, "ok"), (["/dev/video0"], False, "problem")],
)
def test_cameras_on_linux(
    devices: list[str], usable: bool, state: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(Path, "glob", lambda self, pattern: map(Path, devices))
    monkeypatch.setattr(os, "access", lambda path, mode: usable)
    assert machine.check_cameras(tmp_path).state == state


@pytest.mark.parametrize(("opens", "state"), [(True, "ok"), (False, "missing")])
def test_camera_elsewhere_is_opened_and_released(
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
def test_display(environment: dict[str, str], state: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert machine.check_display(tmp_path).state == state


def test_disk_full(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=int(1.5 * 2**30)))
    verdict = machine.check_disk(tmp_path)
    assert (verdict.state, verdict.detail) == ("problem", f"only 1.5 GiB at {tmp_path}")
    assert verdict.remedy


def test_disk_of_a_workspace_that_is_not_there_yet(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=3 * 2**30))
    assert machine.check_disk(tmp_path / "not" / "yet").detail == f"3.0 GiB at {tmp_path}"


def test_workspace_that_may_not_be_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert machine.check_disk(tmp_path).state == "problem"
