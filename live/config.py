"""How live turns frames into text; configs/default.toml has the values and their reasons."""

from dataclasses import dataclass

from aslkit.core.config import check_integer, check_number


@dataclass(frozen=True, kw_only=True)
class LiveConfig:
    """How live turns frames into text, and what it asks a camera for.

    Attributes:
        strictness: how much of the model's threshold is asked of a frame, 0–4: see `aslkit.live.speller.letter_threshold`.
        hold_s: how far back frames are looked at, seconds.
        agree: share of those frames that must say a letter above that bar, 0–1; others may be refused.
        least_frames: so many of them at least, however slow the camera.
        release_s: for so long a letter must not be seen before the same one is taken again, seconds.
        space_s: the hand away for so long is a space, seconds; 0 for never.
        gap_s: after a longer gap between two frames nothing is carried over, seconds.
        camera_width, camera_height, camera_fps: what the camera is asked for; it may give something else.
        web_fps: frames a second that a browser may send at most.
        reconnect_s: how long to wait for a camera that vanished, seconds, where no window is open.
    """

    strictness: float
    hold_s: float
    agree: float
    least_frames: int
    release_s: float
    space_s: float
    gap_s: float
    camera_width: int
    camera_height: int
    camera_fps: int
    web_fps: float
    reconnect_s: float

    def __post_init__(self) -> None:
        """Check every value once."""
        check_number("strictness", self.strictness, 0, 4)
        check_number("hold_s", self.hold_s, 0, 10)
        check_number("agree", self.agree, 0.05, 1)
        check_integer("least_frames", self.least_frames, 1, 1000)
        check_number("release_s", self.release_s, 0, 10)
        check_number("space_s", self.space_s, 0, 60)
        check_number("gap_s", self.gap_s, 0.05, 60)
        check_integer("camera_width", self.camera_width, 160, 7680)
        check_integer("camera_height", self.camera_height, 120, 4320)
        check_integer("camera_fps", self.camera_fps, 1, 240)
        check_number("web_fps", self.web_fps, 1, 120)
        check_number("reconnect_s", self.reconnect_s, 0, 86_400)
