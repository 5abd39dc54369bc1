"""JPEG files as bytes: which of them can be opened at once, and what to take away before others get them.

Pillow opens anything, and says what is wrong with it, but takes several times as long as the decoding itself. A plain
file is decoded by libjpeg-turbo alone, to the same pixels. Where that has as much as a warning, Pillow is asked.
"""

import re
from typing import Final

import numpy as np
import numpy.typing as npt

_SCAN: Final = 0xDA
_END: Final = 0xD9
_END_MARKER: Final = bytes([0xFF, _END])
_AFTER_SCAN: Final = re.compile(rb"\xff+[^\x00\xd0-\xd7\xff]")
"""The next marker in a JPEG's scan: neither a 0xFF among the data, which a 0 follows, nor a restart."""

_TABLES: Final = frozenset({0xC0, 0xC1, 0xC2, 0xC4, 0xDB, 0xDD, 0xE0})
"""Markers of a plain file before its scan: frames of 8 bits by Huffman, their tables, restarts, and JFIF. ITU-T T.81,
table B.1."""


_JFIF: Final = 0xE0
_JFIF_BYTES: Final = 18
"""Of a whole JFIF segment; Pillow refuses a file with less."""


def jpeg_size(data: bytes) -> tuple[int, int] | None:
    """Width and height of a plain JPEG; None of anything else.

    Plain is what has nothing but tables before its picture, which is grey or in colours as cameras code them. So no
    EXIF asks for it to be turned, and no other metadata can be damaged.
    """
    import simplejpeg

    if not _is_plain(data):
        return None
    try:
        height, width, colours, _ = simplejpeg.decode_jpeg_header(data)
    except ValueError:
        return None
    return (width, height) if colours in ("YCbCr", "Gray") else None


def decode_jpeg_fast(data: bytes) -> npt.NDArray[np.uint8] | None:
    """Decode a plain JPEG to BGR, uint8 (height, width, 3); None where anything about it is odd."""
    import simplejpeg

    try:
        return np.asarray(simplejpeg.decode_jpeg(data, colorspace="BGR"), np.uint8)
    except ValueError:  # warnings too: cut short, damaged
        return None


def strip_jpeg_metadata(jpeg: bytes) -> bytes:
    """Return a JPEG without its APP1–APP15 and comment segments (EXIF, GPS, thumbnails) and without what follows its
    end (more pictures, a film); pixels stay to the bit.

    APP14 stays: it says how the colours are coded. From where the file is malformed, it is left as it is. Markers:
    ITU-T T.81, table B.1.
    """
    kept, at = [jpeg[:2]], 2
    while segment := _segment(jpeg, at):
        marker, start, end = segment
        if marker == _END:
            return b"".join([*kept, jpeg[start:end]])
        if marker == _SCAN:
            end = _after_scan(jpeg, end)
        personal = (0xE1 <= marker <= 0xEF and marker != 0xEE) or marker == 0xFE
        if not personal:
            kept.append(jpeg[start:end])
        at = end
    return b"".join([*kept, jpeg[at:]])


def _after_scan(jpeg: bytes, start: int) -> int:
    """Where the scan ends whose data begin at `start`."""
    end = jpeg.find(_END_MARKER, start)
    if end > 0 and jpeg.count(b"\xff", start, end) == jpeg.count(b"\xff\0", start, end):
        return end  # the usual one, no other marker before the end: many times as fast to see
    following = _AFTER_SCAN.search(jpeg, start)
    return following.start() if following else len(jpeg)


def _is_plain(data: bytes) -> bool:
    at = 2
    while data[:2] == b"\xff\xd8" and (segment := _segment(data, at)):
        marker, start, at = segment
        if marker not in _TABLES or (marker == _JFIF and at - start < _JFIF_BYTES):
            return marker == _SCAN
    return False


def _segment(jpeg: bytes, at: int) -> tuple[int, int, int] | None:
    """The segment at a place: marker, where it begins after fill bytes, and where it ends. None if it is malformed."""
    while at + 4 <= len(jpeg) and jpeg[at] == 0xFF:
        marker, length = jpeg[at + 1], int.from_bytes(jpeg[at + 2 : at + 4])
        if marker == 0xFF:  # a fill byte
            at += 1
            continue
        if marker == _END:
            return marker, at, at + 2
        end = at + 2 + length
        return None if length < 2 or end > len(jpeg) else (marker, at, end)
    return None
