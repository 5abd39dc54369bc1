"""Fast decoding of simple JPEG files, and removal of metadata from any JPEG.

Pillow opens every file and names its faults, but takes several times as long as the decoding itself. A simple file is
decoded by libjpeg-turbo alone, to the same pixels. If libjpeg-turbo reports even a warning, Pillow is used instead.
"""

import re
from typing import Final

import numpy as np
import numpy.typing as npt

_SCAN_MARKER: Final = 0xDA
_END_CODE: Final = 0xD9
_END_MARKER: Final = bytes([0xFF, _END_CODE])
_NEXT_MARKER: Final = re.compile(rb"\xff+[^\x00\xd0-\xd7\xff]")
"""The next marker after a scan; excludes 0xFF bytes of the data, which are followed by 0, and restart markers."""

_TABLES: Final = frozenset({0xC0, 0xC1, 0xC2, 0xC4, 0xDB, 0xDD, 0xE0})
"""Markers that may precede the scan of a simple file: 8-bit Huffman frames, tables, restarts, JFIF (ITU-T T.81, table
B.1)."""


_JFIF: Final = 0xE0
_JFIF_BYTES: Final = 18
"""Length of a complete JFIF segment; Pillow rejects shorter ones."""


def jpeg_size(data: bytes) -> tuple[int, int] | None:
    """Return width and height of a simple JPEG in pixels; None for any other file.

    A simple file has only tables before its scan and is gray or YCbCr. So it has no EXIF that could ask for a rotation,
    and no other metadata that could be damaged.
    """
    import simplejpeg

    if not _is_simple(data):
        return None
    try:
        height, width, colorspace, _ = simplejpeg.decode_jpeg_header(data)
    except ValueError:
        return None
    return (width, height) if colorspace in ("YCbCr", "Gray") else None


def decode_jpeg_fast(data: bytes) -> npt.NDArray[np.uint8] | None:
    """Decode a simple JPEG to BGR, uint8 (height, width, 3); None if the decoder reports any problem."""
    import simplejpeg

    try:
        return np.asarray(simplejpeg.decode_jpeg(data, colorspace="BGR"), np.uint8)
    except ValueError:  # also for warnings: truncated, damaged
        return None


def strip_jpeg_metadata(jpeg: bytes) -> bytes:
    """Remove the APP1–APP15 and comment segments (EXIF, GPS, thumbnails) and trailing data (more images, video).

    The pixels stay identical. APP14 is kept, because it states the color coding. Data after a malformed segment is kept
    unchanged. Markers: ITU-T T.81, table B.1.
    """
    kept, at = [jpeg[:2]], 2
    # Copy segment by segment instead of encoding again, which would change the pixels.
    while segment := _read_segment(jpeg, at):
        marker, start, end = segment
        if marker == _END_CODE:
            return b"".join([*kept, jpeg[start:end]])
        if marker == _SCAN_MARKER:
            # The header of a scan has a length, but the data after it has none.
            end = _find_scan_end(jpeg, end)
        personal = (0xE1 <= marker <= 0xEF and marker != 0xEE) or marker == 0xFE
        if not personal:
            kept.append(jpeg[start:end])
        at = end
    return b"".join([*kept, jpeg[at:]])


def _find_scan_end(jpeg: bytes, start: int) -> int:
    """Return the end of the scan whose data begins at `start`."""
    end = jpeg.find(_END_MARKER, start)
    if end > 0 and jpeg.count(b"\xff", start, end) == jpeg.count(b"\xff\0", start, end):
        return end  # the usual case, no marker before the end; much faster to detect
    following = _NEXT_MARKER.search(jpeg, start)
    return following.start() if following else len(jpeg)


def _is_simple(data: bytes) -> bool:
    at = 2
    while data[:2] == b"\xff\xd8" and (segment := _read_segment(data, at)):
        marker, start, at = segment
        if marker not in _TABLES or (marker == _JFIF and at - start < _JFIF_BYTES):
            return marker == _SCAN_MARKER
    return False


def _read_segment(jpeg: bytes, at: int) -> tuple[int, int, int] | None:
    """Return marker, start (after fill bytes) and end of the segment at a position; None if it is malformed."""
    while at + 4 <= len(jpeg) and jpeg[at] == 0xFF:
        marker, length = jpeg[at + 1], int.from_bytes(jpeg[at + 2 : at + 4])
        if marker == 0xFF:  # a fill byte
            at += 1
            continue
        if marker == _END_CODE:
            return marker, at, at + 2
        end = at + 2 + length
        return None if length < 2 or end > len(jpeg) else (marker, at, end)
    return None
