"""`aslkit doctor` on machines made up for the purpose, and on this one."""

import io
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from aslkit import doctor, doctor_text
from aslkit.doctor import Check, Finding, Verdict

HEADLESS_BUILD = """
General configuration for OpenCV 4.11.0 =====================================

  GUI:                           NONE

  Media I/O:
    JPEG:                        build-libjpeg-turbo (ver 3.0.3-70)
"""

Install = Callable[..., Path]
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


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Install a made-up distribution with these files, in front of the real ones."""
    site = tmp_path / "site-packages"
    site.mkdir()
    monkeypatch.syspath_prepend(site)

    def add(name: str, version: str, files: dict[str, str] | None = None) -> Path:
        info = site / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n", encoding="utf-8")
        for path, text in (files or {}).items():
            (site / path).parent.mkdir(parents=True, exist_ok=True)
            (site / path).write_text(text, encoding="utf-8")
        return site

    return add


@pytest.fixture
def nothing_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_installed", lambda distribution: None)


def only_path(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Let only the programs in `folder` be found."""
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.delenv("JAVA_HOME", raising=False)


def printed(findings: list[Finding], *, encoding: str = "utf-8") -> str:
    sink = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    doctor_text.render(findings, Console(file=sink, width=80, color_system=None))
    sink.seek(0)
    return sink.read()


def finding(**changed: object) -> Finding:
    values: dict[str, object] = {
        "name": "Java",
        "state": "missing",
        "detail": "not there",
        "needed_for": "Spark (extra [spark])",
        "remedy": "sudo apt-get install java",
        "required": False,
    }
    return Finding(**(values | changed))  # type: ignore[arg-type]


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
    assert doctor.java_major(banner) == major


