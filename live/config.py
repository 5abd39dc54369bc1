"""Settings of live recognition. The defaults were chosen on two signers and measured on the third (ADR 15)."""

from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

from aslkit.video.camera_config import CameraConfig


@dataclass(frozen=True, kw_only=True)
class LiveConfig(CameraConfig):
    """Settings of live recognition, section [live]."""

    strictness: Annotated[
        float,
        Meta(
            ge=0, le=4,
            description="Confidence that a frame needs, in log odds relative to the model's threshold: 1 is the "
            "threshold, 0 an even chance.",
        ),
    ] = 1.0  # fmt: skip
    hold_s: Annotated[
        float, Meta(ge=0, le=10, description="A letter is accepted if, of the frames of the last so many seconds,")
    ] = 0.5
    agree: Annotated[
        float,
        Meta(
            ge=0.05, le=1,
            description="this share shows it with enough confidence and hardly any shows another letter.",
        ),
    ] = 0.7  # fmt: skip
    least_frames: Annotated[
        int, Meta(ge=1, le=1000, description="Minimum number of those frames, however slow the camera is.")
    ] = 3
    release_s: Annotated[
        float,
        Meta(
            ge=0, le=10,
            description="Seconds for which a letter must be gone before it is accepted again; longer than a flicker.",
        ),
    ] = 0.25  # fmt: skip
    space_s: Annotated[
        float, Meta(ge=0, le=60, description="Seconds without a hand that make a space; 0: only the space key does.")
    ] = 1.5
    gap_s: Annotated[
        float, Meta(ge=0.05, le=60, description="After a longer gap between two frames, earlier frames are forgotten.")
    ] = 1.0
    web_fps: Annotated[float, Meta(ge=1, le=120, description="Maximum frame rate that a browser may send.")] = 30
