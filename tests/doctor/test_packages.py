"""What `aslkit doctor` says of packages that are not there, clash, or are not whole."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

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
    """The libraries and apt-get are Linux's."""
    monkeypatch.setattr(sys, "platform", "linux")


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
    monkeypatch.setattr(packages, "_installed", lambda distribution: None)


def test_spark_without_its_java(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, install: Install) -> None:
    install("pyspark", "4.0.1")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    verdict = packages.check_spark(tmp_path)
    assert verdict.state == "problem"
    assert verdict.detail == "4.0.1; no Java that starts on the PATH"
    assert verdict.remedy == machine.check_java(tmp_path).remedy


def test_headless_opencv(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    only = {"opencv-python-headless": "4.12.0.88"}
    monkeypatch.setattr(packages, "_installed", only.get)
    monkeypatch.setattr("cv2.getBuildInformation", lambda: HEADLESS_BUILD)
    verdict = packages.check_opencv(tmp_path)
    assert verdict.state == "problem"
    assert verdict.detail == "opencv-python-headless 4.12.0.88: built without windows (headless)"
    assert verdict.remedy == (
        "pip uninstall -y opencv-python-headless && pip install --force-reinstall --no-deps opencv-python==4.11.0.86"
    )


def test_two_opencv_clash(install: Install, tmp_path: Path) -> None:
    install("opencv-python", "4.11.0.99")
    install("opencv-contrib-python", "4.12.0.88")
    verdict = packages.check_opencv(tmp_path)
    assert verdict.state == "problem"
    assert "opencv-python 4.11.0.99, opencv-contrib-python 4.12.0.88" in verdict.detail
    assert verdict.remedy == (
        "pip uninstall -y opencv-python opencv-contrib-python "
        "&& pip install --force-reinstall --no-deps opencv-python==4.11.0.99"
    )


def test_opencv_without_the_libraries_of_its_windows(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(packages, "WINDOW_LIBRARIES", ("libc.so.6", "libnotthere.so.6"))
    verdict = packages.check_opencv(tmp_path)
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
        verdict = packages.check_opencv(tmp_path)
    finally:
        sys.modules.update({"cv2": loaded} if loaded else {})
    assert (site / "cv2.py").is_file()
    assert verdict.state == "problem"
    assert reason in verdict.detail
    assert remedy in verdict.remedy


def test_horovod_built_for_another_tensorflow(install: Install, tmp_path: Path) -> None:
    install("tensorflow", "2.18.1")
    install("horovod", "0.28.1", {"horovod/metadata.json": '{"tensorflow": "2.16.2", "dummy": "none"}'})
    verdict = packages.check_horovod(tmp_path)
    assert verdict.state == "problem"
    assert verdict.detail == "0.28.1, built for TensorFlow 2.16.2, but TensorFlow 2.18.1 is installed"
    assert "--reinstall-package horovod" in verdict.remedy


@pytest.mark.parametrize("files", [{}, {"horovod/metadata.json": '{"pytorch": "2.1.0"}'}])
def test_horovod_built_without_tensorflow(files: dict[str, str], install: Install, tmp_path: Path) -> None:
    install("horovod", "0.28.1", files)
    verdict = packages.check_horovod(tmp_path)
    assert (verdict.state, verdict.detail) == ("problem", "0.28.1, built without TensorFlow")


def test_horovod_with_its_tensorflow_gone(install: Install, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    install("horovod", "0.28.1", {"horovod/metadata.json": '{"tensorflow": "2.18.1"}'})
    monkeypatch.setattr(packages, "_installed", {"horovod": "0.28.1"}.get)
    assert packages.check_horovod(tmp_path).detail.endswith("but no TensorFlow is installed")


def test_mediapipe_without_hand_models(install: Install, tmp_path: Path) -> None:
    models = {model: "" for model in packages.HAND_MODELS[1:]}
    install("mediapipe", "0.10.31", models)
    verdict = packages.check_hand_models(tmp_path)
    assert verdict.state == "problem"
    assert verdict.detail == f"mediapipe 0.10.31 lacks {packages.HAND_MODELS[0]}"
    assert "mediapipe==0.10.21" in verdict.remedy


@pytest.mark.usefixtures("nothing_installed")
@pytest.mark.parametrize(
    ("look", "remedy"),
    [
        (packages.check_opencv, "pip install --force-reinstall --no-deps opencv-python==4.11.0.86"),
        (packages.check_tensorflow, "pip install 'aslkit[train]'"),
        (packages.check_horovod, "pip install 'aslkit[spark]'"),
        (packages.check_spark, "pip install 'aslkit[spark]'"),
        (packages.check_hand_models, "mediapipe==0.10.21"),
    ],
)
def test_distribution_not_installed(look: Callable[[Path], CheckStatus], remedy: str, tmp_path: Path) -> None:
    verdict = look(tmp_path)
    assert verdict.state == "missing"
    assert remedy in verdict.remedy
