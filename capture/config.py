"""How to record, and what a frame must be like to be stored; configs/default.toml has the values and their reasons."""

from dataclasses import dataclass

from aslkit.core.config import SettingError, check_bool, check_integer, check_number

FORMATS = ("jpeg", "png")


@dataclass(frozen=True, kw_only=True)
class CaptureConfig:
    """How to record.

    Attributes:
        goal: frames of a letter that a signer is to have, over all sessions.
        interval_s: seconds between two frames that may be stored.
        format: of the stored images: "jpeg" or "png".
        jpeg_quality: 1–100.
        countdown_s: seconds to get the hand ready, before a letter and before a burst.
        burst_s: how long a burst records, seconds.
        camera_width, camera_height, camera_fps: what the camera is asked for; it may give something else.
        reconnect_s: how long to wait for a camera that vanished, seconds, where no window or page is open.
        web_fps: frames a second that a browser may send at most.
        licence, consent: what `--yes` states for a signer who has stated nothing.
    """

    goal: int
    interval_s: float
    format: str
    jpeg_quality: int
    countdown_s: float
    burst_s: float
    camera_width: int
    camera_height: int
    camera_fps: int
    reconnect_s: float
    web_fps: float
    licence: str
    consent: str

    def __post_init__(self) -> None:
        """Check every value once."""
        check_integer("goal", self.goal, 1, 1_000_000)
        check_number("interval_s", self.interval_s, 0, 3600)
        check_integer("jpeg_quality", self.jpeg_quality, 1, 100)
        check_number("countdown_s", self.countdown_s, 0, 60)
        check_number("burst_s", self.burst_s, 0.1, 60)
        check_integer("camera_width", self.camera_width, 160, 7680)
        check_integer("camera_height", self.camera_height, 120, 4320)
        check_integer("camera_fps", self.camera_fps, 1, 240)
        check_number("reconnect_s", self.reconnect_s, 0, 86_400)
        check_number("web_fps", self.web_fps, 1, 120)
        if self.format not in FORMATS:
            raise SettingError("format", f"must be one of {', '.join(FORMATS)}; it is {self.format!r}.")
        for name in ("licence", "consent"):
            if not isinstance(getattr(self, name), str):
                raise SettingError(name, f"must be text; it is {getattr(self, name)!r}.")


@dataclass(frozen=True, kw_only=True)
class GateConfig:
    """What a frame must be like to be stored.

    Attributes:
        enabled: refuse; otherwise the reasons are only noted with the frame.
        smallest_hand: longer side of the hand's box, as a share of the frame's shorter side, 0–1.
        edge: share of the frame by which a finger's joint may lie outside of it, 0–1.
        wrist_edge: the same for the wrist.
        blur_fine, blur_coarse: `Look.blur_fine` and `Look.blur_coarse` above which it is blurred, 0–1.
        darkest: `Look.brightness` below which it is too dark, 0–1.
        brightest: `Look.glare` above which it is too bright, 0–1.
        fastest: palm lengths a second.
        alike_bits: bits of 64 between perceptual hashes, and
        alike_hand: palm lengths between joints, up to which a frame is too like one that is there.
        alike_fine_bits: bits of 256 between fine hashes, up to which it is the same picture, whatever the joints.
    """

    enabled: bool
    smallest_hand: float
    edge: float
    wrist_edge: float
    blur_fine: float
    blur_coarse: float
    darkest: float
    brightest: float
    fastest: float
    alike_bits: int
    alike_hand: float
    alike_fine_bits: int

    def __post_init__(self) -> None:
        """Check every value once."""
        check_bool("enabled", self.enabled)
        for name in ("smallest_hand", "edge", "wrist_edge", "blur_fine", "blur_coarse", "darkest", "brightest"):
            check_number(name, getattr(self, name), 0, 1)
        check_number("fastest", self.fastest, 0, 1000)
        check_integer("alike_bits", self.alike_bits, 0, 64)
        check_integer("alike_fine_bits", self.alike_fine_bits, 0, 256)
        check_number("alike_hand", self.alike_hand, 0, 10)
