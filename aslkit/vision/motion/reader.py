"""Recognises letters that are drawn, J and Z, in the landmarks of consecutive frames.

No camera, model file or clock is involved, so that the rules can be tested with any movement.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from aslkit.core.letters import MOTION_LETTERS
from aslkit.vision.hand_landmarker import INDEX, PINKY, WRIST, Hand
from aslkit.vision.motion.contract import MotionContract
from aslkit.vision.motion.features import motion_features
from aslkit.vision.motion.track import MAX_GAP_S, HandTrack

Array = npt.NDArray[np.float32]

MIN_TRACK_S: Final = 0.3
"""A movement shorter than this is not judged, seconds; signers need at least 0.4 s for J and Z."""

AGREE_S: Final = 0.12
"""Duration over which the probability of a letter is averaged, seconds; at least two frames."""

MOVING: Final = 1.2
"""Speed of the wrist from which a hand is moving and shows no static letter, palm sizes (about 150 mm) per second."""

STEADY: Final = 0.8
"""Speed of wrist and fingertips up to which a hand is held, palm sizes per second: more than errors of detection."""

_SPEED_S: Final = 0.15
"""Duration over which the speed is measured, seconds. A single interval would be dominated by errors of detection."""

_SAME_POSE: Final = 0.2
"""Mean distance of the joints, relative to the wrist, up to which a hand still has the pose in which it ended a letter,
palm sizes."""

_END_S: Final = 0.3
"""The pose at the end of a letter may still change during this time after it was recognised, seconds."""

_TIME_TOLERANCE_S: Final = 1e-6

Predict = Callable[[Array], Array]
"""Computes probabilities, float32 (n, classes), from inputs, float32 (n, MOTION_VALUES)."""


@dataclass(frozen=True, kw_only=True)
class MotionLetter:
    """A letter that was drawn.

    Attributes:
        letter: "J" or "Z".
        probability: its mean probability over the frames that agree, 0–1.
    """

    letter: str
    probability: float


@dataclass(frozen=True, kw_only=True)
class MotionReading:
    """The movement of the hand in a frame.

    Attributes:
        moving: whether the hand moves too fast to show a static letter.
        steady: whether neither the hand nor its drawing fingers move.
        ended: whether the hand still has the pose in which it ended a drawn letter.
        letter: the letter that the movement completes in this frame; None in all other frames.
    """

    moving: bool = False
    steady: bool = True
    ended: bool = False
    letter: MotionLetter | None = None


RESTING: Final = MotionReading()
"""The reading of a frame without a hand, and of a model without a motion network."""


class MotionReader:
    """Recognises drawn letters frame by frame.

    Args:
        predict: the motion network.
        contract: its contract.
        max_gap_s: after a longer gap between two frames, earlier ones are ignored, seconds.
    """

    def __init__(self, predict: Predict, contract: MotionContract, *, max_gap_s: float = 1.0) -> None:
        self._predict, self._contract, self._max_gap_s = predict, contract, max_gap_s
        self._track = HandTrack()
        self._recent: deque[tuple[float, Array]] = deque()
        self._last_s: float | None = None
        self._end_pose: Array | None = None
        self._end_s = -np.inf

    def reset(self) -> None:
        """Ignore all earlier frames."""
        self._track.clear()
        self._recent.clear()
        self._end_pose, self._end_s = None, -np.inf

    def observe(self, time_s: float, hand: Hand | None, *, width: int, height: int) -> MotionReading:
        """Process a frame.

        Args:
            time_s: time of the frame, seconds from any origin. If it runs backwards, earlier frames are ignored.
            hand: the hand in it; None if none was found.
            width: of the frame, pixels.
            height: of the frame, pixels.
        """
        if self._last_s is not None and not 0 <= time_s - self._last_s <= self._max_gap_s:
            self.reset()
        self._last_s = time_s
        self._track.add(time_s, hand, width=width, height=height)
        if hand is None:
            return RESTING
        speeds = [self._track.speed(joint, _SPEED_S) for joint in (WRIST, INDEX[-1], PINKY[-1])]
        letter = self._judge(time_s)
        if letter is not None:
            self._end_s = time_s
            self._track.clear()
            self._recent.clear()
            self._track.add(time_s, hand, width=width, height=height)
        return MotionReading(
            moving=speeds[0] > MOVING, steady=max(speeds) <= STEADY, ended=self._has_ended(time_s), letter=letter
        )  # fmt: skip

    def _judge(self, time_s: float) -> MotionLetter | None:
        if self._track.duration_s < MIN_TRACK_S:
            return None
        points, valid = self._track.sample(time_s)
        inputs = motion_features(points[None], valid[None], left=np.array([self._track.left]))
        self._recent.append((time_s, self._predict(inputs)[0]))
        while self._recent[0][0] < time_s - AGREE_S - MAX_GAP_S:  # before the hand was lost
            self._recent.popleft()
        # The frame before AGREE_S is used as well, so that two frames agree at any frame rate.
        while len(self._recent) > 2 and self._recent[1][0] <= time_s - AGREE_S:
            self._recent.popleft()
        if time_s - self._recent[0][0] < AGREE_S - _TIME_TOLERANCE_S:
            return None
        probabilities = np.stack([each for _, each in self._recent])
        best = int(probabilities[-1].argmax())
        letter = self._contract.classes[best]
        if letter not in MOTION_LETTERS or probabilities[:, best].mean() < self._contract.threshold:
            return None
        return MotionLetter(letter=letter, probability=float(probabilities[:, best].mean()))

    def _has_ended(self, time_s: float) -> bool:
        """Return whether the hand still has the pose in which it ended the last drawn letter."""
        if time_s - self._end_s <= _END_S:
            self._end_pose = self._track.newest_pose()
            return True
        if self._end_pose is None:
            return False
        if float(np.linalg.norm(self._track.newest_pose() - self._end_pose, axis=-1).mean()) <= _SAME_POSE:
            return True
        self._end_pose = None
        return False
