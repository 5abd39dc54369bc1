"""Recognises the letter in a frame: hand detection, preprocessing, network and threshold of a trained model."""

from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import numpy as np
import numpy.typing as npt

from aslkit.inference.load_model import load_motion_network, load_network
from aslkit.vision.hand_embedding import embedding_model
from aslkit.vision.hand_landmarker import Hand, HandLandmarker
from aslkit.vision.images import Frame
from aslkit.vision.motion.reader import MotionReader
from aslkit.vision.preprocess import Array, apply_temperature, model_input


@dataclass(frozen=True, kw_only=True)
class Recognition:
    """What was recognised in one frame.

    Attributes:
        hand: detected hand; None if there is none.
        letter: most probable letter; None without a hand.
        probabilities: float32 (n,), probability of each letter of the contract, 0–1, calibrated on unseen signers;
            zeros without a hand.
        rejected: whether the highest probability is below the model's threshold, as for rest poses and transitions
            between letters. True without a hand.
        is_rest: whether a rest pose is more probable than any letter: see `is_rest`.
    """

    hand: Hand | None
    letter: str | None
    probabilities: Array
    rejected: bool
    is_rest: bool = False


def is_rest(probabilities: Array) -> npt.NDArray[np.bool_]:
    """Return whether a rest pose is more probable than any letter.

    Networks trained with rest poses distribute the probability of a rest pose evenly over all letters
    (docs/adr/0016-synthetic-signers.md). n times the smallest probability is therefore an upper bound of the
    probability of a rest pose, and a close one, because some letter always has almost no probability of its own. For
    other networks it is almost 0.

    Args:
        probabilities: float32 (…, n), as the network outputs them, before the temperature is applied.

    Returns:
        bool (…).
    """
    smallest = probabilities.min(axis=-1)
    result: npt.NDArray[np.bool_] = probabilities.shape[-1] * smallest > probabilities.max(axis=-1) - smallest
    return result


class HandFinder(Protocol):
    """Finds the hand in a frame, like `HandLandmarker`."""

    def find(self, frame: Frame) -> Hand | None:
        """See `HandLandmarker.find`."""


class SharedHandFinder:
    """Finds the hand in each frame once, for several recognisers that get the same frames."""

    def __init__(self) -> None:
        self._landmarker = HandLandmarker(tracking=True, spread_retries=True)
        self._frame: Frame | None = None
        self._hand: Hand | None = None

    def find(self, frame: Frame) -> Hand | None:
        """Return the hand in a frame; see `HandLandmarker.find`."""
        if frame is not self._frame:
            self._frame, self._hand = frame, self._landmarker.find(frame)
        return self._hand

    def close(self) -> None:
        """Free the landmarker."""
        self._landmarker.close()


class Recogniser:
    """Runs the model of a run folder in NumPy. TensorFlow is only imported if the run has no model.json.

    Args:
        run: run folder, as written by `aslkit train`.
        consecutive: the frames are those of a camera or video. The hand is then tracked, which takes half the time, and
            retries of its detection are spread over the frames, which limits the time of a frame without a hand.
            Otherwise each frame is processed independently.
        hand_finder: finds the hands, and is closed by the caller; None creates one.

    Raises:
        InputError: the folder is not a run.
        AslkitError: the model is damaged; or it has no model.json and TensorFlow is not installed.
    """

    def __init__(self, run: Path, *, consecutive: bool = False, hand_finder: HandFinder | None = None) -> None:
        self._network, self.contract = load_network(run)
        self._motion_network = load_motion_network(run, self.contract)
        self._own_landmarker: HandLandmarker | None = None
        if hand_finder is None:
            self._own_landmarker = hand_finder = HandLandmarker(tracking=consecutive, spread_retries=consecutive)
        self._hand_finder = hand_finder
        if self.contract.has_embedding:
            embedding_model()  # loaded now, so that the first frame with a hand is not late

    def recognise(self, frame: Frame) -> Recognition:
        """Recognise the letter in an unmirrored BGR frame, uint8 (height, width, 3)."""
        hand = self._hand_finder.find(frame)
        if hand is None:
            zeros = np.zeros(len(self.contract.letters), np.float32)
            return Recognition(hand=None, letter=None, probabilities=zeros, rejected=True)
        inputs = model_input(frame, hand, self.contract)
        outputs = self._network(inputs[None])[0]
        probabilities = apply_temperature(outputs, self.contract.temperature)
        return Recognition(
            hand=hand,
            letter=self.contract.letters[int(probabilities.argmax())],
            probabilities=probabilities,
            rejected=bool(probabilities.max() < self.contract.threshold),
            # On the outputs before the temperature, which would change the ratio of the probabilities.
            is_rest=bool(is_rest(outputs)),
        )

    def create_motion_reader(self) -> MotionReader | None:
        """Return a new reader of drawn letters; None if the model has no network for them."""
        if self._motion_network is None or self.contract.motion is None:
            return None
        return MotionReader(self._motion_network, self.contract.motion)

    def close(self) -> None:
        """Free the landmarker, if it is the recogniser's own."""
        if self._own_landmarker is not None:
            self._own_landmarker.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
