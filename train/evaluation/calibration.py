"""How sure a model may be believed to be, and below which sureness its letter is refused."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from aslkit.formats.run_metrics import Reliability, ReliabilityBin
from aslkit.vision.preprocess import Array, apply_temperature

BINS: Final = 10
"""Of equal width, between 0 and 1, in which sureness and truth are compared."""

_COLDEST, _HOTTEST = 0.05, 20.0
"""Between which the temperature is looked for."""

MIN_NEGATIVES_REFUSED: Final = 0.9
"""Share of frames without a letter that the threshold is to refuse,"""

MAX_CORRECT_REFUSED: Final = 0.05
"""as long as it refuses no more than this share of the right letters: a recogniser that keeps silent is no use."""

MIN_THRESHOLD: Final = 0.5
"""But never is a letter said that is likelier wrong than right, as calibrated."""


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """What makes a letter of a model's output; kept in the model's contract.

    Attributes:
        temperature: by which logarithms of probabilities are divided; above 1 it makes the model less sure.
        threshold: of the likeliest letter's probability, below which no letter is said.
    """

    temperature: float = 1.0
    threshold: float = 0.0


def fit_temperature(probabilities: Array, truth: npt.NDArray[np.int64]) -> float:
    """The temperature at which the probabilities are likeliest to be true (Guo et al., On Calibration, 2017).

    Args:
        probabilities: float32 (n, 24), of frames that the model did not learn from.
        truth: int64 (n,), index of the letter signed.

    Returns:
        1.0 where there are no frames.
    """
    from scipy.optimize import minimize_scalar

    if not len(truth):
        return 1.0

    def unlikelihood(log: float) -> float:
        said = apply_temperature(probabilities, float(np.exp(log)))[np.arange(len(truth)), truth]
        return float(-np.log(np.maximum(said, 1e-12)).mean())

    found = minimize_scalar(unlikelihood, bounds=(np.log(_COLDEST), np.log(_HOTTEST)), method="bounded")
    return float(np.exp(found.x))


def choose_threshold(right: Array, nothing: Array) -> float:
    """The sureness below which to refuse: most frames without a letter, few right letters, all that is likelier wrong.

    Args:
        right: float32 (n,), sureness of right answers.
        nothing: float32 (m,), sureness where there was no letter.

    Returns:
        LEAST to 1; 0 where either is empty.
    """
    if not len(right) or not len(nothing):
        return 0.0
    most, few = float(np.quantile(nothing, MIN_NEGATIVES_REFUSED)), float(np.quantile(right, MAX_CORRECT_REFUSED))
    return max(MIN_THRESHOLD, min(most, few))


def reliability_curve(probabilities: Array, truth: npt.NDArray[np.int64]) -> Reliability:
    """Compare sureness with truth.

    Args:
        probabilities: float32 (n, 24).
        truth: int64 (n,).

    Returns:
        error: expected calibration error, the mean distance of sureness and share right over the bins, weighed by
            frames; null without frames.
        bins: for each that has frames: sure (mean sureness), right (share), n.
    """
    if not len(truth):
        return Reliability()
    sure, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == truth
    place = np.minimum((sure * BINS).astype(int), BINS - 1)
    bins = [
        ReliabilityBin(confidence=float(sure[rows].mean()), accuracy=float(right[rows].mean()), n=int(rows.sum()))
        for number in range(BINS)
        if (rows := place == number).any()
    ]
    error = sum(each.n * abs(each.confidence - each.accuracy) for each in bins) / len(truth)
    return Reliability(error=float(error), bins=bins)
