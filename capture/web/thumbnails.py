"""The small pictures that the page shows: frames as they lie on the disk, and the hand shape of each letter."""

from functools import cache
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from aslkit.core.letters import INDEX
from aslkit.synthetic import render_letter
from aslkit.vision.images import encode_jpeg, encode_png
from aslkit.web.request_limits import RequestRefused

THUMBNAIL: Final = 240
"""Pixels, the longer side: twice what the page gives it, for sharp screens."""

_QUALITY: Final = 75


def thumbnail(path: Path) -> bytes:
    """A stored image, small, JPEG.

    Raises:
        Refusal: it is damaged.
        OSError: it cannot be read.
    """
    frame = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    if frame is None:
        raise frame_not_found()
    scale = min(THUMBNAIL / max(frame.shape), 1)
    reduced = cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return encode_jpeg(np.asarray(reduced, np.uint8), quality=_QUALITY)


def frame_not_found() -> RequestRefused:
    """There is no frame of the name that a page gave."""
    return RequestRefused(
        404, "There is no such frame; it may have been deleted. Reload the page to see what there is."
    )


def render_letter_png(name: str) -> bytes:
    """The picture `A.png` of the letter A, and so on, as `render_letter` draws it.

    Raises:
        Refusal: there is none of that name.
    """
    letter, _, suffix = name.partition(".")
    if letter not in INDEX or suffix != "png":
        raise RequestRefused(404, f"There are pictures of the 24 still letters only: {' '.join(INDEX)}.")
    return _drawn(letter)


@cache
def _drawn(letter: str) -> bytes:
    return encode_png(render_letter(letter, size=320))
