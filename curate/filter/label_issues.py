"""Find frames whose label may be wrong: the starter model predicts another letter."""

from typing import Final

import numpy as np
import numpy.typing as npt

from aslkit.inference.starter import load_starter
from aslkit.vision.preprocess import apply_temperature, landmark_features

MIN_FRAMES_PER_LETTER: Final = 10
"""Minimum number of frames of a letter. Letters with fewer are neither checked nor predicted, because a single error
would be a large share."""


def label_issue_scores(
    points: npt.NDArray[np.float32], label: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Return how likely each label is wrong, according to the starter model.

    The starter model was trained on other people and learns nothing from these frames, so that it does not learn their
    errors, such as two swapped letters. Classifiers trained on the dataset's other frames raise more false alarms, even
    with 17 signers (docs/figures.md).

    cleanlab decides which disagreements count, based on how often each pair of letters is confused (confident learning,
    Northcutt et al., JAIR 2021).

    Args:
        points: float32 (n, 21, 3), hands as returned by `canonical_points`.
        label: int64 (n,), index of the letter.

    Returns:
        float64 (n,), confidence in another letter, 0–1; 0 without a label issue. int64 (n,), the predicted letter; the
        label itself if the letter is not checked.
    """
    confidence, predicted = np.zeros(len(label)), label.copy()
    letters, counts = np.unique(label, return_counts=True)
    letters = letters[counts >= MIN_FRAMES_PER_LETTER]
    rows = np.flatnonzero(np.isin(label, letters))
    if len(letters) < 2:
        return confidence, predicted
    index = np.searchsorted(letters, label[rows])
    probabilities = _predict_letters(points[rows], letters)
    most_likely = probabilities.argmax(axis=1)
    wrong = _find_label_issues(index, probabilities) & (most_likely != index)
    confidence[rows[wrong]] = probabilities[wrong, most_likely[wrong]]
    predicted[rows] = letters[most_likely]
    return confidence, predicted


def _predict_letters(points: npt.NDArray[np.float32], letters: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Return the probability of each of `letters` for each hand, float64 (n, letters), by the starter model."""
    network, contract = load_starter()
    outputs = network(landmark_features(points))
    probabilities = apply_temperature(outputs, contract.temperature)[:, letters].astype(np.float64)
    return np.asarray(probabilities / probabilities.sum(axis=1, keepdims=True), np.float64)


def _find_label_issues(label: npt.NDArray[np.int64], probabilities: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    from cleanlab.filter import find_label_issues

    return np.asarray(find_label_issues(label, probabilities, n_jobs=1), bool)
