"""Checks of this machine: Python, Java, C++ compiler, cameras, display and disk."""

import os
import platform
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Final

from aslkit.core.installation import install_command, uninstall_command
from aslkit.doctor.result import CheckStatus, missing, ok, problem

TESTED_PYTHONS: Final = ("3.11", "3.12")
"""Python versions with which the dependencies are tested, see pyproject.toml. The first one is recommended."""

MIN_JAVA: Final = 17
"""Oldest major version of Java on which Spark 4 starts."""

MIN_FREE_GIB: Final = 2.0
"""Below this, a recording session or a training run may not fit."""

COMMAND_TIMEOUT_S: Final = 30

TENSORFLOW_VERSION: Final = "2.18.1"

_COUNT_GPUS: Final = "import tensorflow as tf; print('GPUs:', len(tf.config.list_physical_devices('GPU')))"

INSTALL_JAVA: Final = {
    "linux": "sudo apt-get install openjdk-17-jre-headless (or your distribution's package of Java 17 or newer)",
    "darwin": 'brew install openjdk@17 && export JAVA_HOME="$(brew --prefix openjdk@17)"',
}
INSTALL_COMPILER: Final = {
    "linux": "sudo apt-get install g++ make (or your distribution's packages)",
    "darwin": "xcode-select --install",
}
CONNECT_CAMERA: Final = "connect a webcam; recording from a video or from images does not need one"


# Several checks need the version of Java, which takes a moment to start.
@cache
def _output(*command: str) -> str:
    """Return what a command printed to stdout and stderr; "" if it failed or does not exist.

    Some systems have stubs, such as `java` and `g++` on macOS, which only print how to install the program, and fail.
    """
    try:
        completed = subprocess.run(command, capture_output=True, text=True, timeout=COMMAND_TIMEOUT_S, check=False)
    except FileNotFoundError:
        return ""
    return completed.stdout + completed.stderr if completed.returncode == 0 else ""


def check_python(_: Path) -> CheckStatus:
    """Check the version of the running Python."""
    version = platform.python_version()
    if version.startswith(tuple(f"{tested}." for tested in TESTED_PYTHONS)):
        return ok(version)
    return problem(
        f"{version}; aslkit's dependencies are tested with {' and '.join(TESTED_PYTHONS)} only",
        f"uv venv --python {TESTED_PYTHONS[0]}, then install aslkit in it",
    )


def java_major(banner: str) -> int | None:
    """Parse the output of `java -version`: return 17 for "17.0.15", 8 for "1.8.0_392", None if it has no version."""
    match = re.search(r'version "(?:1\.)?(\d+)', banner)
    return int(match.group(1)) if match else None


def check_java(_: Path) -> CheckStatus:
    """Check the Java that Spark would start: the one in JAVA_HOME if it is set, otherwise the one on the PATH."""
    home = os.environ.get("JAVA_HOME")
    location = f"in JAVA_HOME ({home})" if home else "on the PATH"
    command = shutil.which(Path(home, "bin", "java")) if home else shutil.which("java")
    major = java_major(_output(str(command), "-version")) if command else None
    if major is not None and major >= MIN_JAVA:
        return ok(f"Java {major} {location}")
    remedy = INSTALL_JAVA.get(sys.platform, f"install Java {MIN_JAVA} or newer")
    if home:
        remedy += "; then set JAVA_HOME to its folder, or unset JAVA_HOME if the new Java is on the PATH"
    if major is None:
        return missing(f"no working Java {location}", remedy)
    return problem(f"Java {major} {location} is too old; {MIN_JAVA} or newer is required", remedy)


def check_compiler(_: Path) -> CheckStatus:
    """Check for a C++ compiler and make. Horovod's build installs its own cmake."""
    remedy = INSTALL_COMPILER.get(sys.platform, "install g++ and make")
    compiler = shutil.which("g++") or shutil.which("clang++")
    version = _output(compiler, "--version").partition("\n")[0] if compiler else ""
    if not version:
        return missing("no working g++ or clang++ on the PATH", remedy)
    return ok(version) if shutil.which("make") else missing(f"{version}, but make is not on the PATH", remedy)


def check_gpu(_: Path) -> CheckStatus:
    """Check for NVIDIA GPUs, and whether the installed TensorFlow can use them. Having none is no problem."""
    names = re.findall(r"^GPU \d+: (.+?) \(UUID", _output("nvidia-smi", "-L"), re.MULTILINE)
    if not names:
        return ok("none; networks are trained on the CPU")
    found = ", ".join(names)
    if f"GPUs: {len(names)}\n" in _output(sys.executable, "-c", _COUNT_GPUS):
        return ok(found)
    remedy = f"{uninstall_command('tensorflow-cpu')}; {install_command('tensorflow[and-cuda]==' + TENSORFLOW_VERSION)}"
    return problem(f"{found}, but the installed TensorFlow cannot use it", remedy)


def check_cameras(_: Path) -> CheckStatus:
    """Check for cameras: on Linux for video devices that this user can access, elsewhere by opening camera 0."""
    if sys.platform != "linux":
        return _open_first_camera()
    devices = sorted(Path("/dev").glob("video[0-9]*"))
    names = ", ".join(map(str, devices))
    if not devices:
        return missing("no /dev/video* device found", CONNECT_CAMERA)
    if any(os.access(device, os.R_OK | os.W_OK) for device in devices):
        return ok(names)
    return problem(f"{names}: no access for this user", 'sudo usermod -aG video "$USER", then log out and in again')


def _open_first_camera() -> CheckStatus:
    import cv2

    camera = cv2.VideoCapture(0)
    opened = camera.isOpened()
    camera.release()
    if opened:
        return ok("camera 0 can be opened")
    return missing(
        "camera 0 cannot be opened",
        f"{CONNECT_CAMERA}; check that the privacy settings allow the terminal to use the camera",
    )


def check_display(_: Path) -> CheckStatus:
    """Check for a display. On Linux, opencv-python needs X11; other systems always have a display."""
    if sys.platform != "linux":
        return ok("native")
    display, wayland = os.environ.get("DISPLAY"), os.environ.get("WAYLAND_DISPLAY")
    if display:
        return ok(f"DISPLAY={display}")
    if wayland:
        return problem(
            f"WAYLAND_DISPLAY={wayland}, but DISPLAY is not set: OpenCV's windows need X11",
            "install and start XWayland",
        )
    return missing(
        "neither DISPLAY nor WAYLAND_DISPLAY is set", "run aslkit in a desktop session, or connect with ssh -X"
    )


def check_disk(workspace: Path) -> CheckStatus:
    """Check that the workspace, or the folder where it would be created, is writable and has enough free space."""
    location = next(folder for folder in (workspace.resolve(), *workspace.resolve().parents) if folder.exists())
    free_gib = shutil.disk_usage(location).free / 2**30
    if not os.access(location, os.W_OK):
        return problem(f"{location} is not writable for this user", "choose a workspace that this user can write to")
    if free_gib < MIN_FREE_GIB:
        return problem(
            f"only {free_gib:.1f} GiB free at {location}",
            f"free up {MIN_FREE_GIB:.0f} GiB there, or choose a workspace on another disk",
        )
    return ok(f"{free_gib:.1f} GiB free at {location}")
