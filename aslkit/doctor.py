"""`aslkit doctor`: what is there, what is missing, what each missing thing is needed for, and how to get it.

Each check looks at one thing and returns a verdict; CHECKS says in which order, and what each thing is needed for.
A check that raises becomes a problem with its reason, so the report is always complete.
"""

import ctypes
import json
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Final, Literal

State = Literal["ok", "missing", "problem"]

PYTHON: Final = "3.11"
"""The one Python the dependencies were built and run with: see pyproject.toml."""

OLDEST_JAVA: Final = 17
"""Spark 4 does not start on an older one."""

LEAST_FREE_GIB: Final = 2.0
"""Below this, a recording session or a training run may not fit."""

COMMAND_TIMEOUT_S: Final = 10

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

INSTALL_JAVA: Final = {
    "linux": "sudo apt-get install openjdk-17-jre-headless (or your distribution's package of Java 17 or newer)",
    "darwin": 'brew install openjdk@17 && export JAVA_HOME="$(brew --prefix openjdk@17)"',
}
INSTALL_COMPILER: Final = {
    "linux": "sudo apt-get install g++ make (or your distribution's packages)",
    "darwin": "xcode-select --install",
}
INSTALL_LIBRARIES: Final = "sudo apt-get install libgl1 libglib2.0-0 libsm6 (or your distribution's packages)"
INSTALL_TRAIN: Final = "uv sync --all-extras in the checkout, or pip install 'aslkit[train]'"
INSTALL_SPARK: Final = "uv sync --all-extras in the checkout, or pip install 'aslkit[spark]'"
REBUILD_HOROVOD: Final = "uv sync --all-extras --reinstall-package horovod in the checkout"
NO_CAMERA: Final = "connect a webcam; recording from a video or from images needs none"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What one check found. `required`: the base install (capture, curate, live) needs it; `remedy` is "" when ok."""

    name: str
    state: State
    detail: str
    needed_for: str
    remedy: str
    required: bool


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What one check saw: the state, what was found or is wrong, and what to do about it ("" when ok)."""

    state: State
    detail: str
    remedy: str = ""


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing to look at: `look` gets the workspace. `required` as in Finding."""

    name: str
    needed_for: str
    look: Callable[[Path], Verdict]
    required: bool = False


def examine(workspace: Path) -> list[Finding]:
    """Run every check, in the order of CHECKS. `workspace` need not exist."""
    return [_examine(check, workspace) for check in CHECKS]


def _examine(check: Check, workspace: Path) -> Finding:
    try:
        verdict = check.look(workspace)
    except Exception as error:  # a broken machine is what this looks for: the reason is the finding
        verdict = _problem(
            f"could not be checked: {type(error).__name__}: {error}",
            "mend what the reason names, then run aslkit doctor again",
        )
    return Finding(
        name=check.name,
        state=verdict.state,
        detail=verdict.detail,
        needed_for=check.needed_for,
        remedy=verdict.remedy,
        required=check.required,
    )


def _ok(detail: str) -> Verdict:
    return Verdict(state="ok", detail=detail)


def _missing(detail: str, remedy: str) -> Verdict:
    return Verdict(state="missing", detail=detail, remedy=remedy)


def _problem(detail: str, remedy: str) -> Verdict:
    return Verdict(state="problem", detail=detail, remedy=remedy)


@cache
def _output(*command: str) -> str:
    """Return what a command printed on either stream; "" when it failed, as a stub with no program behind it does."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=COMMAND_TIMEOUT_S, check=False)
    return done.stdout + done.stderr if done.returncode == 0 else ""


