"""Settings of recording and of the quality gate."""

from dataclasses import dataclass
from typing import Annotated, Literal

from msgspec import Meta

from aslkit.core.config import Share
from aslkit.core.letters import MAX_MOVEMENT_S, MIN_MOVEMENT_S
from aslkit.formats.licences import PRIVATE
from aslkit.formats.recording_plan import FRAMES_PER_LETTER
from aslkit.video.camera_config import CameraConfig


@dataclass(frozen=True, kw_only=True)
class CaptureConfig(CameraConfig):
    """Settings of a recording, section [capture]."""

    goal: Annotated[
        int,
        Meta(
            ge=1, le=1_000_000,
            description="Target number of frames per letter and signer, over all sessions; 602 in the reference study.",
        ),
    ] = FRAMES_PER_LETTER  # fmt: skip
    clip_goal: Annotated[
        int,
        Meta(
            ge=1, le=1_000_000,
            description="Target number of clips per movement and signer. 20 take two minutes to record; the number is "
            "a choice, not a measurement.",
        ),
    ] = 20  # fmt: skip
    clip_fps: Annotated[
        float,
        Meta(
            ge=1, le=240,
            description="Frame rate of a folder of images that is recorded as clips, because images have no times.",
        ),
    ] = 30  # fmt: skip
    interval_s: Annotated[
        float,
        Meta(
            ge=0, le=3600,
            description="Minimum time between two stored frames, seconds; at 30 fps, consecutive frames are "
            "near-duplicates.",
        ),
    ] = 0.1  # fmt: skip
    format: Annotated[Literal["jpeg", "png"], Meta(description="Format of the stored images.")] = "jpeg"
    jpeg_quality: Annotated[int, Meta(ge=1, le=100, description="JPEG quality; at 95 the loss is not visible.")] = 95
    countdown_s: Annotated[
        float, Meta(ge=0, le=60, description="Countdown before a letter and before a burst, seconds.")
    ] = 3
    burst_s: Annotated[float, Meta(ge=0.1, le=60, description="Duration of a burst, seconds.")] = 3
    web_fps: Annotated[float, Meta(ge=1, le=120, description="Maximum frame rate that a browser may send.")] = 15
    licence: Annotated[
        str, Meta(description="Proposed licence: an SPDX identifier or private. --yes uses it for a new signer.")
    ] = PRIVATE
    consent: Annotated[
        str, Meta(description="Consent that --yes states for a new signer; empty: a sentence that names the licence.")
    ] = ""


@dataclass(frozen=True, kw_only=True)
class GateConfig:
    """Settings of the quality gate, section [gate]: what a frame must be like to be stored.

    The limits were set on real photographs of three people (ADR 6).
    """

    enabled: Annotated[
        bool, Meta(description="Reject bad frames; if off, every frame is stored and the reasons are recorded.")
    ] = True
    smallest_hand: Annotated[
        Share,
        Meta(
            description="Minimum size of the hand: longer side of its box relative to the shorter side of the frame; "
            "72 of 480 pixels."
        ),
    ] = 0.15
    edge: Annotated[
        Share, Meta(description="How far a finger joint may lie outside the frame, relative to its size.")
    ] = 0.0
    wrist_edge: Annotated[Share, Meta(description="The same for the wrist, which matters little for a letter.")] = 0.1
    blur_fine: Annotated[
        Share, Meta(description="Maximum blur, 0 is sharp; 99 of 100 sharp hands of each of the three people pass.")
    ] = 0.63
    blur_coarse: Annotated[Share, Meta(description="The same for the reduced image.")] = 0.61
    darkest: Annotated[
        Share,
        Meta(description="Minimum brightness of the brightest twentieth of the hand; low, so that dark skin passes."),
    ] = 0.22
    brightest: Annotated[Share, Meta(description="Maximum share of white pixels in the hand's crop.")] = 0.25
    fastest: Annotated[
        float,
        Meta(
            ge=0, le=1000,
            description="Maximum speed, palm lengths per second; at 1/30 s of exposure, 2 smear a fifteenth of a palm.",
        ),
    ] = 2.0  # fmt: skip
    alike_bits: Annotated[int, Meta(ge=0, le=64, description="Near-duplicates: as group_distance in [curate], and")] = 4
    alike_hand: Annotated[float, Meta(ge=0, le=10, description="as group_hand_distance in [curate].")] = 0.05
    alike_fine_bits: Annotated[
        int,
        Meta(ge=0, le=256, description="Or, of 256 bits: the same image re-encoded, even if the landmarks differ."),
    ] = 6
    clip_shortest_s: Annotated[
        float,
        Meta(
            ge=MIN_MOVEMENT_S, le=MAX_MOVEMENT_S, description="Minimum duration of a clip; J and Z take 0.5 to 1.5 s."
        ),
    ] = MIN_MOVEMENT_S
    clip_longest_s: Annotated[
        float, Meta(ge=MIN_MOVEMENT_S, le=MAX_MOVEMENT_S, description="Maximum duration of a clip, seconds.")
    ] = MAX_MOVEMENT_S
    clip_slowest_fps: Annotated[
        float,
        Meta(
            ge=2, le=240,
            description="Minimum frame rate of a clip; at 8, a stroke of Z of 0.25 s still has two frames.",
        ),
    ] = 8  # fmt: skip
    clip_hand: Annotated[
        Share, Meta(description="Minimum share of the frames of J and Z in which the hand is found.")
    ] = 0.8
    clip_gap_s: Annotated[
        float,
        Meta(
            ge=0, le=MAX_MOVEMENT_S,
            description="Maximum time without a hand within J and Z, seconds; a stroke of Z takes about 0.25 s.",
        ),
    ] = 0.2  # fmt: skip
    clip_end_gap_s: Annotated[
        float,
        Meta(
            ge=0, le=MAX_MOVEMENT_S, description="The same at the beginning and end of the clip; 3 frames at 30 fps."
        ),
    ] = 0.1  # fmt: skip
    clip_path: Annotated[
        float,
        Meta(
            ge=0, le=100,
            description="Minimum path of the little finger (J) or index finger (Z), palm lengths. A hand that holds a "
            "letter stays below 1.2 in 99 of 100 clips of 1.2 s (ADR 23).",
        ),
    ] = 1.2  # fmt: skip
    clip_curved: Annotated[
        float,
        Meta(
            ge=1, le=10,
            description="Minimum path of this finger, relative to the distance from its start to its end. Synthetic J "
            "and Z have 1.14 and more; the straight way back to the start has 1.0 to 1.1 (ADR 23).",
        ),
    ] = 1.12  # fmt: skip
    clip_cut_off: Annotated[
        Share, Meta(description="Maximum share of the frames of J and Z in which the hand is cut off.")
    ] = 0.1
