"""Thumbnails of stored frames, and images of the hand shape of each letter."""

from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
import simplejpeg

from aslkit.capture.letter_example import draw_letter_example
from aslkit.core.letters import ALPHABET
from aslkit.vision.crop import shrink
from aslkit.vision.images import ImageError, decode_image, encode_jpeg, encode_png, read_header, read_image_file
from aslkit.web.request_limits import RequestRefused

THUMBNAIL_SIZE: Final = 240
"""Longer side in pixels; twice the displayed size, for high-resolution screens."""

_JPEG_QUALITY: Final = 75


def create_thumbnail(path: Path, *, size: int = THUMBNAIL_SIZE) -> bytes:
    """Return a reduced JPEG of a stored image.

    Args:
        path: the image.
        size: longer side of the result, pixels.

    Raises:
        RequestRefused: the image is damaged.
        OSError: the image cannot be read.
    """
    data = read_image_file(path)
    try:
        header = read_header(data)
        if header.format == "JPEG" and header.upright:
            # Decoded in a fraction of its size, which takes a fraction of the time.
            pixels = simplejpeg.decode_jpeg(data, "BGR", min_height=size, min_width=size, min_factor=1, strict=False)
        else:
            pixels = decode_image(data)
    except (ImageError, ValueError) as error:
        raise frame_not_found() from error
    return encode_jpeg(shrink(np.asarray(pixels, np.uint8), size), quality=_JPEG_QUALITY)


def frame_not_found() -> RequestRefused:
    """Return the error for a frame that does not exist."""
    return RequestRefused(404, "This frame does not exist; it may have been deleted. Reload the page.")


def render_letter_png(name: str) -> bytes:
    """Return the image of a letter's hand shape as PNG, with an arrow if it is a movement.

    Args:
        name: file name, such as A.png.

    Raises:
        RequestRefused: there is no image of this name.
    """
    letter, _, suffix = name.partition(".")
    if letter not in ALPHABET or suffix != "png":
        raise RequestRefused(404, f"Images exist for the letters only: {' '.join(ALPHABET)}.")
    return _render_letter(letter)


@cache
def _render_letter(letter: str) -> bytes:
    return encode_png(draw_letter_example(letter, size=320))
