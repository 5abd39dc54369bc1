"""Checks of the machine: its Python, Java and compiler, cameras, display and disk."""

import os
import platform
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Final

from aslkit.doctor.result import CheckStatus, missing, ok, problem

PYTHONS: Final = ("3.11", "3.12")
"""What the dependencies were built and run with: see pyproject.toml. The first is the one that is proposed."""

MIN_JAVA: Final = 17
"""Spark 4 does not start on an older one."""

MIN_FREE_GIB: Final = 2.0
"""Below this, a recording session or a training run may not fit."""

COMMAND_TIMEOUT_S: Final = 10

INSTALL_JAVA: Final = {
    "linux": "sudo apt-get install openjdk-17-jre-headless (or your distribution's package of Java 17 or newer)",
    "darwin": 'brew install openjdk@17 && export JAVA_HOME="$(brew --prefix openjdk@17)"',
}
INSTALL_COMPILER: Final = {
    "linux": "sudo apt-get install g++ make (or your distribution's packages)",
    "darwin": "xcode-select --install",
}
NO_CAMERA: Final = "connect a webcam; recording from a video or from images needs none"


@cache
def _output(*command: str) -> str:
    """Return what a command printed on either stream; "" when it failed, as a stub with no program behind it does."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=COMMAND_TIMEOUT_S, check=False)
    return done.stdout + done.stderr if done.returncode == 0 else ""


def check_python(_: Path) -> CheckStatus:
    """Look at the Python that runs this."""
    version = platform.python_version()
    if version.startswith(tuple(f"{each}." for each in PYTHONS)):
        return ok(version)
    return problem(
        f"{version}; aslkit's dependencies were tried together on {' and '.join(PYTHONS)} only",
        f"uv venv --python {PYTHONS[0]}, then install aslkit in that",
    )


def java_major(banner: str) -> int | None:
    """Return the major version `java -version` printed: 17 for "17.0.15", 8 for "1.8.0_392", None without one."""
    found = re.search(r'version "(?:1\.)?(\d+)', banner)
    return int(found.group(1)) if found else None


def check_java(_: Path) -> CheckStatus:
    """Look at the Java that Spark would start: JAVA_HOME's, or without JAVA_HOME the one on the PATH."""
    home = os.environ.get("JAVA_HOME")
    place = f"in JAVA_HOME, {home}" if home else "on the PATH"
    command = shutil.which(Path(home, "bin", "java")) if home else shutil.which("java")
    major = java_major(_output(str(command), "-version")) if command else None
    if major is not None and major >= MIN_JAVA:
        return ok(f"Java {major} {place}")
    remedy = INSTALL_JAVA.get(sys.platform, f"install Java {MIN_JAVA} or newer")
    if home:
        remedy += "; then point JAVA_HOME to it, or unset JAVA_HOME if it is on the PATH"
    if major is None:
        return missing(f"no Java that starts {place}", remedy)
    return problem(f"Java {major} {place}, too old: {MIN_JAVA} at least", remedy)


def check_compiler(_: Path) -> CheckStatus:
    """Look for a C++ compiler and make; Horovod's build brings its own cmake."""
    remedy = INSTALL_COMPILER.get(sys.platform, "install g++ and make")
    compiler = shutil.which("g++") or shutil.which("clang++")
    version = _output(compiler, "--version").partition("\n")[0] if compiler else ""
    if not version:
        return missing("no g++ or clang++ that starts on the PATH", remedy)
    return ok(version) if shutil.which("make") else missing(f"{version}, but no make on the PATH", remedy)


def check_cameras(_: Path) -> CheckStatus:
    """Look on Linux at the video devices and whether this user may use them; elsewhere, open the first camera."""
    if sys.platform != "linux":
        return _open_first_camera()
    devices = sorted(Path("/dev").glob("video[0-9]*"))
    names = ", ".join(map(str, devices))
    if not devices:
        return missing("no /dev/video* device", NO_CAMERA)
    if any(os.access(device, os.R_OK | os.W_OK) for device in devices):
        return ok(names)
    return problem(f"{names}: this user may not use them", 'sudo usermod -aG video "$USER", then log out and in')


def _open_first_camera() -> CheckStatus:
    import cv2

    camera = cv2.VideoCapture(0)
    opened = camera.isOpened()
    camera.release()
    if opened:
        return ok("camera 0 opens")
    return missing("camera 0 does not open", f"{NO_CAMERA}; the privacy settings must let the terminal use the camera")


def check_display(_: Path) -> CheckStatus:
    """Look for a display. On Linux, opencv-python's windows are X11 windows; other systems always have their own."""
    if sys.platform != "linux":
        return ok("the system's own")
    display, wayland = os.environ.get("DISPLAY"), os.environ.get("WAYLAND_DISPLAY")
    if display:
        return ok(f"DISPLAY={display}")
    if wayland:
        return problem(
            f"WAYLAND_DISPLAY={wayland} but no DISPLAY: OpenCV's windows need X11", "install and start XWayland"
        )
    return missing(
        "neither DISPLAY nor WAYLAND_DISPLAY is set", "run aslkit in a desktop session, or over ssh with ssh -X"
    )


def check_disk(workspace: Path) -> CheckStatus:
    """Look for room and the right to write in the workspace, or in the folder where it would be created."""
    place = next(folder for folder in (workspace.resolve(), *workspace.resolve().parents) if folder.exists())
    free_gib = shutil.disk_usage(place).free / 2**30
    if not os.access(place, os.W_OK):
        return problem(f"this user may not write to {place}", "choose a workspace this user may write to")
    if free_gib < MIN_FREE_GIB:
        return problem(
            f"only {free_gib:.1f} GiB at {place}",
            f"free {MIN_FREE_GIB:.0f} GiB there, or choose a workspace on another disk",
        )
    return ok(f"{free_gib:.1f} GiB at {place}")
