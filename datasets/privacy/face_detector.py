"""Detect faces with MediaPipe's face detector. The model is part of the mediapipe package."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from aslkit.core.native_libraries import suppress_native_log
from aslkit.datasets.privacy.hand_mask import hand_mask
from aslkit.vision.hand_landmarker import hide_tensorflow
from aslkit.vision.images import Frame

MIN_SCORE: Final = 0.76
"""Minimum score of a face to report. Among 13,721 photographs of three people's hands without a face, the highest score
beside the hand is 0.751. A portrait has 0.94. These photographs do not show how many faces are missed, such as profiles
or partly hidden faces."""

MIN_SCORE_TO_PIXELATE: Final = 0.5
"""Minimum score of a face to pixelate, the lowest that MediaPipe reports. It is lower because a mistake only changes
the background: in 1.1 % of the crops of the same photographs."""

MIN_SCORE_ON_HAND: Final = 0.85
"""Minimum score of a face whose eyes, nose and mouth are on the hand. It is higher because the detector mistakes fists
for faces: among the same photographs the highest score on the hand is 0.82."""

_FEATURES: Final = 4
"""MediaPipe's first four key points are the eyes, the nose and the mouth. The ears follow."""

_MAX_FEATURES_ON_HAND: Final = 2
"""A face behind a hand shows some of its features beside the fingers. A fist shows all or all but one on the hand."""

FaceBox = tuple[float, float, float, float]
"""Left, top, right and bottom of a face, relative to the frame size. It can extend beyond the frame."""


class FaceDetector:
    """MediaPipe Face Detection with the model for faces within 2 m. Do not share an instance between threads."""

    def __init__(self) -> None:
        with hide_tensorflow():
            from mediapipe.python.solutions.face_detection import FaceDetection

        with suppress_native_log():
            self._graph: Any = FaceDetection(model_selection=0)
            self._graph.process(np.zeros((64, 64, 3), np.uint8))  # MediaPipe loads the model on first use

    def find_faces(self, frame: Frame, landmarks: npt.NDArray[Any] | None, *, min_score: float) -> list[FaceBox]:
        """Return the faces in a frame.

        Args:
            frame: BGR, uint8 (height, width, 3).
            landmarks: of the hand, float (21, 3), x and y relative to the frame size; None without a hand. A detection
                on the hand is probably the hand, so it needs a score of MIN_SCORE_ON_HAND.
            min_score: minimum score of the other detections, 0.5–1.
        """
        detections = self._graph.process(np.ascontiguousarray(frame[:, :, ::-1])).detections or ()
        likely = [each for each in detections if each.score[0] >= min_score]
        if not likely:
            return []
        height, width = frame.shape[:2]
        mask = np.zeros((height, width), bool) if landmarks is None else hand_mask(landmarks, width, height)
        return [_box(each) for each in likely if each.score[0] >= MIN_SCORE_ON_HAND or not _is_on_hand(each, mask)]

    def close(self) -> None:
        """Release MediaPipe's graph."""
        self._graph.close()


def _box(detection: Any) -> FaceBox:
    box = detection.location_data.relative_bounding_box
    return (box.xmin, box.ymin, box.xmin + box.width, box.ymin + box.height)


def _is_on_hand(detection: Any, mask: npt.NDArray[np.bool_]) -> bool:
    """Return whether most of the eyes, nose and mouth of a detection are on the hand."""
    height, width = mask.shape
    points = detection.location_data.relative_keypoints[:_FEATURES]
    pixels = [(int(point.y * height), int(point.x * width)) for point in points]
    on_hand = [0 <= y < height and 0 <= x < width and bool(mask[y, x]) for y, x in pixels]
    return sum(on_hand) > _MAX_FEATURES_ON_HAND