def _installed(distribution: str) -> str | None:
    """Return the version of an installed distribution, or None. Imports nothing: TensorFlow would take seconds."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def look_at_python(_: Path) -> Verdict:
    """Look at the Python that runs this."""
    version = platform.python_version()
    if version.startswith(f"{PYTHON}."):
        return _ok(version)
    return _problem(
        f"{version}; aslkit's dependencies were tried together on {PYTHON} only",
        f"uv venv --python {PYTHON}, then install aslkit in that",
    )


def java_major(banner: str) -> int | None:
    """Return the major version `java -version` printed: 17 for "17.0.15", 8 for "1.8.0_392", None without one."""
    found = re.search(r'version "(?:1\.)?(\d+)', banner)
    return int(found.group(1)) if found else None


def look_at_java(_: Path) -> Verdict:
    """Look at the Java that Spark would start: JAVA_HOME's, or without JAVA_HOME the one on the PATH."""
    home = os.environ.get("JAVA_HOME")
    place = f"in JAVA_HOME, {home}" if home else "on the PATH"
    command = shutil.which(Path(home, "bin", "java")) if home else shutil.which("java")
    major = java_major(_output(str(command), "-version")) if command else None
    if major is not None and major >= OLDEST_JAVA:
        return _ok(f"Java {major} {place}")
    remedy = INSTALL_JAVA.get(sys.platform, f"install Java {OLDEST_JAVA} or newer")
    if home:
        remedy += "; then point JAVA_HOME to it, or unset JAVA_HOME if it is on the PATH"
    if major is None:
        return _missing(f"no Java that starts {place}", remedy)
    return _problem(f"Java {major} {place}, too old: {OLDEST_JAVA} at least", remedy)


def look_at_compiler(_: Path) -> Verdict:
    """Look for a C++ compiler and make; Horovod's build brings its own cmake."""
    remedy = INSTALL_COMPILER.get(sys.platform, "install g++ and make")
    compiler = shutil.which("g++") or shutil.which("clang++")
    version = _output(compiler, "--version").partition("\n")[0] if compiler else ""
    if not version:
        return _missing("no g++ or clang++ that starts on the PATH", remedy)
    return _ok(version) if shutil.which("make") else _missing(f"{version}, but no make on the PATH", remedy)


def look_at_cameras(_: Path) -> Verdict:
    """Look on Linux at the video devices and whether this user may use them; elsewhere, open the first camera."""
    if sys.platform != "linux":
        return _open_first_camera()
    devices = sorted(Path("/dev").glob("video[0-9]*"))
    names = ", ".join(map(str, devices))
    if not devices:
        return _missing("no /dev/video* device", NO_CAMERA)
    if any(os.access(device, os.R_OK | os.W_OK) for device in devices):
        return _ok(names)
    return _problem(f"{names}: this user may not use them", 'sudo usermod -aG video "$USER", then log out and in')


def _open_first_camera() -> Verdict:
    import cv2

    camera = cv2.VideoCapture(0)
    opened = camera.isOpened()
    camera.release()
    if opened:
        return _ok("camera 0 opens")
    return _missing("camera 0 does not open", f"{NO_CAMERA}; the privacy settings must let the terminal use the camera")


def look_at_display(_: Path) -> Verdict:
    """Look for a display. On Linux, opencv-python's windows are X11 windows; other systems always have their own."""
    if sys.platform != "linux":
        return _ok("the system's own")
    display, wayland = os.environ.get("DISPLAY"), os.environ.get("WAYLAND_DISPLAY")
    if display:
        return _ok(f"DISPLAY={display}")
    if wayland:
        return _problem(
            f"WAYLAND_DISPLAY={wayland} but no DISPLAY: OpenCV's windows need X11", "install and start XWayland"
        )
    return _missing(
        "neither DISPLAY nor WAYLAND_DISPLAY is set", "run aslkit in a desktop session, or over ssh with ssh -X"
    )


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


def look_at_opencv(_: Path) -> Verdict:
    """Look whether exactly one distribution of OpenCV is installed, loads, and can show windows."""
    versions = {name: version for name in OPENCV if (version := _installed(name))}
    listed = ", ".join(f"{name} {version}" for name, version in versions.items())
    wanted = f"opencv-python=={versions.get('opencv-python', OPENCV_VERSION)}"
    install = f"pip install --force-reinstall --no-deps {wanted}"
    replace = f"pip uninstall -y {' '.join(versions)} && {install}"
    if not versions:
        return _missing("not installed", install)
    if len(versions) > 1:
        return _problem(f"{listed}: they overwrite one another's cv2", replace)
    try:
        import cv2
    except ImportError as error:
        library = sys.platform == "linux" and "cannot open shared object file" in str(error)
        return _problem(f"{listed} does not load: {error}", INSTALL_LIBRARIES if library else replace)
    windows = window_system(cv2.getBuildInformation())
    if windows is None:
        return _problem(f"{listed}: built without windows (headless)", replace)
    if absent := [name for name in WINDOW_LIBRARIES if sys.platform == "linux" and not _loads(name)]:
        return _problem(f"{listed}: cannot open windows without {' and '.join(absent)}", INSTALL_LIBRARIES)
    return _ok(f"{listed}, windows by {windows}")


