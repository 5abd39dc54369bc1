"""The image formats that aslkit reads: their suffixes, their first bytes, and opening them with Pillow."""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from aslkit.core.errors import AslkitError
from aslkit.core.installation import install_extra_command

FORMAT_NAMES: Final = "JPEG, PNG, WebP, BMP, GIF, TIFF, AVIF or HEIC"

IMAGE_SUFFIXES: Final = frozenset(
    (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".avif", ".heic", ".heif")
)

STORED_FORMATS: Final = ("JPEG", "PNG", "WEBP", "BMP")
"""Formats that datasets contain; browsers show all of them. Images of other formats are converted."""

# Only these formats: Pillow's other decoders must not see untrusted files. That of EPS, runs Ghostscript.
_FORMATS: Final = (*STORED_FORMATS, "GIF", "TIFF", "AVIF", "HEIF")

MAX_PIXELS: Final = 50_000_000
"""Larger images are rejected by their header, before decoding; 8K video has 33 million pixels."""

MAX_BYTES: Final = 3 * MAX_PIXELS
"""Larger files are not read; this is the size of an uncompressed image of MAX_PIXELS."""

_MAGIC: Final = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"BM", b"GIF8", b"II*\0", b"MM\0*")
_AVIF_BRANDS: Final = (b"avif", b"avis")
_HEIC_BRANDS: Final = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
"""Brands of an ISO base media file that contains images; ISO/IEC 23008-12, annex B."""


class ImageError(AslkitError):
    """The data is not a supported image. The message gives the reason in a few words, without a path."""


def is_image_file(path: Path) -> bool:
    """Return whether a file is named like an image, or begins like one: some programs write no suffix or a wrong one.

    The content is only a guess; `aslkit.vision.images.decode_image` decides. False for folders and unreadable files.
    """
    if not path.is_file():
        return False
    if path.suffix.lower() in IMAGE_SUFFIXES:
        return True
    try:
        with path.open("rb") as file:
            start = file.read(12)
    except OSError:
        return False
    is_webp = start[:4] == b"RIFF" and start[8:] == b"WEBP"
    return start.startswith(_MAGIC) or is_webp or _has_brand(start, (*_AVIF_BRANDS, *_HEIC_BRANDS))


@contextmanager
def open_image(data: bytes) -> Iterator[Any]:
    """Open an encoded image with Pillow.

    Raises:
        ImageError: not an image, larger than MAX_BYTES, or a format for which a package is missing.
    """
    from PIL import Image

    if len(data) > MAX_BYTES:
        raise ImageError(f"too large (more than {MAX_BYTES:,} bytes)")
    Image.MAX_IMAGE_PIXELS = None  # MAX_PIXELS is stricter, and our error states the size
    _prepare_decoder(data)
    problem = f"not an image ({FORMAT_NAMES})" if data else "empty file"
    with image_errors(problem), Image.open(io.BytesIO(data), formats=_FORMATS) as image:
        yield image


@contextmanager
def image_errors(problem: str) -> Iterator[None]:
    """Raise ImageError(problem) if anything in the block fails."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # harmless damage
            yield
    except ImageError:
        raise
    except Exception as error:  # for hostile data, Pillow raises nearly anything: struct.error, KeyError, …
        raise ImageError(problem) from error


def _prepare_decoder(data: bytes) -> None:
    """Load the decoder that an AVIF or HEIC file needs.

    Raises:
        ImageError: it is not installed.
    """
    from PIL import features

    if _has_brand(data, _AVIF_BRANDS) and not features.check("avif"):
        raise ImageError("an AVIF image, which this version of Pillow cannot read; convert it to JPEG")
    if _has_brand(data, _HEIC_BRANDS):
        try:
            import pillow_heif
        except ImportError as error:
            raise ImageError(
                f"a HEIC image; to read it, run `{install_extra_command('heic')}`, or convert it to JPEG"
            ) from error
        with suppress(Exception):  # a damaged file is reported when it is opened
            pillow_heif.register_heif_opener(thumbnails=False)


def _has_brand(data: bytes, brands: tuple[bytes, ...]) -> bool:
    return data[4:8] == b"ftyp" and data[8:12] in brands
