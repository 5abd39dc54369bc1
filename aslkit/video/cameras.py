"""Lists the cameras of this machine."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_SYSFS_FOLDER: Final = Path("/sys/class/video4linux")
"""Folder with the names of video devices, on Linux."""

_MAX_PROBED: Final = 4
"""On systems that do not list their devices, the camera numbers below this are probed."""

_NO_IMAGE: Final = "gives no image: not a camera, or used by another program"


@dataclass(frozen=True, kw_only=True)
class Camera:
    """A camera of this machine.

    Attributes:
        number: number to pass to `--source`.
        name: name reported by the device; empty if unknown.
        state: image size and frame rate, or why the camera cannot be used.
    """

    number: int
    name: str
    state: str


def list_cameras(devices: Path = Path("/dev"), sysfs: Path = _SYSFS_FOLDER) -> list[Camera]:
    """List cameras. Each one is opened briefly to read an image.

    Args:
        devices: folder with the device files, on Linux.
        sysfs: folder with the names of video devices, on Linux.
    """
    if sys.platform != "linux":
        return [camera for number in range(_MAX_PROBED) if (camera := _probe(number, "")).state != _NO_IMAGE]
    cameras = []
    numbered = (path for path in devices.glob("video[0-9]*") if path.name[5:].isdecimal())
    for device in sorted(numbered, key=lambda path: int(path.name[5:])):
        number = int(device.name[5:])
        name = camera_label(number, sysfs) or str(device)
        if os.access(device, os.R_OK | os.W_OK):
            cameras.append(_probe(number, name))
        else:
            state = "no permission for this user; run `aslkit doctor` for details"
            cameras.append(Camera(number=number, name=name, state=state))
    return cameras


def camera_label(number: int, sysfs: Path = _SYSFS_FOLDER) -> str | None:
    """Return the name that a camera reports; None if the system does not provide it."""
    label = sysfs / f"video{number}" / "name"
    return label.read_text(errors="replace").strip() if label.exists() else None


def _probe(number: int, name: str) -> Camera:
    import cv2

    cv2.setLogLevel(0)  # OpenCV's messages name neither the cause nor a remedy
    device = cv2.VideoCapture(number)
    try:
        success, image = device.read()
        fps = device.get(cv2.CAP_PROP_FPS)
    finally:
        device.release()
    state = f"{image.shape[1]}×{image.shape[0]}, {fps:.0f} fps" if success else _NO_IMAGE
    return Camera(number=number, name=name, state=state)
