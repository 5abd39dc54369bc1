"""A frame of a source, and the error of a source that stops delivering frames."""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from aslkit.core.errors import AslkitError
from aslkit.formats.captures import frame_timestamp
from aslkit.vision.images import Frame


@dataclass(frozen=True, kw_only=True)
class SourceFrame:
    """A frame delivered by a source.

    Attributes:
        image: BGR, uint8 (height, width, 3), unmirrored.
        name: name of the frame, unique within the source.
        time_s: seconds since the start of the source; None for images of a folder.
        captured_at: time at which a camera took the frame; None if unknown.
    """

    image: Frame
    name: str
    time_s: float | None
    captured_at: datetime | None


Frames = Generator[SourceFrame, None, None]
"""The frames of an open source. Closing it tells what was wrong with them so far."""


class SourceLost(AslkitError):
    """A camera or stream stopped delivering frames; it may come back."""


def live_frame(image: Frame, started: datetime) -> SourceFrame:
    """Return a frame that a camera has taken now. `started`: time at which the source was opened, UTC."""
    now = datetime.now(UTC)
    return SourceFrame(image=image, name=frame_timestamp(now), time_s=(now - started).total_seconds(), captured_at=now)


def take_image(read: Callable[[], tuple[bool, Any]], source_name: str) -> Frame | None:
    """Return the next image of an OpenCV source; None if there is none, or it is damaged.

    Args:
        read: `read` or `retrieve` of a `cv2.VideoCapture`.
        source_name: name of the source, for messages.

    Raises:
        AslkitError: the image does not have 8 bits per channel.
    """
    import cv2

    try:
        success, image = read()
    except cv2.error:  # a damaged header states an impossible size
        return None
    return to_bgr(image, source_name) if success and image is not None else None


def to_bgr(image: Any, source_name: str) -> Frame:
    """Convert an image to BGR. OpenCV delivers BGR, except for some infrared cameras, which stay greyscale.

    Raises:
        AslkitError: the image does not have 8 bits per channel.
    """
    import cv2

    channels = image.shape[2] if image.ndim == 3 else 1
    if image.dtype != np.uint8 or channels not in (1, 3, 4):
        raise AslkitError(
            f"{source_name} gives images with {channels} × {image.dtype} channels; 8-bit colour is required."
        )
    if channels == 3:
        return np.asarray(image, np.uint8)
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_GRAY2BGR if channels == 1 else cv2.COLOR_BGRA2BGR), np.uint8)
