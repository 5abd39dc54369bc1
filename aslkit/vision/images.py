"""Opening images that may be damaged or hostile, and measuring them."""

import hashlib
import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from aslkit.core.errors import AslkitError
from aslkit.vision.jpeg import decode_jpeg_fast, jpeg_size, strip_jpeg_metadata

IMAGE_SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp"})
FORMATS: Final = ("JPEG", "PNG", "WEBP", "BMP")

MAX_PIXELS: Final = 50_000_000
"""A larger image is refused by its header, before any of it is decoded: 8K video is 33 million pixels."""

MAX_BYTES: Final = 3 * MAX_PIXELS
"""A larger file is not read: so large is an image of MAX_PIXELS that is not compressed at all."""

MIN_SIDE: Final = 16
"""Pixels. In less, no hand can be seen."""

MAX_SIDE: Final = 16_000
"""Pixels. OpenCV ends the process on a side beyond 32,767, and the second try for a hand doubles each side."""

_TINY: Final = 32
"""Pixels of a side of the picture of which hashes are taken."""

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


def read_image_file(path: Path) -> bytes:
    """Read an image file, but of a huge one only so much that `read_header` sees that it is too large."""
    with path.open("rb") as file:
        return file.read(MAX_BYTES + 1)


def read_header(data: bytes) -> Header:
    """Read size and format of an encoded image without decoding it.

    Raises:
        ImageError: no image of FORMATS, a side outside MIN_SIDE to MAX_SIDE, or more than MAX_PIXELS or MAX_BYTES.
    """
    if size := _plain_size(data):
        return Header(format="JPEG", width=size[0], height=size[1], upright=True)
    with _opened(data) as image:
        return _header(image)


def _plain_size(data: bytes) -> tuple[int, int] | None:
    """Width and height, checked, of a JPEG that can be opened without Pillow; None of anything else."""
    size = jpeg_size(data) if len(data) <= MAX_BYTES else None
    if size:
        _check_size(*size)
    return size


def _header(image: Any) -> Header:
    width, height = image.size
    _check_size(width, height)
    # Several pictures in one JPEG file, as telephones make them, are called MPO; the first is the photograph.
    kind = "JPEG" if image.format == "MPO" else str(image.format)
    return Header(format=kind, width=width, height=height, upright=kind != "JPEG" or _upright(image))


def _check_size(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise ImageError(f"too large ({width}×{height}, more than {MAX_PIXELS:,} pixels)")
    if min(width, height) < MIN_SIDE:
        raise ImageError(f"too small ({width}×{height}, less than {MIN_SIDE} pixels)")
    if max(width, height) > MAX_SIDE:
        raise ImageError(f"too large ({width}×{height}, one side more than {MAX_SIDE:,} pixels)")


def decode_image(data: bytes) -> Frame:
    """Decode an image to BGR, uint8 (height, width, 3), upright as EXIF says. Grey and transparent images become BGR.

    Raises:
        ImageError: as `read_header`, and when the file ends too early or is damaged.
    """
    if _plain_size(data) and (frame := decode_jpeg_fast(data)) is not None:
        return frame
    with _opened(data) as image:
        _header(image)
        with _told("damaged or cut short"):
            return _pixels(image)


def _pixels(image: Any) -> Frame:
    import cv2
    from PIL import ImageOps

    turned = image if _upright(image) else ImageOps.exif_transpose(image)
    if turned.mode.startswith("I"):  # 16 bits of grey, which Pillow cuts off at 255
        grey = (np.asarray(turned).astype(np.uint32) >> 8).astype(np.uint8)
        return np.ascontiguousarray(np.repeat(grey[:, :, None], 3, axis=2))
    rgb = np.asarray(turned if turned.mode == "RGB" else turned.convert("RGB"), np.uint8)
    return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), np.uint8)  # four times as fast as rgb[:, :, ::-1] is


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


def normalize_image_file(data: bytes, *, mirrored: bool) -> tuple[bytes, str]:
    """Return an image file as captures keep it, and its suffix: upright, unmirrored and without EXIF.

    A JPEG that is so already loses its metadata segments and nothing else; anything else is decoded once.

    Raises:
        ImageError: as `decode_image`; a JPEG whose pixels need no change is judged by its header alone.
    """
    header = read_header(data)
    if header.format == "JPEG" and header.upright and not mirrored:
        return strip_jpeg_metadata(data), ".jpg"
    frame = decode_image(data)
    if mirrored:
        frame = np.ascontiguousarray(frame[:, ::-1])
    return (encode_jpeg(frame), ".jpg") if header.format == "JPEG" else (encode_png(frame), ".png")