def look_at_tensorflow(_: Path) -> Verdict:
    """Look for TensorFlow."""
    version = _installed("tensorflow")
    return _ok(version) if version else _missing("not installed", INSTALL_TRAIN)


def look_at_horovod(_: Path) -> Verdict:
    """Look whether the TensorFlow that Horovod was compiled against, as its build noted down, is the one installed."""
    version, tensorflow = _installed("horovod"), _installed("tensorflow")
    if version is None:
        return _missing("not installed", INSTALL_SPARK)
    notes = Path(str(metadata.distribution("horovod").locate_file("horovod/metadata.json")))
    built_for = json.loads(notes.read_text(encoding="utf-8")).get("tensorflow") if notes.is_file() else None
    if built_for is None:
        return _problem(f"{version}, built without TensorFlow", REBUILD_HOROVOD)
    if built_for == tensorflow:
        return _ok(f"{version}, built for TensorFlow {built_for}")
    found = f"TensorFlow {tensorflow}" if tensorflow else "no TensorFlow"
    return _problem(f"{version}, built for TensorFlow {built_for}, but {found} is installed", REBUILD_HOROVOD)


def look_at_spark(workspace: Path) -> Verdict:
    """Look for PySpark, and at the Java it starts."""
    version = _installed("pyspark")
    if version is None:
        return _missing("not installed", INSTALL_SPARK)
    java = look_at_java(workspace)
    return (
        _ok(f"{version}, {java.detail}") if java.state == "ok" else _problem(f"{version}; {java.detail}", java.remedy)
    )


def look_at_hand_models(_: Path) -> Verdict:
    """Look whether mediapipe's wheel carries the models: nothing is downloaded at run time."""
    reinstall = f"pip install --force-reinstall --no-deps mediapipe=={MEDIAPIPE_VERSION}"
    version = _installed("mediapipe")
    if version is None:
        return _missing("mediapipe is not installed", reinstall)
    locate = metadata.distribution("mediapipe").locate_file
    absent = [model for model in HAND_MODELS if not Path(str(locate(model))).is_file()]
    return (
        _problem(f"mediapipe {version} lacks {', '.join(absent)}", reinstall) if absent else _ok(f"mediapipe {version}")
    )


def look_at_disk(workspace: Path) -> Verdict:
    """Look for room and the right to write in the workspace, or in the folder where it would be created."""
    place = next(folder for folder in (workspace.resolve(), *workspace.resolve().parents) if folder.exists())
    free_gib = shutil.disk_usage(place).free / 2**30
    if not os.access(place, os.W_OK):
        return _problem(f"this user may not write to {place}", "choose a workspace this user may write to")
    if free_gib < LEAST_FREE_GIB:
        return _problem(
            f"only {free_gib:.1f} GiB at {place}",
            f"free {LEAST_FREE_GIB:.0f} GiB there, or choose a workspace on another disk",
        )
    return _ok(f"{free_gib:.1f} GiB at {place}")


SPARK_USES: Final = "benchmark, --engine spark, training on several ranks (extra [spark])"

CHECKS: Final = (
    Check(name="Python", needed_for="everything", look=look_at_python, required=True),
    Check(name="Java", needed_for=SPARK_USES, look=look_at_java),
    Check(name="C++ compiler", needed_for="installing Horovod (extra [spark])", look=look_at_compiler),
    Check(name="Cameras", needed_for="recording and recognising at the webcam", look=look_at_cameras),
    Check(name="Display", needed_for="the windows of capture and live", look=look_at_display),
    Check(name="OpenCV", needed_for="images, cameras and windows", look=look_at_opencv, required=True),
    Check(name="TensorFlow", needed_for="training neural networks (extra [train])", look=look_at_tensorflow),
    Check(name="Horovod", needed_for="training on several ranks (extra [spark])", look=look_at_horovod),
    Check(name="Spark", needed_for=SPARK_USES, look=look_at_spark),
    Check(name="MediaPipe hand models", needed_for="finding the hand", look=look_at_hand_models, required=True),
    Check(name="Free disk", needed_for="captures, datasets and runs", look=look_at_disk, required=True),
)