def test_java_on_the_path_is_found(program: Program, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    only_path(monkeypatch, program("java", "echo 'openjdk version \"21.0.2\"' >&2"))
    assert doctor.look_at_java(tmp_path) == Verdict(state="ok", detail="Java 21 on the PATH")


def test_no_java(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    only_path(monkeypatch, tmp_path)
    verdict = doctor.look_at_java(tmp_path)
    assert verdict.state == "missing"
    assert "sudo apt-get install openjdk-17-jre-headless" in verdict.remedy


def test_java_that_does_not_start_is_missing(program: Program, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    only_path(monkeypatch, program("java", "echo 'version \"17\"'; exit 1"))
    assert doctor.look_at_java(tmp_path).state == "missing"


def test_java_too_old_in_java_home_counts_before_the_path(
    program: Program, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program("java", "echo 'openjdk version \"11.0.2\"' >&2")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    verdict = doctor.look_at_java(tmp_path)
    assert verdict.state == "problem"
    assert verdict.detail == f"Java 11 in JAVA_HOME, {tmp_path}, too old: 17 at least"
    assert "unset JAVA_HOME" in verdict.remedy


def test_spark_without_its_java(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, install: Install) -> None:
    install("pyspark", "4.0.1")
    only_path(monkeypatch, tmp_path)
    verdict = doctor.look_at_spark(tmp_path)
    assert verdict.state == "problem"
    assert verdict.detail == "4.0.1; no Java that starts on the PATH"
    assert verdict.remedy == doctor.look_at_java(tmp_path).remedy


def test_compiler_and_make(program: Program, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    only_path(monkeypatch, tmp_path)
    assert doctor.look_at_compiler(tmp_path).state == "missing"
    only_path(monkeypatch, program("g++", "echo g++ 12.2.0"))
    verdict = doctor.look_at_compiler(tmp_path)
    assert (verdict.state, verdict.detail) == ("missing", "g++ 12.2.0, but no make on the PATH")
    program("make", "")
    assert doctor.look_at_compiler(tmp_path) == Verdict(state="ok", detail="g++ 12.2.0")


def test_python_of_another_minor_version(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("platform.python_version", lambda: "3.13.1")
    verdict = doctor.look_at_python(tmp_path)
    assert verdict.state == "problem"
    assert "3.13.1" in verdict.detail
    assert "uv venv --python 3.11" in verdict.remedy


@pytest.mark.parametrize(
    ("devices", "usable", "state"),
    [([], True, "missing"), (["/dev/video0"], True, "ok"), (["/dev/video0"], False, "problem")],
)
def test_cameras_on_linux(
    devices: list[str], usable: bool, state: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(Path, "glob", lambda self, pattern: map(Path, devices))
    monkeypatch.setattr(os, "access", lambda path, mode: usable)
    assert doctor.look_at_cameras(tmp_path).state == state


@pytest.mark.parametrize(("opens", "state"), [(True, "ok"), (False, "missing")])
def test_camera_elsewhere_is_opened_and_released(
    opens: bool, state: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    released: list[bool] = []
    camera = SimpleNamespace(isOpened=lambda: opens, release=lambda: released.append(True))
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr("cv2.VideoCapture", lambda index: camera)
    assert doctor.look_at_cameras(tmp_path).state == state
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
    assert doctor.look_at_display(tmp_path).state == state


def test_headless_opencv(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    only = {"opencv-python-headless": "4.12.0.88"}
    monkeypatch.setattr(doctor, "_installed", only.get)
    monkeypatch.setattr("cv2.getBuildInformation", lambda: HEADLESS_BUILD)
    verdict = doctor.look_at_opencv(tmp_path)
    assert verdict.state == "problem"
    assert verdict.detail == "opencv-python-headless 4.12.0.88: built without windows (headless)"
    assert verdict.remedy == (
        "pip uninstall -y opencv-python-headless && pip install --force-reinstall --no-deps opencv-python==4.11.0.86"
    )


def test_two_opencv_clash(install: Install, tmp_path: Path) -> None:
    install("opencv-python", "4.11.0.99")
    install("opencv-contrib-python", "4.12.0.88")
    verdict = doctor.look_at_opencv(tmp_path)
    assert verdict.state == "problem"
    assert "opencv-python 4.11.0.99, opencv-contrib-python 4.12.0.88" in verdict.detail
    assert verdict.remedy == (
        "pip uninstall -y opencv-python opencv-contrib-python "
        "&& pip install --force-reinstall --no-deps opencv-python==4.11.0.99"
    )


def test_opencv_without_the_libraries_of_its_windows(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(doctor, "WINDOW_LIBRARIES", ("libc.so.6", "libnotthere.so.6"))
    verdict = doctor.look_at_opencv(tmp_path)
    assert verdict.state == "problem"
    assert verdict.detail.endswith("cannot open windows without libnotthere.so.6")
    assert "libsm6" in verdict.remedy


@pytest.mark.parametrize(
    ("reason", "remedy"),
    [
        ("libGL.so.1: cannot open shared object file: No such file or directory", "apt-get install libgl1"),
        ("DLL load failed while importing cv2", "pip uninstall -y opencv-python"),
    ],
)
def test_opencv_that_does_not_load(reason: str, remedy: str, install: Install, tmp_path: Path) -> None:
    site = install("opencv-python", "4.11.0.86", {"cv2.py": f"raise ImportError({reason!r})"})
    loaded = sys.modules.pop("cv2", None)
    try:
        verdict = doctor.look_at_opencv(tmp_path)
    finally:
        sys.modules.update({"cv2": loaded} if loaded else {})
    assert (site / "cv2.py").is_file()
    assert verdict.state == "problem"
    assert reason in verdict.detail
    assert remedy in verdict.remedy


def test_horovod_built_for_another_tensorflow(install: Install, tmp_path: Path) -> None:
    install("tensorflow", "2.18.1")
    install("horovod", "0.28.1", {"horovod/metadata.json": '{"tensorflow": "2.16.2", "dummy": "none"}'})
    verdict = doctor.look_at_horovod(tmp_path)
    assert verdict.state == "problem"
    assert verdict.detail == "0.28.1, built for TensorFlow 2.16.2, but TensorFlow 2.18.1 is installed"
    assert "--reinstall-package horovod" in verdict.remedy


@pytest.mark.parametrize("files", [{}, {"horovod/metadata.json": '{"pytorch": "2.1.0"}'}])
def test_horovod_built_without_tensorflow(files: dict[str, str], install: Install, tmp_path: Path) -> None:
    install("horovod", "0.28.1", files)
    verdict = doctor.look_at_horovod(tmp_path)
    assert (verdict.state, verdict.detail) == ("problem", "0.28.1, built without TensorFlow")


def test_horovod_with_its_tensorflow_gone(install: Install, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    install("horovod", "0.28.1", {"horovod/metadata.json": '{"tensorflow": "2.18.1"}'})
    monkeypatch.setattr(doctor, "_installed", {"horovod": "0.28.1"}.get)
    assert doctor.look_at_horovod(tmp_path).detail.endswith("but no TensorFlow is installed")


def test_mediapipe_without_hand_models(install: Install, tmp_path: Path) -> None:
    models = {model: "" for model in doctor.HAND_MODELS[1:]}
    install("mediapipe", "0.10.31", models)
    verdict = doctor.look_at_hand_models(tmp_path)
    assert verdict.state == "problem"
    assert verdict.detail == f"mediapipe 0.10.31 lacks {doctor.HAND_MODELS[0]}"
    assert "mediapipe==0.10.21" in verdict.remedy


@pytest.mark.usefixtures("nothing_installed")
@pytest.mark.parametrize(
    ("look", "remedy"),
    [
        (doctor.look_at_opencv, "pip install --force-reinstall --no-deps opencv-python==4.11.0.86"),
        (doctor.look_at_tensorflow, "pip install 'aslkit[train]'"),
        (doctor.look_at_horovod, "pip install 'aslkit[spark]'"),
        (doctor.look_at_spark, "pip install 'aslkit[spark]'"),
        (doctor.look_at_hand_models, "mediapipe==0.10.21"),
    ],
)
def test_distribution_not_installed(look: Callable[[Path], Verdict], remedy: str, tmp_path: Path) -> None:
    verdict = look(tmp_path)
    assert verdict.state == "missing"
    assert remedy in verdict.remedy


def test_disk_full(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=int(1.5 * 2**30)))
    verdict = doctor.look_at_disk(tmp_path)
    assert (verdict.state, verdict.detail) == ("problem", f"only 1.5 GiB at {tmp_path}")
    assert verdict.remedy


def test_disk_of_a_workspace_that_is_not_there_yet(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=3 * 2**30))
    assert doctor.look_at_disk(tmp_path / "not" / "yet").detail == f"3.0 GiB at {tmp_path}"


def test_workspace_that_may_not_be_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert doctor.look_at_disk(tmp_path).state == "problem"


def test_a_check_that_raises_is_a_problem_and_stops_no_other(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def explode(workspace: Path) -> Verdict:
        raise RuntimeError("device on fire")

    def fine(workspace: Path) -> Verdict:
        return Verdict(state="ok", detail="fine")

    broken = Check(name="Cameras", needed_for="recording", look=explode, required=True)
    monkeypatch.setattr(doctor, "CHECKS", (broken, Check(name="Display", needed_for="windows", look=fine)))
    first, second = doctor.examine(tmp_path)
    assert (first.state, first.required) == ("problem", True)
    assert first.detail == "could not be checked: RuntimeError: device on fire"
    assert first.remedy
    assert second.state == "ok"


def test_render_shows_marks_and_remedies_in_full() -> None:
    remedy = "pip uninstall -y opencv-python opencv-contrib-python && pip install --force-reinstall " + "x" * 90
    findings = [
        finding(name="Python", state="ok", detail="3.11.7", remedy=""),
        finding(name="OpenCV", state="problem", detail="two of them, " * 12 + "end", remedy=remedy),
        finding(),
    ]
    text = printed(findings)
    lines = text.splitlines()
    assert lines[0].split() == ["✓", "Python", "3.11.7"]
    assert any(line.startswith("! OpenCV") for line in lines)
    assert any(line.startswith("✗ Java") for line in lines)
    assert any(line.endswith(remedy) for line in lines), "a remedy stays on one line, to be copied in one piece"
    assert "Spark (extra [spark])" in text, "square brackets are text, not markup"
    assert "…" not in text
    assert " ".join(text.split()).count("two of them") == 12
    assert all(len(line) <= 80 for line in lines if remedy not in line)


def test_render_on_an_ascii_terminal() -> None:
    text = printed([finding(name="Python", state="ok", remedy=""), finding()], encoding="ascii")
    assert text.startswith("+ Python")
    assert "x Java" in text


@pytest.mark.parametrize(
    ("findings", "last_line"),
    [
        ([finding(state="ok")], "Everything is there."),
        ([finding()], "The base install is complete. Not everything else is: see Java."),
        (
            [finding(), finding(name="OpenCV", required=True)],
            "Capture, curate and live may not work as they should: see OpenCV.",
        ),
    ],
)
def test_render_ends_with_what_works_and_where_to_read_on(findings: list[Finding], last_line: str) -> None:
    *_, before, last = printed(findings).splitlines()
    assert last_line == (last if findings[0].state == "ok" else before)
    assert (doctor_text.PAGE in last) == (findings[0].state != "ok")


def test_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The real environment, as `./run setup` leaves it: everything it installs is there."""
    monkeypatch.undo()
    found = {finding.name: finding for finding in doctor.examine(tmp_path)}
    assert list(found) == [check.name for check in doctor.CHECKS]
    for name in ("Python", "Java", "C++ compiler", "OpenCV", "TensorFlow", "Horovod", "Spark", "MediaPipe hand models"):
        assert found[name].state == "ok", found[name]
    assert all(bool(finding.remedy) == (finding.state != "ok") for finding in found.values())
    assert "✓ Python" in printed(list(found.values()))


def test_tensorflow_is_not_imported(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from aslkit.doctor import examine; "
        "examine(Path.cwd()); print(sorted({'tensorflow', 'horovod', 'pyspark', 'mediapipe'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.strip() == "[]", "importing these takes seconds"
