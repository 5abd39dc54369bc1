"""A trained model at work: frames in, letters out, by the contract it was trained with."""

from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt

from aslkit.inference.load_model import load_network
from aslkit.vision.hand_landmarker import Hand, HandLandmarker
from aslkit.vision.images import Frame
from aslkit.vision.preprocess import Array, apply_temperature, model_input


@dataclass(frozen=True, kw_only=True)
class Recognised:
    """What was seen in one frame.

    Attributes:
        hand: the hand, or None; then there is no letter either.
        letter: the likeliest letter, or None without a hand.
        probabilities: float32 (24,), one for each letter of the contract, 0–1, as sure as the model is right on people
            it does not know; zeros without a hand.
        refused: whether the likeliest letter is not likely enough: a hand at rest, or on its way. True without a hand.
        is_rest: whether a hand at rest is likelier than any letter: see `is_rest`.
    """

    hand: Hand | None
    letter: str | None
    probabilities: Array
    refused: bool
    is_rest: bool = False


def is_rest(probabilities: Array) -> npt.NDArray[np.bool_]:
    """Whether a hand at rest is likelier than any letter.

    A network that has learned rest gives its probability to all letters alike (docs/adr/0016). So what they all have is
    that of rest, to within the least of theirs; one that has not learned it gives some letter next to nothing.

    Args:
        probabilities: float32 (…, n), as the network says them, not tempered.

    Returns:
        bool (…).
    """
    least = probabilities.min(axis=-1)
    result: npt.NDArray[np.bool_] = probabilities.shape[-1] * least > probabilities.max(axis=-1) - least
    return result


class Recogniser:
    """The model of a run folder, run in NumPy: no TensorFlow is imported where the run has a model.json.

    Args:
        run: the folder that `aslkit train` wrote.

    Raises:
        InputError: no run there.
        AslkitError: its model is damaged, or it has no model.json and TensorFlow is not installed.
    """

    def __init__(self, run: Path) -> None:
        self._network, self.contract = load_network(run)
        self._landmarker = HandLandmarker()

    def recognise(self, frame: Frame) -> Recognised:
        """Recognise the letter in an unmirrored BGR frame, uint8 (height, width, 3)."""
        hand = self._landmarker.find(frame)
        if hand is None:
            nothing = np.zeros(len(self.contract.letters), np.float32)
            return Recognised(hand=None, letter=None, probabilities=nothing, refused=True)
        inputs = model_input(frame, hand, self.contract)
        said = self._network(inputs[None])[0]
        probabilities = apply_temperature(said, self.contract.temperature)
        return Recognised(
            hand=hand,
            letter=self.contract.letters[int(probabilities.argmax())],
            probabilities=probabilities,
            refused=bool(probabilities.max() < self.contract.threshold),
            is_rest=bool(is_rest(said)),
        )

    def close(self) -> None:
        """Free the landmarker."""
        self._landmarker.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
