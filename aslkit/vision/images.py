"""Decode and encode images, which can be damaged or hostile, and measure them."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from aslkit.vision.image_formats import IMAGE_SUFFIXES as IMAGE_SUFFIXES
from aslkit.vision.image_formats import MAX_BYTES, STORED_FORMATS, image_errors, open_image
from aslkit.vision.image_formats import MAX_PIXELS as MAX_PIXELS
from aslkit.vision.image_formats import ImageError as ImageError
from aslkit.vision.jpeg import decode_jpeg_fast, jpeg_size, strip_jpeg_metadata

MIN_SIDE: Final = 16
"""Minimum side in pixels; smaller images cannot show a hand."""

MAX_SIDE: Final = 16_000
"""Maximum side in pixels. OpenCV aborts the process beyond 32,767, and the second try of the landmarker doubles it."""

_LOSSY_FORMATS: Final = ("JPEG", "AVIF", "HEIF")

_HASHED_SIDE: Final = 32
"""Side in pixels of the image that is hashed."""

MEASURED_SIDE: Final = 320
"""Longer side in pixels to which images are scaled down before measuring quality, to compare cameras."""

Frame = npt.NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class Header:
    """Header of an encoded image.

    Attributes:
        format: such as "JPEG", as Pillow names it.
        width, height: in pixels, as stored.
        upright: False if EXIF asks for a rotation.
        transparent: whether pixels can be transparent.
    """

    format: str
    width: int
    height: int
    upright: bool
    transparent: bool = False


@dataclass(frozen=True, kw_only=True)
class Quality:
    """Exposure and focus of a frame.

    Attributes:
        sharpness: variance of the Laplacian of the gray image, scaled down to MEASURED_SIDE; 0 and up,
            below about 20 looks blurred (Pech-Pacheco et al., ICPR 2000).
        brightness: mean of the gray image, 0–1.
        contrast: standard deviation of the gray image, 0–0.5.
    """

    sharpness: float
    brightness: float
    contrast: float


def read_image_file(path: Path) -> bytes:
    """Read an image file. Of a huge file, read just enough for `read_header` to reject it."""
    with path.open("rb") as file:
        return file.read(MAX_BYTES + 1)


def read_header(data: bytes) -> Header:
    """Read size and format of an encoded image without decoding it.

    Raises:
        ImageError: not an image, a side outside MIN_SIDE to MAX_SIDE, or above MAX_PIXELS or MAX_BYTES.
    """
    if size := _simple_jpeg_size(data):
        return Header(format="JPEG", width=size[0], height=size[1], upright=True)
    with open_image(data) as image:
        return _header(image)


def _simple_jpeg_size(data: bytes) -> tuple[int, int] | None:
    """Return the validated width and height of a simple JPEG, which does not need Pillow; None for other files."""
    size = jpeg_size(data) if len(data) <= MAX_BYTES else None
    if size:
        _check_size(*size)
    return size


def _header(image: Any) -> Header:
    width, height = image.size
    _check_size(width, height)
    # Pillow calls JPEG files with several images, as phones write them, MPO; the first image is the photo.
    kind = "JPEG" if image.format == "MPO" else str(image.format)
    upright = kind != "JPEG" or _is_upright(image)
    return Header(format=kind, width=width, height=height, upright=upright, transparent=image.has_transparency_data)


def _check_size(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise ImageError(f"too large ({width}×{height}, more than {MAX_PIXELS:,} pixels)")
    if min(width, height) < MIN_SIDE:
        raise ImageError(f"too small ({width}×{height}, less than {MIN_SIDE} pixels)")
    if max(width, height) > MAX_SIDE:
        raise ImageError(f"too large ({width}×{height}, one side more than {MAX_SIDE:,} pixels)")


def decode_image(data: bytes) -> Frame:
    """Decode an image to BGR, uint8 (height, width, 3), rotated as EXIF says. Of an animation, the first image.

    Gray images become BGR. Transparent ones are drawn on white: the pixels below can contain what was erased.

    Raises:
        ImageError: as `read_header`, or the file is truncated or damaged.
    """
    if _simple_jpeg_size(data) and (frame := decode_jpeg_fast(data)) is not None:
        return frame
    with open_image(data) as image:
        _header(image)
        with image_errors("damaged or cut short"):
            return _pixels(image)


def _pixels(image: Any) -> Frame:
    import cv2
    from PIL import ImageOps

    turned = image if _is_upright(image) else ImageOps.exif_transpose(image)
    if turned.mode.startswith("I") or turned.mode == "F":
        return _gray_pixels(turned)
    if turned.has_transparency_data:
        turned = _draw_on_white(turned)
    rgb = np.asarray(turned if turned.mode == "RGB" else turned.convert("RGB"), np.uint8)
    return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), np.uint8)  # four times as fast as rgb[:, :, ::-1]


def _gray_pixels(image: Any) -> Frame:
    """Return the BGR pixels of a gray image of more than 8 bits, which Pillow would clip at 255."""
    gray = np.asarray(image)
    if image.mode == "F" or gray.min() < 0 or gray.max() > 65_535:
        raise ImageError("a gray image of 32 bits; convert it to 8 bits")
    if "transparency" in image.info:
        gray = np.where(gray == image.info["transparency"], 65_535, gray)
    return np.repeat((gray.astype(np.uint32) >> 8).astype(np.uint8)[:, :, None], 3, axis=2)


def _draw_on_white(image: Any) -> Any:
    """Return the RGB image that a white page shows."""
    from PIL import Image

    if image.mode == "La":  # Pillow converts it to no other mode
        image = image.convert("LA")
    page = Image.new("RGBA", image.size, "white")
    page.alpha_composite(image.convert("RGBA"))
    return page.convert("RGB")


def encode_jpeg(frame: Frame, *, quality: int = 95) -> bytes:
    """Encode a BGR frame, uint8 (height, width, 3), as JPEG; at 95 the loss is not visible."""
    import cv2

    done, data = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ImageError("could not be encoded as JPEG")
    return data.tobytes()


def encode_png(frame: Frame) -> bytes:
    """Encode a BGR frame, uint8 (height, width, 3), as PNG (lossless)."""
    import cv2

    done, data = cv2.imencode(".png", frame)
    if not done:
        raise ImageError("could not be encoded as PNG")
    return data.tobytes()


def normalize_image_file(data: bytes, *, mirrored: bool) -> tuple[bytes, str]:
    """Return an image file as captures store it, upright, unmirrored and without EXIF, and its suffix.

    A JPEG that only needs its metadata removed is not re-encoded. AVIF and HEIC, which are lossy as well, become
    JPEG; all other formats become PNG.

    Raises:
        ImageError: as `decode_image`; of a JPEG that is not re-encoded, only the header is checked.
    """
    header = read_header(data)
    if header.format == "JPEG" and header.upright and not mirrored:
        return strip_jpeg_metadata(data), ".jpg"
    frame = decode_image(data)
    if mirrored:
        frame = np.ascontiguousarray(frame[:, ::-1])
    return (encode_jpeg(frame), ".jpg") if header.format in _LOSSY_FORMATS else (encode_png(frame), ".png")


def strip_metadata(data: bytes) -> bytes:
    """Remove EXIF, GPS, comments and what transparency hides from an image file; the decoded pixels stay identical.

    Images of other formats than STORED_FORMATS become PNG.

    Raises:
        ImageError: as `read_header`, or as `decode_image` if the file must be re-encoded.
    """
    header = read_header(data)
    if header.format == "JPEG" and header.upright:
        return strip_jpeg_metadata(data)
    keep = header.format in STORED_FORMATS and not header.transparent and not _has_metadata(data)
    return data if keep else encode_png(decode_image(data))


def _has_metadata(data: bytes) -> bool:
    """Return whether an image file contains metadata; True if they are damaged."""
    try:
        with open_image(data) as image, image_errors("damaged metadata"):
            image.load()
            has_text = bool(image.getexif()) or bool(getattr(image, "text", None))
            return has_text or bool({"exif", "xmp"} & set(image.info))
    except ImageError:
        return True


def pixel_hash(frame: Frame) -> str:
    """Return the SHA-256 of a frame's size and BGR pixels in hex; it does not depend on the encoding."""
    # With the size, because 2×8 and 4×4 pixels can have the same bytes.
    digest = hashlib.sha256(f"{frame.shape[1]}x{frame.shape[0]}:".encode())
    digest.update(np.ascontiguousarray(frame).data)
    return digest.hexdigest()


