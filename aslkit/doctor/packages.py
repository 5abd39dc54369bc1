"""Checks of the installed packages: whether they are there, fit together, and are whole."""

import ctypes
import json
import re
import sys
from importlib import metadata
from pathlib import Path
from typing import Final

from aslkit.doctor.machine import check_java
from aslkit.doctor.result import CheckStatus, missing, ok, problem

OPENCV: Final = ("opencv-python", "opencv-contrib-python", "opencv-python-headless", "opencv-contrib-python-headless")
"""All four install the one module `cv2`: with two of them, files of one lie among those of the other."""

OPENCV_VERSION: Final = "4.11.0.86"

WINDOW_LIBRARIES: Final = ("libSM.so.6", "libICE.so.6")
"""opencv-python loads without them, but aborts the process when it opens its first window on Linux."""

MEDIAPIPE_VERSION: Final = "0.10.21"
"""From 0.10.30 on, the wheel has no hand models."""

HAND_MODELS: Final = (
    "mediapipe/modules/palm_detection/palm_detection_full.tflite",
    "mediapipe/modules/hand_landmark/hand_landmark_full.tflite",
    "mediapipe/modules/hand_landmark/hand_landmark_tracking_cpu.binarypb",
)

INSTALL_LIBRARIES: Final = "sudo apt-get install libgl1 libglib2.0-0 libsm6 (or your distribution's packages)"
INSTALL_TRAIN: Final = "uv sync --all-extras in the checkout, or pip install 'aslkit[train]'"
INSTALL_SPARK: Final = "uv sync --all-extras in the checkout, or pip install 'aslkit[spark]'"
REBUILD_HOROVOD: Final = "uv sync --all-extras --reinstall-package horovod in the checkout"


def _installed(distribution: str) -> str | None:
    """Return the version of an installed distribution, or None. Imports nothing: TensorFlow would take seconds."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def window_system(build_information: str) -> str | None:
    """Return what OpenCV shows windows with ("QT5", "GTK3", "COCOA"), by its build information; None when headless."""
    found = re.search(r"^\s*GUI:\s*(\S+)", build_information, re.MULTILINE)
    return found.group(1) if found and found.group(1) != "NONE" else None


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def check_opencv(_: Path) -> CheckStatus:
    """Look whether exactly one distribution of OpenCV is installed, loads, and can show windows."""
    versions = {name: version for name in OPENCV if (version := _installed(name))}
    listed = ", ".join(f"{name} {version}" for name, version in versions.items())
    wanted = f"opencv-python=={versions.get('opencv-python', OPENCV_VERSION)}"
    install = f"pip install --force-reinstall --no-deps {wanted}"
    replace = f"pip uninstall -y {' '.join(versions)} && {install}"
    if not versions:
        return missing("not installed", install)
    if len(versions) > 1:
        return problem(f"{listed}: they overwrite one another's cv2", replace)
    try:
        import cv2
    except ImportError as error:
        library = sys.platform == "linux" and "cannot open shared object file" in str(error)
        return problem(f"{listed} does not load: {error}", INSTALL_LIBRARIES if library else replace)
    windows = window_system(cv2.getBuildInformation())
    if windows is None:
        return problem(f"{listed}: built without windows (headless)", replace)
    if absent := [name for name in WINDOW_LIBRARIES if sys.platform == "linux" and not _loads(name)]:
        return problem(f"{listed}: cannot open windows without {' and '.join(absent)}", INSTALL_LIBRARIES)
    return ok(f"{listed}, windows by {windows}")


def check_tensorflow(_: Path) -> CheckStatus:
    """Look for TensorFlow."""
    version = _installed("tensorflow")
    return ok(version) if version else missing("not installed", INSTALL_TRAIN)


def check_horovod(_: Path) -> CheckStatus:
    """Look whether the TensorFlow that Horovod was compiled against, as its build noted down, is the one installed."""
    version, tensorflow = _installed("horovod"), _installed("tensorflow")
    if version is None:
        return missing("not installed", INSTALL_SPARK)
    notes = Path(str(metadata.distribution("horovod").locate_file("horovod/metadata.json")))
    built_for = json.loads(notes.read_text(encoding="utf-8")).get("tensorflow") if notes.is_file() else None
    if built_for is None:
        return problem(f"{version}, built without TensorFlow", REBUILD_HOROVOD)
    if built_for == tensorflow:
        return ok(f"{version}, built for TensorFlow {built_for}")
    found = f"TensorFlow {tensorflow}" if tensorflow else "no TensorFlow"
    return problem(f"{version}, built for TensorFlow {built_for}, but {found} is installed", REBUILD_HOROVOD)


def check_spark(workspace: Path) -> CheckStatus:
    """Look for PySpark, and at the Java it starts."""
    version = _installed("pyspark")
    if version is None:
        return missing("not installed", INSTALL_SPARK)
    java = check_java(workspace)
    return ok(f"{version}, {java.detail}") if java.state == "ok" else problem(f"{version}; {java.detail}", java.remedy)


def check_hand_models(_: Path) -> CheckStatus:
    """Look whether mediapipe's wheel carries the models: nothing is downloaded at run time."""
    reinstall = f"pip install --force-reinstall --no-deps mediapipe=={MEDIAPIPE_VERSION}"
    version = _installed("mediapipe")
    if version is None:
        return missing("mediapipe is not installed", reinstall)
    locate = metadata.distribution("mediapipe").locate_file
    absent = [model for model in HAND_MODELS if not Path(str(locate(model))).is_file()]
    return (
        problem(f"mediapipe {version} lacks {', '.join(absent)}", reinstall) if absent else ok(f"mediapipe {version}")
    )
