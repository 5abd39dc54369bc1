"""Settings of a camera, which recording and live recognition share."""

from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta


@dataclass(frozen=True, kw_only=True)
class CameraConfig:
    """What to request from a camera, and how long to wait for it."""

    camera_width: Annotated[
        int, Meta(ge=160, le=7680, description="Requested width of the camera image, pixels; the camera may differ.")
    ] = 640
    camera_height: Annotated[
        int, Meta(ge=120, le=4320, description="Requested height of the camera image, pixels.")
    ] = 480
    camera_fps: Annotated[int, Meta(ge=1, le=240, description="Requested frame rate of the camera.")] = 30
    reconnect_s: Annotated[
        float,
        Meta(ge=0, le=86_400, description="Seconds to wait for a disconnected camera, if no window or page is open."),
    ] = 60
