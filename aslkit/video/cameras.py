"""Which cameras this machine has."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_ABOUT: Final = Path("/sys/class/video4linux")
"""Where Linux keeps their names."""

_TRIED: Final = 4
"""Where the system lists no devices, so many numbers are tried."""


@dataclass(frozen=True, kw_only=True)
class Camera:
    """One camera.

    Attributes:
        number: what `--source` takes.
        name: as the device calls itself; empty when unknown.
        state: the size and rate of its pictures, or why it gives none.
    """

    number: int
    name: str
    state: str


def list_cameras(devices: Path = Path("/dev"), about: Path = _ABOUT) -> list[Camera]:
    """Look for cameras; each is opened for a moment.

    Args:
        devices: where Linux keeps its devices.
        about: where Linux keeps their names.
    """
    if sys.platform != "linux":
        return [camera for number in range(_TRIED) if (camera := _tried(number, "")).state != _NOTHING]
    found = []
    numbered = (path for path in devices.glob("video[0-9]*") if path.name[5:].isdecimal())
    for device in sorted(numbered, key=lambda path: int(path.name[5:])):
        number = int(device.name[5:])
        name = camera_label(number, about) or str(device)
        if os.access(device, os.R_OK | os.W_OK):
            found.append(_tried(number, name))
        else:
            found.append(Camera(number=number, name=name, state="this user may not use it; `aslkit doctor` says more"))
    return found


def camera_label(number: int, about: Path = _ABOUT) -> str | None:
    """How a camera calls itself, where the system tells."""
    label = about / f"video{number}" / "name"
    return label.read_text(errors="replace").strip() if label.exists() else None


_NOTHING: Final = "gives no picture: no camera, or another program uses it"


def _tried(number: int, name: str) -> Camera:
    import cv2

    cv2.setLogLevel(0)  # its own messages name neither the cause nor the remedy
    device = cv2.VideoCapture(number)
    try:
        there, image = device.read()
        fps = device.get(cv2.CAP_PROP_FPS)
    finally:
        device.release()
    state = f"{image.shape[1]}×{image.shape[0]}, {fps:.0f} fps" if there else _NOTHING
    return Camera(number=number, name=name, state=state)
