"""A trained model at work: frames in, letters out, by the contract it was trained with."""

from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from aslkit.errors import AslkitError, InputError
from aslkit.hands import Hand, HandLandmarker
from aslkit.images import Frame
from aslkit.native import quiet_keras
from aslkit.preprocess import CONTRACT_FILE, MODEL_FILE, Array, Contract, model_input


@dataclass(frozen=True, kw_only=True)
class Recognised:
    """What was seen in one frame.

    Attributes:
        hand: the hand, or None; then there is no letter either.
        letter: the likeliest letter, or None without a hand.
        probabilities: float32 (24,), one for each letter of the contract, 0–1; zeros without a hand.
    """

    hand: Hand | None
    letter: str | None
    probabilities: Array


class Recogniser:
    """The model of a run folder.

    Args:
        run: the folder that `aslkit train` wrote.

    Raises:
        InputError: no run there.
        AslkitError: its model is damaged, or TensorFlow is not installed.
    """

    def __init__(self, run: Path) -> None:
        folder = run / "model"
        if not folder.is_dir():
            raise InputError(f"There is no run in {run}. `aslkit train --dataset custom` makes one.")
        self.contract = Contract.load(folder / CONTRACT_FILE)
        keras = quiet_keras()
        try:
            self._model = keras.saving.load_model(folder / MODEL_FILE, compile=False, safe_mode=True)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise AslkitError(
                f"{folder / MODEL_FILE} is missing or damaged. Train again, or copy the whole run."
            ) from error
        self._landmarker = HandLandmarker()

    def recognise(self, frame: Frame) -> Recognised:
        """Recognise the letter in an unmirrored BGR frame, uint8 (height, width, 3)."""
        hand = self._landmarker.find(frame)
        if hand is None:
            return Recognised(hand=None, letter=None, probabilities=np.zeros(len(self.contract.letters), np.float32))
        inputs = model_input(frame, hand, self.contract)
        probabilities = np.asarray(self._model(inputs[None], training=False), np.float32)[0]
        return Recognised(
            hand=hand, letter=self.contract.letters[int(probabilities.argmax())], probabilities=probabilities
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
