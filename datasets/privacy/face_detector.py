"""Finding faces in frames: MediaPipe's face detector, whose model is in the wheel."""

from typing import Any, Final

import numpy as np

from aslkit.core.native_libraries import silence_native_log
from aslkit.vision.hand_landmarker import hide_tensorflow
from aslkit.vision.images import Frame

MIN_SIZE: Final = 0.75
"""Confidence from which on a face is one,"""
MIN_SCORE: Final = 0.85
"""and in the hand's place: the detector takes fists for faces. In 13,750 photographs of three people's hands, in which
no face is seen, it has at most 0.82 there and 0.73 elsewhere. A portrait has 0.94. How many faces it misses, half
hidden or from the side, those photographs cannot tell."""


class FaceDetector:
    """MediaPipe Face Detection, the model for people within 2 m. Not safe to share between threads."""

    def __init__(self) -> None:
        with hide_tensorflow():
            from mediapipe.python.solutions.face_detection import FaceDetection

        with silence_native_log():
            self._graph: Any = FaceDetection(model_selection=0)
            self._graph.process(np.zeros((64, 64, 3), np.uint8))

    def has_face(self, frame: Frame, hand_box: list[float] | None) -> bool:
        """Whether there is a face in a BGR frame, uint8 (height, width, 3).

        Args:
            frame: where to look.
            hand_box: left, top, right, bottom of the hand as shares of the frame; None where there is none. What is
                found in its place, and is not SURE, is the hand.
        """
        found = self._graph.process(np.ascontiguousarray(frame[:, :, ::-1])).detections or ()
        return any(each.score[0] >= (MIN_SCORE if _is_within(each, hand_box) else MIN_SIZE) for each in found)

    def close(self) -> None:
        """Free MediaPipe's graph."""
        self._graph.close()


def _is_within(found: Any, box: list[float] | None) -> bool:
    """Whether the centre of what was found lies in the box."""
    if box is None:
        return False
    place = found.location_data.relative_bounding_box
    x, y = place.xmin + place.width / 2, place.ymin + place.height / 2
    return bool(box[0] <= x <= box[2] and box[1] <= y <= box[3])
