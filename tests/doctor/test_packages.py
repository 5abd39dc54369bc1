"""Checks of packages that are missing, incompatible or incomplete."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from aslkit.core.installation import install_command, install_extra_command, uninstall_command
from aslkit.doctor import machine, packages
from aslkit.doctor.result import CheckStatus

HEADLESS_BUILD = """
General configuration for OpenCV 4.11.0 =====================================

  GUI:                           NONE

  Media I/O:
    JPEG:                        build-libjpeg-turbo (ver 3.0.3-70)
"""

Install = Callable[..., Path]


@pytest.fixture(autouse=True)
def on_linux(monkeypatch: pytest.MonkeyPatch) -> None:
    """Simulate Linux, because the libraries and apt-get are specific to it."""
    monkeypatch.setattr(sys, "platform", "linux")


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Return a function that installs a fake distribution with these files, which hides the real one."""
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
    monkeypatch.setattr(packages, "find_version", lambda distribution: None)


def test_check_spark_needs_java(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, install: Install) -> None:
    install("pyspark", "4.0.1")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    status = packages.check_spark(tmp_path)
    assert status.state == "problem"
    assert status.detail == "4.0.1; no working Java on the PATH"
    assert status.remedy == machine.check_java(tmp_path).remedy


def test_check_opencv_rejects_headless_build(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    versions = {"opencv-python-headless": "4.12.0.88"}
    monkeypatch.setattr(packages, "find_version", versions.get)
    monkeypatch.setattr("cv2.getBuildInformation", lambda: HEADLESS_BUILD)
    status = packages.check_opencv(tmp_path)
    assert status.state == "problem"
    assert status.detail == "opencv-python-headless 4.12.0.88: built without window support (headless)"
    assert status.remedy == (
        f"{uninstall_command('opencv-python-headless')} && "
        f"{install_command('opencv-python==4.11.0.86', options='--force-reinstall --no-deps')}"
    )


def test_check_opencv_rejects_two_distributions(install: Install, tmp_path: Path) -> None:
    install("opencv-python", "4.11.0.99")
    install("opencv-contrib-python", "4.12.0.88")
    status = packages.check_opencv(tmp_path)
    assert status.state == "problem"
    assert "opencv-python 4.11.0.99, opencv-contrib-python 4.12.0.88" in status.detail
    assert status.remedy == (
        f"{uninstall_command('opencv-python', 'opencv-contrib-python')} && "
        f"{install_command('opencv-python==4.11.0.99', options='--force-reinstall --no-deps')}"
    )


def test_check_opencv_accepts_contrib_in_the_same_version(install: Install, tmp_path: Path) -> None:
    install("opencv-python", "4.11.0.86")
    install("opencv-contrib-python", "4.11.0.86")
    assert packages.check_opencv(tmp_path).state == "ok"
    install("opencv-python-headless", "4.11.0.86")
    assert packages.check_opencv(tmp_path).state == "problem"


def test_check_opencv_names_missing_window_libraries(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(packages, "WINDOW_LIBRARIES", ("libc.so.6", "libmissing.so.6"))
    status = packages.check_opencv(tmp_path)
    assert status.state == "problem"
    assert status.detail.endswith("cannot open windows without libmissing.so.6")
    assert "libsm6" in status.remedy


@pytest.mark.parametrize(
    ("reason", "remedy"),
    [
        ("libGL.so.1: cannot open shared object file: No such file or directory", "apt-get install libgl1"),
        ("DLL load failed while importing cv2", uninstall_command("opencv-python")),
    ],
)
def test_check_opencv_reports_import_error(reason: str, remedy: str, install: Install, tmp_path: Path) -> None:
    site = install("opencv-python", "4.11.0.86", {"cv2.py": f"raise ImportError({reason!r})"})
    loaded = sys.modules.pop("cv2", None)
    try:
        status = packages.check_opencv(tmp_path)
    finally:
        sys.modules.update({"cv2": loaded} if loaded else {})
    assert (site / "cv2.py").is_file()
    assert status.state == "problem"
    assert reason in status.detail
    assert remedy in status.remedy


def test_check_horovod_compares_tensorflow_versions(install: Install, tmp_path: Path) -> None:
    install("tensorflow", "2.18.1")
    install("horovod", "0.28.1", {"horovod/metadata.json": '{"tensorflow": "2.16.2", "dummy": "none"}'})
    status = packages.check_horovod(tmp_path)
    assert status.state == "problem"
    assert status.detail == "0.28.1, built for TensorFlow 2.16.2, but TensorFlow 2.18.1 is installed"
    assert "--reinstall-package horovod" in status.remedy


@pytest.mark.parametrize("files", [{}, {"horovod/metadata.json": '{"pytorch": "2.1.0"}'}])
def test_check_horovod_reports_build_without_tensorflow(
    files: dict[str, str], install: Install, tmp_path: Path
) -> None:
    install("horovod", "0.28.1", files)
    status = packages.check_horovod(tmp_path)
    assert (status.state, status.detail) == ("problem", "0.28.1, built without TensorFlow")


def test_check_horovod_reports_uninstalled_tensorflow(
    install: Install, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    install("horovod", "0.28.1", {"horovod/metadata.json": '{"tensorflow": "2.18.1"}'})
    monkeypatch.setattr(packages, "find_version", {"horovod": "0.28.1"}.get)
    assert packages.check_horovod(tmp_path).detail.endswith("but no TensorFlow is installed")


def test_check_hand_models_names_missing_file(install: Install, tmp_path: Path) -> None:
    models = {model: "" for model in packages.HAND_MODELS[1:]}
    install("mediapipe", "0.10.31", models)
    status = packages.check_hand_models(tmp_path)
    assert status.state == "problem"
    assert status.detail == f"mediapipe 0.10.31 does not contain {packages.HAND_MODELS[0]}"
    assert "mediapipe==0.10.21" in status.remedy


@pytest.mark.usefixtures("nothing_installed")
@pytest.mark.parametrize(
    ("check", "remedy"),
    [
        (packages.check_opencv, "--force-reinstall --no-deps opencv-python==4.11.0.86"),
        (packages.check_tensorflow, install_extra_command("train")),
        (packages.check_horovod, install_extra_command("spark")),
        (packages.check_spark, install_extra_command("spark")),
        (packages.check_hand_models, "mediapipe==0.10.21"),
    ],
)
def test_check_names_install_command_if_not_installed(
    check: Callable[[Path], CheckStatus], remedy: str, tmp_path: Path
) -> None:
    status = check(tmp_path)
    assert status.state == "missing"
    assert remedy in status.remedy