def strip_metadata(data: bytes) -> bytes:
    """Return an image file for others to have: what it decodes to stays to the bit, EXIF, GPS and comments go.

    Raises:
        ImageError: as `read_header`, or as `decode_image` where only decoding it can help.
    """
    header = read_header(data)
    if header.format == "JPEG" and header.upright:
        return strip_jpeg_metadata(data)
    return encode_png(decode_image(data)) if _tells_more(data) else data


def _tells_more(data: bytes) -> bool:
    """Whether an image file holds more than its picture; where its metadata are damaged, it does."""
    try:
        with _opened(data) as image, _told("damaged metadata"):
            image.load()
            said = bool(image.getexif()) or bool(getattr(image, "text", None))
            return said or bool({"exif", "xmp"} & set(image.info))
    except ImageError:
        return True


def pixel_hash(frame: Frame) -> str:
    """SHA-256 of a frame's size and BGR pixels, in hex: equal for equal pixels, however they were encoded."""
    digest = hashlib.sha256(f"{frame.shape[1]}x{frame.shape[0]}:".encode())
    digest.update(np.ascontiguousarray(frame).data)
    return digest.hexdigest()


def perceptual_hash(frame: Frame) -> int:
    """Perceptual hash of a frame, 64 bits, 0 to 2**64 - 1: pictures alike differ in few bits.

    The signs, about their median, of the 8 × 8 lowest frequencies of the cosine transform of the grey image at 32 × 32
    pixels (Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions", 2010).

    Args:
        frame: BGR, uint8 (height, width, 3), or grey already, uint8 (height, width).
    """
    import cv2

    low = np.asarray(cv2.dct(thumbnail_gray(frame).astype(np.float32)))[:8, :8].ravel()
    bits = low > np.median(low[1:])
    return int.from_bytes(np.packbits(bits).tobytes())


def thumbnail_gray(frame: Frame) -> Frame:
    """Return a frame, BGR or grey as for `perceptual_hash`, in grey and 32 × 32 pixels; one that is so as it is."""
    import cv2

    grey = to_gray(frame)
    if grey.shape == (_TINY, _TINY):
        return grey
    return np.asarray(cv2.resize(grey, (_TINY, _TINY), interpolation=cv2.INTER_AREA), np.uint8)


def measure_quality(frame: Frame) -> Quality:
    """Measure sharpness, brightness and contrast of a frame, BGR or grey as for `perceptual_hash`."""
    import cv2

    grey = to_gray(frame)
    shrink = MEASURED_SIDE / max(grey.shape)
    if shrink < 1:
        height, width = (max(1, round(side * shrink)) for side in grey.shape)
        grey = np.asarray(cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA))
    mean, deviation = (float(each[0, 0]) for each in cv2.meanStdDev(grey))  # several times as fast as NumPy
    edges = float(cv2.meanStdDev(cv2.Laplacian(grey, cv2.CV_16S))[1][0, 0])
    return Quality(sharpness=edges**2, brightness=mean / 255, contrast=deviation / 255)


def to_gray(frame: Frame) -> Frame:
    """Return a BGR frame, uint8 (height, width, 3), in grey, uint8 (height, width); a grey one as it is."""
    import cv2

    return frame if frame.ndim == 2 else np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY), np.uint8)


@contextmanager
def _opened(data: bytes) -> Iterator[Any]:
    """Open an image with Pillow.

    Raises:
        ImageError: it is none, or of more than MAX_BYTES.
    """
    from PIL import Image

    if len(data) > MAX_BYTES:
        raise ImageError(f"too large (more than {MAX_BYTES:,} bytes)")
    Image.MAX_IMAGE_PIXELS = None  # its own limit is looser than MAX_PIXELS, and it does not tell the size
    otherwise = "not an image (JPEG, PNG, WebP or BMP)" if data else "empty file"
    with _told(otherwise), Image.open(io.BytesIO(data), formats=FORMATS) as image:
        yield image


@contextmanager
def _told(otherwise: str) -> Iterator[None]:
    """Where anything in the block fails, raise ImageError(otherwise)."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about damage that does no harm
            yield
    except ImageError:
        raise
    except Exception as error:  # on hostile bytes, Pillow's readers raise nearly anything: struct.error, KeyError, …
        raise ImageError(otherwise) from error


def _upright(image: Any) -> bool:
    """Whether EXIF leaves the picture as it is; damaged EXIF does."""
    from PIL import ExifTags

    try:
        return image.getexif().get(ExifTags.Base.Orientation, 1) not in range(2, 9)
    except Exception:  # as above; an image is not refused for its EXIF
        return True
