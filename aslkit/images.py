"""Opening images that may be damaged or hostile, and measuring them."""

import hashlib
import io
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from aslkit.errors import AslkitError

SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp"})
FORMATS: Final = ("JPEG", "PNG", "WEBP", "BMP")

MAX_PIXELS: Final = 50_000_000
"""A larger image is refused by its header, before any of it is decoded: 8K video is 33 million pixels."""

MIN_SIDE: Final = 16
"""Pixels. In less, no hand can be seen."""

MEASURED_SIDE: Final = 320
"""Quality is measured on the image scaled down to this longer side, so that cameras can be compared."""

Frame = npt.NDArray[np.uint8]


class ImageError(AslkitError):
    """These bytes are not an image that aslkit takes. The message says why in a few words, without a place."""


@dataclass(frozen=True, kw_only=True)
class Header:
    """What an image says of itself before it is decoded."""

    format: str
    width: int
    height: int
    upright: bool
    """False when EXIF asks for the picture to be turned."""


@dataclass(frozen=True, kw_only=True)
class Quality:
    """How a frame was exposed and focused.

    Attributes:
        sharpness: variance of the Laplacian of the grey image, its longer side scaled down to MEASURED_SIDE;
            0 and up, below about 20 looks blurred (Pech-Pacheco et al., ICPR 2000).
        brightness: mean of the grey image, 0–1.
        contrast: standard deviation of the grey image, 0–0.5.
    """

    sharpness: float
    brightness: float
    contrast: float


def read_header(data: bytes) -> Header:
    """Read size and format of an encoded image without decoding it.

    Raises:
        ImageError: no image of FORMATS, smaller than MIN_SIDE, or of more than MAX_PIXELS.
    """
    from PIL import ExifTags, Image

    Image.MAX_IMAGE_PIXELS = None  # its own limit is looser than MAX_PIXELS, and it does not tell the size
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            width, height = image.size
            turned = image.getexif().get(ExifTags.Base.Orientation, 1) if image.format == "JPEG" else 1
            header = Header(format=str(image.format), width=width, height=height, upright=turned in (0, 1))
    except (OSError, SyntaxError, ValueError) as error:
        raise ImageError("not an image (JPEG, PNG, WebP or BMP)" if data else "empty file") from error
    if width * height > MAX_PIXELS:
        raise ImageError(f"too large ({width}×{height}, more than {MAX_PIXELS:,} pixels)")
    if min(width, height) < MIN_SIDE:
        raise ImageError(f"too small ({width}×{height}, less than {MIN_SIDE} pixels)")
    return header


def decode(data: bytes) -> Frame:
    """Decode an image to BGR, uint8 (height, width, 3). Grey and transparent images become BGR.

    Raises:
        ImageError: as `read_header`, and when the file ends too early or is damaged.
    """
    from PIL import Image

    read_header(data)
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            rgb = np.asarray(image.convert("RGB"), np.uint8)
    except (OSError, SyntaxError, ValueError, IndexError) as error:
        raise ImageError("damaged or cut short") from error
    return np.ascontiguousarray(rgb[:, :, ::-1])


def encode_jpeg(frame: Frame, *, quality: int = 95) -> bytes:
    """Encode a BGR frame, uint8 (height, width, 3), as JPEG; at 95 the loss cannot be seen."""
    import cv2

    done, data = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ImageError("could not be encoded as JPEG")
    return data.tobytes()


def encode_png(frame: Frame) -> bytes:
    """Encode a BGR frame, uint8 (height, width, 3), as PNG, without loss."""
    import cv2

    done, data = cv2.imencode(".png", frame)
    if not done:
        raise ImageError("could not be encoded as PNG")
    return data.tobytes()


def as_recorded(data: bytes, *, mirrored: bool) -> tuple[bytes, str]:
    """Return an image file as captures keep it, and its suffix: upright, unmirrored and without EXIF.

    A JPEG that is so already loses its metadata segments and nothing else; anything else is decoded once.

    Raises:
        ImageError: as `decode`; a JPEG whose pixels need no change is judged by its header alone.
    """
    header = read_header(data)
    if header.format == "JPEG" and header.upright and not mirrored:
        return without_metadata(data), ".jpg"
    frame = _upright(data)
    if mirrored:
        frame = np.ascontiguousarray(frame[:, ::-1])
    return (encode_jpeg(frame), ".jpg") if header.format == "JPEG" else (encode_png(frame), ".png")


def without_metadata(jpeg: bytes) -> bytes:
    """Return a JPEG without its APP1–APP15 and comment segments (EXIF, GPS, thumbnails); pixels stay to the bit.

    APP14 stays: it says how the colours are coded. Markers: ITU-T T.81, table B.1.
    """
    kept, at = [jpeg[:2]], 2
    while at + 4 <= len(jpeg) and jpeg[at] == 0xFF and jpeg[at + 1] != 0xDA:
        marker, length = jpeg[at + 1], int.from_bytes(jpeg[at + 2 : at + 4])
        personal = (0xE1 <= marker <= 0xEF and marker != 0xEE) or marker == 0xFE
        if not personal:
            kept.append(jpeg[at : at + 2 + length])
        at += 2 + length
    return b"".join([*kept, jpeg[at:]])


def pixel_hash(frame: Frame) -> str:
    """SHA-256 of a frame's size and BGR pixels, in hex: equal for equal pixels, however they were encoded."""
    digest = hashlib.sha256(f"{frame.shape[1]}x{frame.shape[0]}:".encode())
    digest.update(np.ascontiguousarray(frame).data)
    return digest.hexdigest()


def perceptual_hash(frame: Frame) -> int:
    """64-bit perceptual hash of a BGR frame, 0 to 2**64 - 1: pictures alike differ in few bits.

    The signs, about their median, of the 8×8 lowest frequencies of the cosine transform of the grey image at 32×32
    (Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions", 2010).
    """
    import cv2

    small = cv2.resize(_grey(frame), (32, 32), interpolation=cv2.INTER_AREA)
    low = np.asarray(cv2.dct(small.astype(np.float32)))[:8, :8].ravel()
    bits = low > np.median(low[1:])
    return int.from_bytes(np.packbits(bits).tobytes())


def quality(frame: Frame) -> Quality:
    """Measure sharpness, brightness and contrast of a BGR frame, uint8 (height, width, 3)."""
    import cv2

    grey = _grey(frame)
    shrink = MEASURED_SIDE / max(grey.shape)
    if shrink < 1:
        grey = np.asarray(cv2.resize(grey, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA))
    return Quality(
        sharpness=float(cv2.Laplacian(grey, cv2.CV_32F).var()),
        brightness=float(grey.mean() / 255),
        contrast=float(grey.std() / 255),
    )


def _grey(frame: Frame) -> npt.NDArray[np.uint8]:
    import cv2

    return np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY), np.uint8)


def _upright(data: bytes) -> Frame:
    from PIL import Image, ImageOps

    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            rgb = np.asarray(ImageOps.exif_transpose(image).convert("RGB"), np.uint8)
    except (OSError, SyntaxError, ValueError, IndexError) as error:
        raise ImageError("damaged or cut short") from error
    return np.ascontiguousarray(rgb[:, :, ::-1])
