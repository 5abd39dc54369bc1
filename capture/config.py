"""Configuration of recording and of the quality gate. configs/default.toml explains the default values."""

from dataclasses import dataclass

from aslkit.core.config import SettingError, check_bool, check_integer, check_number

FORMATS = ("jpeg", "png")


@dataclass(frozen=True, kw_only=True)
class CaptureConfig:
    """Configuration of a recording.

    Attributes:
        goal: target number of frames per letter and signer, over all sessions.
        interval_s: minimum time between two stored frames, seconds.
        format: format of the stored images, "jpeg" or "png".
        jpeg_quality: JPEG quality, 1–100.
        countdown_s: countdown before a letter and before a burst, seconds.
        burst_s: duration of a burst, seconds.
        camera_width, camera_height, camera_fps: image size (pixels) and frame rate to request from the camera, which
            may deliver something else.
        reconnect_s: how long to wait for a disconnected camera, seconds, when recording without window or page.
        web_fps: maximum frame rate that a browser may send.
        licence, consent: values that `--yes` uses for a signer who has not stated them.
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
        """Validate all values."""
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
    """Configuration of the quality gate.

    Attributes:
        enabled: whether to reject frames; otherwise all are stored, with the reasons for which they would be rejected.
        smallest_hand: minimum size of the hand: longer side of its bounding box relative to the shorter side of the
            frame, 0–1.
        edge: how far a finger joint may lie outside the frame, relative to the frame size, 0–1.
        wrist_edge: the same for the wrist.
        blur_fine, blur_coarse: maximum `FrameMetrics.blur_fine` and `FrameMetrics.blur_coarse`, 0–1.
        darkest: minimum `FrameMetrics.brightness`, 0–1.
        brightest: maximum `FrameMetrics.glare`, 0–1.
        fastest: maximum speed of the hand, palm lengths per second.
        alike_bits: maximum Hamming distance between the 64-bit perceptual hashes of near-duplicates.
        alike_hand: maximum distance between the joints of near-duplicates, palm lengths. Both conditions must hold.
        alike_fine_bits: maximum Hamming distance between the 256-bit fine hashes of two copies of the same image. It
            alone suffices, regardless of the joints.
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
        """Validate all values."""
        check_bool("enabled", self.enabled)
        for name in ("smallest_hand", "edge", "wrist_edge", "blur_fine", "blur_coarse", "darkest", "brightest"):
            check_number(name, getattr(self, name), 0, 1)
        check_number("fastest", self.fastest, 0, 1000)
        check_integer("alike_bits", self.alike_bits, 0, 64)
        check_integer("alike_fine_bits", self.alike_fine_bits, 0, 256)
        check_number("alike_hand", self.alike_hand, 0, 10)