def perceptual_hash(frame: Frame) -> int:
    """Return the perceptual hash of a frame, 0 to 2**64 - 1; similar images differ in few bits.

    The bits are the signs, relative to the median, of the 8 × 8 lowest frequencies of the cosine transform of the gray
    image at 32 × 32 pixels (Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions", 2010).

    Args:
        frame: BGR, uint8 (height, width, 3), or gray, uint8 (height, width).
    """
    import cv2

    low = np.asarray(cv2.dct(thumbnail_gray(frame).astype(np.float32)))[:8, :8].ravel()
    # The first coefficient is the mean brightness, which is no detail of the image.
    bits = low > np.median(low[1:])
    return int.from_bytes(np.packbits(bits).tobytes())


def thumbnail_gray(frame: Frame) -> Frame:
    """Return a BGR or gray frame as gray, uint8 (32, 32)."""
    import cv2

    grey = to_gray(frame)
    if grey.shape == (_HASHED_SIDE, _HASHED_SIDE):
        return grey
    return np.asarray(cv2.resize(grey, (_HASHED_SIDE, _HASHED_SIDE), interpolation=cv2.INTER_AREA), np.uint8)


def measure_quality(frame: Frame) -> Quality:
    """Measure sharpness, brightness and contrast of a BGR or gray frame."""
    import cv2

    grey = to_gray(frame)
    shrink = MEASURED_SIDE / max(grey.shape)
    if shrink < 1:
        height, width = (max(1, round(side * shrink)) for side in grey.shape)
        grey = np.asarray(cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA))
    mean, deviation = (float(each[0, 0]) for each in cv2.meanStdDev(grey))  # several times faster than NumPy
    # 16 bits with sign, because half of the differences are negative.
    edges = float(cv2.meanStdDev(cv2.Laplacian(grey, cv2.CV_16S))[1][0, 0])
    return Quality(sharpness=edges**2, brightness=mean / 255, contrast=deviation / 255)


def to_gray(frame: Frame) -> Frame:
    """Convert a BGR frame, uint8 (height, width, 3), to gray, uint8 (height, width); a gray frame is returned as is."""
    import cv2

    return frame if frame.ndim == 2 else np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY), np.uint8)


def _is_upright(image: Any) -> bool:
    """Return whether EXIF asks for no rotation; True if EXIF is damaged."""
    from PIL import ExifTags

    try:
        return image.getexif().get(ExifTags.Base.Orientation, 1) not in range(2, 9)
    except Exception:  # as above; damaged EXIF is no reason to reject an image
        return True
