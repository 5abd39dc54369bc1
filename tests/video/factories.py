"""Write videos with OpenCV, and patch their bytes: rotation, frame rate, damage."""

import re
import struct
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from aslkit.video.source_frame import SourceFrame
from aslkit.video.sources import open_source
from aslkit.vision.images import Frame


def write_video(
    path: Path, frames: int = 20, *, codec: str = "MJPG", fps: float = 10.0, image: Frame | None = None
) -> Path:
    """Write a video, by default of frames that become brighter by 10 from one to the next."""
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*codec), fps, (64, 48))
    assert writer.isOpened()
    for index in range(frames):
        writer.write(np.full((48, 64, 3), index * 10, np.uint8) if image is None else image)
    writer.release()
    return path


def patch(path: Path, change: Callable[[bytearray], bytes]) -> Path:
    """Change the bytes of a file, and return its path."""
    path.write_bytes(change(bytearray(path.read_bytes())))
    return path


MATRICES = {0: (1, 0, 0, 1), 90: (0, 1, -1, 0), 180: (-1, 0, 0, -1), 270: (0, -1, 1, 0)}


def rotate_track(data: bytearray, angle: int) -> bytes:
    """Set the matrix of the track header of an MP4 or MOV file."""
    start = data.index(b"tkhd") + 4 + 40  # version 0: 4 + 36 bytes before the matrix
    a, b, c, d = (value * 65536 for value in MATRICES[angle])
    data[start : start + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    return bytes(data)


def state_1000_fps(data: bytearray) -> bytes:
    """State a rate of 1000 fps in a WebM file, as browsers do. The times of the frames stay."""
    start = data.index(b"\x23\xe3\x83\x84") + 4  # DefaultDuration, 4 bytes, nanoseconds
    data[start : start + 4] = (1_000_000).to_bytes(4)
    return bytes(data)


def clear_frames(data: bytearray, numbers: range) -> bytes:
    """Overwrite JPEG images of a video with zeros."""
    starts = [match.start() for match in re.finditer(b"\xff\xd8\xff", data)]
    for number in numbers:
        size = starts[number + 1] - starts[number] - 40
        data[starts[number] : starts[number] + size] = bytes(size)
    return bytes(data)


def read_frames(source: str, count: int, **options: float) -> list[SourceFrame]:
    """Return the first frames of a source."""
    with open_source(source, letter="A", signer="synthetic-ada", session="one", **options) as frames:  # type: ignore[arg-type]
        return list(islice(frames, count))
