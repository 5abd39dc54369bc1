"""Find frames whose label may be wrong: a classifier trained without them predicts another letter."""

from typing import Final

import numpy as np
import numpy.typing as npt

from aslkit.inference.starter import load_starter
from aslkit.vision.preprocess import apply_temperature, landmark_features

FOLDS: Final = 5
"""Folds of the cross-validation."""

MIN_GROUPS_PER_LETTER: Final = 10
"""Minimum number of near-duplicate groups of a letter, or of frames for the starter model. Letters with fewer are
neither checked nor predicted: they cannot be learned well enough, and a single error would be a large share."""


MIN_SIGNERS: Final = 3
"""Minimum number of signers to train a classifier on. Of fewer, one signer's form of a letter can be mistaken for
another's form of a different letter, so the starter model is used instead."""


def label_issue_scores(
    points: npt.NDArray[np.float32],
    label: npt.NDArray[np.int64],
    group: npt.NDArray[np.int64],
    signer: npt.NDArray[np.str_],
    *,
    seed: int,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Return how likely each label is wrong, according to classifiers trained on the other groups.

    The classifier is linear discriminant analysis on landmarks, which learns 14,000 frames in a second and predicts
    probabilities. With fewer than MIN_SIGNERS signers, it is the starter model, which was trained on others.

    cleanlab decides which disagreements count, based on how often each pair of letters is confused (confident learning,
    Northcutt et al., JAIR 2021).

    Args:
        points: float32 (n, 21, 3), hands as returned by `canonical_points`.
        label: int64 (n,), index of the letter.
        group: int64 (n,), near-duplicates; the classifier that judges a frame is not trained on its group.
        signer: str (n,).
        seed: seed of the folds.

    Returns:
        float64 (n,), confidence in another letter, 0–1; 0 without a label issue. int64 (n,), the predicted letter; the
        label itself if the letter is not checked.
    """
    confidence, predicted = np.zeros(len(label)), label.copy()
    use_starter = len(np.unique(signer)) < MIN_SIGNERS
    # The starter does not learn from these frames, so that near-duplicates count as well.
    counted = np.arange(len(label)) if use_starter else group
    letters = [
        letter for letter in np.unique(label) if len(np.unique(counted[label == letter])) >= MIN_GROUPS_PER_LETTER
    ]
    rows = np.flatnonzero(np.isin(label, letters))
    if len(letters) < 2:
        return confidence, predicted
    index = np.searchsorted(letters, label[rows])
    features = landmark_features(points[rows])
    if use_starter:
        probabilities = _starter_probabilities(features, letters)
    else:
        probabilities = out_of_fold_probabilities(features, index, group[rows], seed)
    most_likely = probabilities.argmax(axis=1)
    wrong = _find_label_issues(index, probabilities) & (most_likely != index)
    confidence[rows[wrong]] = probabilities[wrong, most_likely[wrong]]
    predicted[rows] = np.array(letters)[most_likely]
    return confidence, predicted


def _starter_probabilities(features: npt.NDArray[np.float32], letters: list[np.int64]) -> npt.NDArray[np.float64]:
    """Return the probability of each of `letters` for each hand, float64 (n, letters), by the starter model."""
    network, contract = load_starter()
    probabilities = apply_temperature(network(features), contract.temperature)[:, letters].astype(np.float64)
    return np.asarray(probabilities / probabilities.sum(axis=1, keepdims=True), np.float64)


def out_of_fold_probabilities(
    features: npt.NDArray[np.float32], label: npt.NDArray[np.int64], group: npt.NDArray[np.int64], seed: int
) -> npt.NDArray[np.float64]:
    """Return the probability of each label for each hand, by classifiers that were not trained on its group.

    Args:
        features: float32 (n, m), as returned by `landmark_features`.
        label: int64 (n,), numbered from 0 without gaps, each with at least MIN_GROUPS_PER_LETTER groups.
        group: int64 (n,), near-duplicates.
        seed: seed of the folds.

    Returns:
        float64 (n, labels), rows that sum to 1.
    """
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    from sklearn.model_selection import StratifiedGroupKFold

    probabilities = np.zeros((len(label), int(label.max()) + 1))
    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed)
    for train, test in folds.split(features, label, group):
        model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.1).fit(features[train], label[train])
        probabilities[np.ix_(test, model.classes_)] = model.predict_proba(features[test])
    return probabilities


def _find_label_issues(label: npt.NDArray[np.int64], probabilities: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    from cleanlab.filter import find_label_issues

    return np.asarray(find_label_issues(label, probabilities, n_jobs=1), bool)
