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
            description="Minimum confidence of a letter in a frame, as a multiple of the log odds of the model's "
            "threshold: 1 is the threshold, 0 is 50 %.",
        ),
    ] = 1.0  # fmt: skip
    hold_s: Annotated[
        float,
        Meta(ge=0, le=10, description="Length of the window, in seconds, in which frames must agree on a letter."),
    ] = 0.5
    agree: Annotated[
        float,
        Meta(
            ge=0.05, le=1,
            description="Share of the frames in the window that must show the letter before it is accepted.",
        ),
    ] = 0.7  # fmt: skip
    least_frames: Annotated[
        int, Meta(ge=1, le=1000, description="Minimum number of frames in the window, even if the camera is slow.")
    ] = 3
    release_s: Annotated[
        float,
        Meta(
            ge=0, le=10,
            description="Seconds without the letter before it is accepted again; longer than a flicker.",
        ),
    ] = 0.25  # fmt: skip
    space_s: Annotated[
        float, Meta(ge=0, le=60, description="Seconds without a hand that insert a space; 0 for never.")
    ] = 1.5
    gap_s: Annotated[
        float,
        Meta(
            ge=0.05, le=60, description="After a longer gap between two frames, in seconds, earlier frames are ignored."
        ),
    ] = 1.0
    words: Annotated[
        bool, Meta(description="Suggest words while spelling, and correct a word when a space ends it.")
    ] = True
    word_file: Annotated[
        str, Meta(description="File with your own words and names, one per line, which are known as well.")
    ] = ""
    web_fps: Annotated[float, Meta(ge=1, le=120, description="Maximum frame rate that a browser may send.")] = 30
