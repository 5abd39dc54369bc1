"""A frame as it will be stored, so that what is measured in it is what curation finds in its file."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from aslkit.capture.config import CaptureConfig
from aslkit.vision.images import Frame, decode_image, encode_jpeg, encode_png


@dataclass(frozen=True, kw_only=True)
class EncodedFrame:
    """A frame and its image file.

    Attributes:
        pixels: decoded from the file, BGR, uint8 (height, width, 3), unmirrored.
        data: returns the content of the file.
        suffix: of the file: .jpg or .png.
    """

    pixels: Frame
    data: Callable[[], bytes]
    suffix: str


def encode_frame(frame: Frame, capture: CaptureConfig) -> EncodedFrame:
    """Encode a camera frame in the configured format."""
    if capture.format == "png":
        # Without loss, so it need only be encoded if it is stored: at 640×480, PNG takes four times as long as JPEG.
        return EncodedFrame(pixels=frame, data=partial(encode_png, frame), suffix=".png")
    data = encode_jpeg(frame, quality=capture.jpeg_quality)
    return EncodedFrame(pixels=decode_image(data), data=lambda: data, suffix=".jpg")


def encode_image(frame: Frame, capture: CaptureConfig) -> tuple[bytes, str]:
    """Encode a camera frame in the configured format, and return the content of its file and the suffix."""
    if capture.format == "png":
        return encode_png(frame), ".png"
    return encode_jpeg(frame, quality=capture.jpeg_quality), ".jpg"
