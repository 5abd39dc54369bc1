"""Checks of the installed packages: whether they are present, compatible and complete."""

import ctypes
import json
import re
import sys
from importlib import metadata
from pathlib import Path
from typing import Final

from aslkit.core.installation import find_version, install_command, install_extra_command, uninstall_command
from aslkit.doctor.machine import check_java
from aslkit.doctor.result import CheckStatus, missing, ok, problem

OPENCV: Final = ("opencv-python", "opencv-contrib-python", "opencv-python-headless", "opencv-contrib-python-headless")
"""All four install the same module, `cv2`. If two are installed, the files of one overwrite those of the other."""

OPENCV_VERSION: Final = "4.11.0.86"

WINDOW_LIBRARIES: Final = ("libSM.so.6", "libICE.so.6")
"""opencv-python can be imported without them, but aborts the process when it opens its first window on Linux."""

MEDIAPIPE_VERSION: Final = "0.10.21"
"""The wheels of 0.10.30 and later do not contain the hand models."""

HAND_MODELS: Final = (
    "mediapipe/modules/palm_detection/palm_detection_full.tflite",
    "mediapipe/modules/hand_landmark/hand_landmark_full.tflite",
    "mediapipe/modules/hand_landmark/hand_landmark_tracking_cpu.binarypb",
)

INSTALL_LIBRARIES: Final = "sudo apt-get install libgl1 libglib2.0-0 libsm6 (or your distribution's packages)"
REBUILD_HOROVOD: Final = "uv sync --all-extras --reinstall-package horovod in the checkout"


def window_system(build_information: str) -> str | None:
    """Return OpenCV's window system ("QT5", "GTK3", "COCOA") from its build information; None if it is headless."""
    match = re.search(r"^\s*GUI:\s*(\S+)", build_information, re.MULTILINE)
    return match.group(1) if match and match.group(1) != "NONE" else None


def _can_load(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def check_opencv(_: Path) -> CheckStatus:
    """Check that OpenCV is installed in one version, can be imported, and can open windows."""
    versions = {name: version for name in OPENCV if (version := find_version(name))}
    listed = ", ".join(f"{name} {version}" for name, version in versions.items())
    requirement = f"opencv-python=={versions.get('opencv-python', OPENCV_VERSION)}"
    install = install_command(requirement, options="--force-reinstall --no-deps")
    replace = f"{uninstall_command(*versions)} && {install}"
    if not versions:
        return missing("not installed", install)
    # Before importing: which of the mixed files `import cv2` loads depends on the order of installation. pip installs
    # opencv-contrib-python with MediaPipe; in the same version, both can open windows.
    if len(set(versions.values())) > 1 or (len(versions) > 1 and any("headless" in name for name in versions)):
        return problem(f"{listed}: they overwrite each other's cv2 module", replace)
    try:
        import cv2
    except ImportError as error:
        library_missing = sys.platform == "linux" and "cannot open shared object file" in str(error)
        return problem(f"{listed} cannot be imported: {error}", INSTALL_LIBRARIES if library_missing else replace)
    windows = window_system(cv2.getBuildInformation())
    if windows is None:
        return problem(f"{listed}: built without window support (headless)", replace)
    if absent := [name for name in WINDOW_LIBRARIES if sys.platform == "linux" and not _can_load(name)]:
        return problem(f"{listed}: cannot open windows without {' and '.join(absent)}", INSTALL_LIBRARIES)
    return ok(f"{listed}, windows with {windows}")


def check_heic(_: Path) -> CheckStatus:
    """Check that pillow-heif is installed."""
    version = find_version("pillow-heif")
    return ok(f"pillow-heif {version}") if version else missing("not installed", install_extra_command("heic"))


def check_tensorflow(_: Path) -> CheckStatus:
    """Check that TensorFlow is installed."""
    version = find_version("tensorflow")
    return ok(version) if version else missing("not installed", install_extra_command("train"))


def check_horovod(_: Path) -> CheckStatus:
    """Check that Horovod was compiled for the installed version of TensorFlow, according to its build metadata."""
    version, tensorflow = find_version("horovod"), find_version("tensorflow")
    if version is None:
        return missing("not installed", install_extra_command("spark"))
    build_metadata = Path(str(metadata.distribution("horovod").locate_file("horovod/metadata.json")))
    # Read from Horovod's own build metadata, because importing it would import TensorFlow.
    built_for = (
        json.loads(build_metadata.read_text(encoding="utf-8")).get("tensorflow") if build_metadata.is_file() else None
    )
    if built_for is None:
        return problem(f"{version}, built without TensorFlow", REBUILD_HOROVOD)
    if built_for == tensorflow:
        return ok(f"{version}, built for TensorFlow {built_for}")
    installed = f"TensorFlow {tensorflow}" if tensorflow else "no TensorFlow"
    return problem(f"{version}, built for TensorFlow {built_for}, but {installed} is installed", REBUILD_HOROVOD)


def check_spark(workspace: Path) -> CheckStatus:
    """Check for PySpark, and for the Java that it starts."""
    version = find_version("pyspark")
    if version is None:
        return missing("not installed", install_extra_command("spark"))
    java = check_java(workspace)
    return ok(f"{version}, {java.detail}") if java.state == "ok" else problem(f"{version}; {java.detail}", java.remedy)


def check_hand_models(_: Path) -> CheckStatus:
    """Check that the installed mediapipe contains the hand models. They are never downloaded at run time."""
    reinstall = install_command(f"mediapipe=={MEDIAPIPE_VERSION}", options="--force-reinstall --no-deps")
    version = find_version("mediapipe")
    if version is None:
        return missing("mediapipe is not installed", reinstall)
    locate = metadata.distribution("mediapipe").locate_file
    absent = [model for model in HAND_MODELS if not Path(str(locate(model))).is_file()]
    if absent:
        return problem(f"mediapipe {version} does not contain {', '.join(absent)}", reinstall)
    return ok(f"mediapipe {version}")
