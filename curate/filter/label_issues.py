"""Which labels are to be doubted: frames that a classifier, trained without them, takes for another letter."""

from typing import Final

import numpy as np
import numpy.typing as npt

from aslkit.vision.preprocess import landmark_features

FOLDS: Final = 5

FEWEST: Final = 10
"""Groups of a letter, below which it cannot be learned well enough to doubt others, nor be doubted."""


def label_issue_scores(
    points: npt.NDArray[np.float32], label: npt.NDArray[np.int64], group: npt.NDArray[np.int64], *, seed: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Say how sure a classifier is of another letter, for each frame, having been trained on the other groups.

    Linear discriminant analysis on landmarks: it learns 14,000 frames in a second, and knows how sure it is. cleanlab
    decides which disagreements count, from how often each letter is taken for each other (confident learning,
    Northcutt et al., JAIR 2021).

    Args:
        points: float32 (n, 21, 3), hands as `canonical_points` gives them.
        label: int64 (n,), index of the letter.
        group: int64 (n,), near-duplicates: a frame is never judged by its own.
        seed: of the folds.

    Returns:
        float64 (n,), how sure, 0–1, 0 where the label stands; int64 (n,), the letter it is taken for, its own where the
        letter is not judged.
    """
    sure, said = np.zeros(len(label)), label.copy()
    letters = [letter for letter in np.unique(label) if len(np.unique(group[label == letter])) >= FEWEST]
    rows = np.flatnonzero(np.isin(label, letters))
    if len(letters) < 2:
        return sure, said
    index = np.searchsorted(letters, label[rows])
    chances = out_of_fold_probabilities(landmark_features(points[rows]), index, group[rows], seed)
    issues = _issues(index, chances)
    other = chances.argmax(axis=1)
    wrong = issues & (other != index)
    sure[rows[wrong]] = chances[wrong, other[wrong]]
    said[rows] = np.array(letters)[other]
    return sure, said


def out_of_fold_probabilities(
    features: npt.NDArray[np.float32], label: npt.NDArray[np.int64], group: npt.NDArray[np.int64], seed: int
) -> npt.NDArray[np.float64]:
    """How likely each label is for each hand, by classifiers that were not trained on its group.

    Args:
        features: float32 (n, m), as `landmark_features` gives them.
        label: int64 (n,), numbered from 0 without gaps, each with at least FEWEST groups.
        group: int64 (n,), near-duplicates.
        seed: of the folds.

    Returns:
        float64 (n, labels), rows that sum to 1.
    """
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    from sklearn.model_selection import StratifiedGroupKFold

    chances = np.zeros((len(label), int(label.max()) + 1))
    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed)
    for train, test in folds.split(features, label, group):
        model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.1).fit(features[train], label[train])
        chances[np.ix_(test, model.classes_)] = model.predict_proba(features[test])
    return chances


def _issues(label: npt.NDArray[np.int64], chances: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    from cleanlab.filter import find_label_issues

    return np.asarray(find_label_issues(label, chances, n_jobs=1), bool)
