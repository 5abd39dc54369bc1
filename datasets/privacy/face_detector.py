"""Detect faces with MediaPipe's face detector. The model is part of the mediapipe package."""

from typing import Any, Final

import numpy as np

from aslkit.core.native_libraries import suppress_native_log
from aslkit.vision.hand_landmarker import hide_tensorflow
from aslkit.vision.images import Frame

MIN_SCORE: Final = 0.75
"""Minimum score of a face outside the hand box. Among 13,750 photographs of three people's hands without a face, the
highest score outside the hand box is 0.73. A portrait has 0.94. These photographs do not show how many faces are
missed, such as profiles or partly hidden faces."""

MIN_SCORE_ON_HAND: Final = 0.85
"""Minimum score of a face inside the hand box. It is higher because the detector mistakes fists for faces: among the
same photographs the highest score inside the hand box is 0.82."""


class FaceDetector:
    """MediaPipe Face Detection with the model for faces within 2 m. Do not share an instance between threads."""

    def __init__(self) -> None:
        with hide_tensorflow():
            from mediapipe.python.solutions.face_detection import FaceDetection

        with suppress_native_log():
            self._graph: Any = FaceDetection(model_selection=0)
            self._graph.process(np.zeros((64, 64, 3), np.uint8))  # MediaPipe loads the model on first use

    def has_face(self, frame: Frame, hand_box: list[float] | None) -> bool:
        """Return whether a frame shows a face.

        Args:
            frame: BGR, uint8 (height, width, 3).
            hand_box: left, top, right and bottom of the hand, relative to the frame size, or None. A detection centred
                in this box needs a score of MIN_SCORE_ON_HAND, because it is probably the hand.
        """
        detections = self._graph.process(np.ascontiguousarray(frame[:, :, ::-1])).detections or ()
        return any(
            each.score[0] >= (MIN_SCORE_ON_HAND if _is_centred_in(each, hand_box) else MIN_SCORE) for each in detections
        )

    def close(self) -> None:
        """Release MediaPipe's graph."""
        self._graph.close()


def _is_centred_in(detection: Any, box: list[float] | None) -> bool:
    """Return whether the centre of a detection is inside the box."""
    if box is None:
        return False
    bounds = detection.location_data.relative_bounding_box
    x, y = bounds.xmin + bounds.width / 2, bounds.ymin + bounds.height / 2
    return bool(box[0] <= x <= box[2] and box[1] <= y <= box[3])
