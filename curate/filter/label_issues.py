"""Find frames whose label may be wrong: the starter model predicts another letter."""

from typing import Final

import numpy as np
import numpy.typing as npt

from aslkit.inference.starter import load_landmark_starter
from aslkit.vision.preprocess import apply_temperature, landmark_features

MIN_FRAMES_PER_LETTER: Final = 10
"""Frames of a letter from which on cleanlab estimates how often it is confused."""

MIN_CONFIDENCE: Final = 0.9
"""Confidence in another letter, 0–1, from which on a label is doubted without cleanlab, as in
`aslkit.capture.quality.letter_check`."""


def label_issue_scores(
    points: npt.NDArray[np.float32], label: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Return how likely each label is wrong, according to the starter model.

    The starter model was trained on other people and learns nothing from these frames, so that it does not learn their
    errors, such as two swapped letters. Classifiers trained on the dataset's other frames raise more false alarms, even
    with 17 signers (docs/figures.md).

    cleanlab decides which disagreements count, based on how often each pair of letters is confused (confident learning,
    Northcutt et al., JAIR 2021). It needs MIN_FRAMES_PER_LETTER of at least two letters. Of other frames, those count
    in which the model has MIN_CONFIDENCE in another letter.

    Args:
        points: float32 (n, 21, 3), hands as returned by `canonical_points`.
        label: int64 (n,), index of the letter.

    Returns:
        float64 (n,), confidence in another letter, 0–1; 0 without a label issue. int64 (n,), the predicted letter.
    """
    probabilities = _predict_letters(points)
    predicted = probabilities.argmax(axis=1)
    highest = probabilities.max(axis=1)
    wrong = (predicted != label) & (highest >= MIN_CONFIDENCE)
    letters, counts = np.unique(label, return_counts=True)
    letters = letters[counts >= MIN_FRAMES_PER_LETTER]
    if len(letters) >= 2:
        rows = np.flatnonzero(np.isin(label, letters))
        among = probabilities[np.ix_(rows, letters)]
        among /= among.sum(axis=1, keepdims=True)
        index, most_likely = np.searchsorted(letters, label[rows]), among.argmax(axis=1)
        wrong[rows] = _find_label_issues(index, among) & (most_likely != index)
        predicted[rows], highest[rows] = letters[most_likely], among.max(axis=1)
    return np.where(wrong, highest, 0.0), predicted


def _predict_letters(points: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Return the probability of each letter for each hand, float64 (n, letters), by the starter model."""
    network, contract = load_landmark_starter()
    outputs = network(landmark_features(points))
    return apply_temperature(outputs, contract.temperature).astype(np.float64)


def _find_label_issues(label: npt.NDArray[np.int64], probabilities: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    from cleanlab.filter import find_label_issues

    return np.asarray(find_label_issues(label, probabilities, n_jobs=1), bool)
