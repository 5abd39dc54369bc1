"""Search for a hand that MediaPipe's first attempt missed.

The palm detector samples 192×192 pixels of a frame without a low-pass filter, so patterned cloth and noise alias. The
retries give it a filtered, colour-corrected, smaller and rotated frame, and accept palms of low confidence. The
landmark model then decides: a region of the unchanged frame must have a high hand presence.
"""

from functools import cached_property
from typing import Any, Final, NamedTuple

import numpy as np

from aslkit.core.native_libraries import suppress_native_log
from aslkit.vision.hand_region import (
    PALM_INPUT,
    Frame,
    Points,
    Region,
    Variant,
    brighten,
    change_frame,
    map_back,
    region_around,
    region_from_palm,
)

VARIANTS: Final = (Variant(0.65, 0), Variant(0.5, 90), Variant(0.85, -30), Variant(0.4, 0), Variant(0.4, 0, gamma=0.4))
"""Each finds the most of the frames that those before it miss (benchmarks/accuracy/detection.py)."""

MIN_PALM_CONFIDENCE: Final = 0.1
"""Palm detection confidence of a proposed region, 0–1. Most are wrong, and rejected by their presence."""

MAX_PALMS: Final = 2
"""Proposed regions per variant, most confident first."""

MIN_PROPOSED_PRESENCE: Final = 0.1
"""Hand presence in a proposed region, 0–1, from which on it is searched again around the landmarks."""

MIN_PRESENCE: Final = 0.95
"""Hand presence around the landmarks, 0–1, from which on it is a hand. In 273 frames without a hand, at most 0.85 was
measured; from 0.95 on, the joints are on the hand with few exceptions (ADR 17)."""

_LANDMARK_GRAPH: Final = """
input_stream: "image"
input_stream: "region"
output_stream: "landmarks"
output_stream: "handedness"
node {
  calculator: "ConstantSidePacketCalculator"
  output_side_packet: "PACKET:full"
  options { [mediapipe.ConstantSidePacketCalculatorOptions.ext] { packet { int_value: 1 } } }
}
node {
  calculator: "HandLandmarkCpu"
  input_stream: "IMAGE:image"
  input_stream: "ROI:region"
  input_side_packet: "MODEL_COMPLEXITY:full"
  output_stream: "LANDMARKS:landmarks"
  output_stream: "HANDEDNESS:handedness"
}
"""

_PALM_GRAPH: Final = """
input_stream: "image"
output_stream: "palms"
node {
  calculator: "ConstantSidePacketCalculator"
  output_side_packet: "PACKET:full"
  options { [mediapipe.ConstantSidePacketCalculatorOptions.ext] { packet { int_value: 1 } } }
}
node {
  calculator: "PalmDetectionCpu"
  input_stream: "IMAGE:image"
  input_side_packet: "MODEL_COMPLEXITY:full"
  output_stream: "DETECTIONS:palms"
}
"""


class FoundHand(NamedTuple):
    """A hand as MediaPipe describes it: landmarks float32 (21, 3), relative to the frame, and its classification."""

    landmarks: Points
    handedness: Any


class DetectionRetries:
    """Retries for frames in which the first attempt found no hand. Not thread-safe.

    Frames are RGB, contiguous uint8 (height, width, 3), unmirrored. The models are loaded by the first retry.
    """

    def __init__(self) -> None:
        self._next_variant = 0
        self._proposed: list[Region] = []
        self._near: Region | None = None

    def find(self, frame: Frame) -> FoundHand | None:
        """Return a hand in a frame, independent of other frames. At most MAX_PALMS regions per variant are searched."""
        for variant in VARIANTS:
            changed = brighten(frame, variant.gamma)
            for region in self._models.propose(changed, variant):
                if found := self._models.search(changed, region):
                    return found
        return None

    def find_next(self, frame: Frame) -> FoundHand | None:
        """Return a hand in a frame of a sequence, after one run of one model, so that the frame takes little longer.

        The run searches near the hand of the previous frame; or in a region proposed before, where the next
        frame must confirm the hand; or it only proposes regions with the next variant.
        """
        variant = VARIANTS[self._next_variant]
        changed = brighten(frame, variant.gamma)
        near, self._near = self._near, None
        if near is not None:
            if found := self._models.confirm(changed, near):
                self.remember(frame, found.landmarks)
                return found
        elif self._proposed:
            if first := self._models.look(changed, self._proposed.pop(0)):
                self._near = region_around(first.landmarks, frame)
        else:
            self._proposed = self._models.propose(changed, variant)
        if self._near is None and not self._proposed:
            self._next_variant = (self._next_variant + 1) % len(VARIANTS)
        return None

    def remember(self, frame: Frame, landmarks: Points) -> None:
        """Let the next step search near a hand that this frame contains."""
        self._near, self._proposed = region_around(landmarks, frame), []

    def close(self) -> None:
        """Free MediaPipe's graphs."""
        if "_models" in self.__dict__:
            self._models.close()

    @cached_property
    def _models(self) -> "_Models":
        return _Models()


