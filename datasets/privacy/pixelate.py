"""Pixelate faces, without changing the hand."""

from collections.abc import Iterable
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from aslkit.datasets.privacy.face_detector import FaceBox
from aslkit.datasets.privacy.hand_mask import hand_mask
from aslkit.vision.images import Frame

BLOCKS: Final = 4
"""Number of blocks along each side of a pixelated face with its margin. From faces of 6 × 7 blocks, neural networks
still recognise people (McPherson, Shokri and Shmatikov, "Defeating Image Obfuscation with Deep Learning", 2016)."""

MARGIN: Final = 0.25
"""Margin on each side, relative to the side of the face: MediaPipe's box ends at the eyebrows and at the chin."""


def pixelate_faces(frame: Frame, faces: Iterable[FaceBox], landmarks: npt.NDArray[Any] | None) -> bool:
    """Pixelate faces in a frame, in place. Pixels of the hand are not changed.

    Args:
        frame: BGR, uint8 (height, width, 3), which is modified.
        faces: boxes of the faces.
        landmarks: of the hand, float (21, 3), x and y relative to the frame size; None without a hand.

    Returns:
        Whether a face is inside the frame.
    """
    import cv2

    height, width = frame.shape[:2]
    pixelated = False
    hand = np.zeros((height, width), bool) if landmarks is None else hand_mask(landmarks, width, height)
    for left, top, right, bottom in faces:
        x0, x1, columns = _to_pixels(left, right, width)
        y0, y1, rows = _to_pixels(top, bottom, height)
        if x0 >= x1 or y0 >= y1:
            continue
        region = frame[y0:y1, x0:x1]
        blocks = cv2.resize(region, (columns, rows), interpolation=cv2.INTER_AREA)
        mosaic = cv2.resize(blocks, (x1 - x0, y1 - y0), interpolation=cv2.INTER_NEAREST)
        outside_hand = ~hand[y0:y1, x0:x1]
        region[outside_hand] = mosaic[outside_hand]
        pixelated = True
    return pixelated


def _to_pixels(low: float, high: float, side: int) -> tuple[int, int, int]:
    """Return the ends in pixels of a face with its margin, clipped to the frame, and the number of blocks in between.

    Args:
        low: left or top of the face, relative to the frame.
        high: right or bottom.
        side: width or height of the frame in pixels.
    """
    margin = MARGIN * (high - low)
    first, last = (low - margin) * side, (high + margin) * side
    start, end = (int(np.clip(round(at), 0, side)) for at in (first, last))
    # Of the whole face, so that the blocks of a face that is cut off are not smaller.
    block = (last - first) / BLOCKS
    return start, end, max(1, round((end - start) / block))