class _Models:
    """The palm detector at a low confidence, and the landmark model at two values of hand presence."""

    def __init__(self) -> None:
        # MediaPipe logs while it loads and during a graph's first frame.
        with suppress_native_log():
            self._palms = _load_graph(
                _PALM_GRAPH,
                "palms",
                {"palmdetectioncpu__TensorsToDetectionsCalculator.min_score_thresh": MIN_PALM_CONFIDENCE},
            )
            self._proposed, self._confirmed = (
                _load_graph(
                    _LANDMARK_GRAPH,
                    "landmarks handedness",
                    {"handlandmarkcpu__ThresholdingCalculator.threshold": presence},
                )
                for presence in (MIN_PROPOSED_PRESENCE, MIN_PRESENCE)
            )
            empty = np.zeros((PALM_INPUT, PALM_INPUT, 3), np.uint8)
            self._palms.process({"image": empty})
            for graph in (self._proposed, self._confirmed):
                self._find_landmarks(graph, empty, Region(96, 96, 96, 0))

    def propose(self, frame: Frame, variant: Variant) -> list[Region]:
        """Return the regions of the frame that palms in the changed frame propose."""
        changed, matrix = change_frame(frame, variant)
        palms = sorted(self._palms.process({"image": changed}).palms or (), key=lambda palm: -palm.score[0])
        return [map_back(_region(palm.location_data), matrix) for palm in palms[:MAX_PALMS]]

    def search(self, frame: Frame, region: Region) -> FoundHand | None:
        """Return the hand in a proposed region.

        Such a region is inexact. In a second one, around the landmarks, the presence of a hand rises, and that of
        anything else falls.
        """
        first = self.look(frame, region)
        return first and self.confirm(frame, region_around(first.landmarks, frame))

    def look(self, frame: Frame, region: Region) -> FoundHand | None:
        """Return what may be a hand in a proposed region."""
        return self._find_landmarks(self._proposed, frame, region)

    def confirm(self, frame: Frame, region: Region) -> FoundHand | None:
        """Return the hand in an exact region."""
        return self._find_landmarks(self._confirmed, frame, region)

    @staticmethod
    def _find_landmarks(graph: Any, frame: Frame, region: Region) -> FoundHand | None:
        from mediapipe.framework.formats.rect_pb2 import NormalizedRect

        height, width = frame.shape[:2]
        rect = NormalizedRect(
            x_center=region.x / width,
            y_center=region.y / height,
            width=region.side / width,
            height=region.side / height,
            rotation=region.rotation,
        )
        result = graph.process({"image": frame, "region": rect})
        if result.landmarks is None:
            return None
        landmarks = np.array([(p.x, p.y, p.z) for p in result.landmarks.landmark], np.float32)
        return FoundHand(landmarks, result.handedness.classification[0])

    def close(self) -> None:
        """Free the graphs."""
        for graph in (self._palms, self._proposed, self._confirmed):
            graph.close()


def _load_graph(text: str, outputs: str, parameters: dict[str, float]) -> Any:
    from google.protobuf import text_format  # type: ignore[import-untyped]
    from mediapipe.framework.calculator_pb2 import CalculatorGraphConfig
    from mediapipe.python.solution_base import SolutionBase

    config = text_format.Parse(text, CalculatorGraphConfig())
    return SolutionBase(graph_config=config, calculator_params=parameters, outputs=outputs.split())


def _region(palm: Any) -> Region:
    """Return the region of a palm, given as MediaPipe's location data relative to the changed frame."""
    box, points = palm.relative_bounding_box, palm.relative_keypoints
    wrist, middle = (np.array([point.x, point.y], np.float64) * PALM_INPUT for point in (points[0], points[2]))
    corner_and_size = np.array([box.xmin, box.ymin, box.width, box.height], np.float64) * PALM_INPUT
    return region_from_palm(corner_and_size, wrist, middle)
