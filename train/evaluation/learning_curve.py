"""The learning curve: accuracy on held-out signers by number of training signers and of training images."""

from itertools import combinations
from typing import Final

import numpy as np
import numpy.typing as npt

from aslkit.core.errors import InputError
from aslkit.formats.run_metrics import CurvePoint, Extrapolation, LearningCurve
from aslkit.train.config import TrainConfig
from aslkit.train.data import samples as data
from aslkit.train.data.features import Feature
from aslkit.train.engine.train_network import ONE_PROCESS, TrainingResources
from aslkit.train.evaluation.predictions import measure_predictions, predict
from aslkit.train.fitting.fit import fit

IMAGE_SHARES: Final = (1 / 16, 1 / 4)
"""Shares of each signer's frames of each letter to train on, evenly spaced over the recording."""

MAX_SUBSETS: Final = 2
"""Maximum number of random subsets of training signers for each held-out signer and subset size."""

EXTRA_SIGNERS: Final = 10
"""Number of additional signers for which the accuracy is extrapolated."""

MIN_CURVE_POINTS: Final = 3
"""Minimum number of points for an extrapolation. A power law fits any two points, with optimistic results."""


def learning_curve(
    samples: data.Samples,
    feature: Feature,
    config: TrainConfig,
    *,
    full: dict[str, float],
    resources: TrainingResources = ONE_PROCESS,
) -> LearningCurve:
    """Train on fewer signers and on fewer images, with each signer held out in turn.

    Args:
        samples: the dataset; its own split is ignored.
        feature: input of the models.
        config: the settings.
        full: accuracy on each signer of a model trained on all other signers, by name.
        resources: checkpoints of the trainings. Nothing is logged for TensorBoard.
    """
    names = sorted(full)
    rng = np.random.default_rng(config.seed)
    by_signers: list[CurvePoint] = []
    for number in range(1, len(names) - 1):
        accuracies = []
        for held_out in names:
            subsets = list(combinations([name for name in names if name != held_out], number))
            picked = rng.permutation(len(subsets))[:MAX_SUBSETS]
            for index in picked:
                part = data.subset(samples, np.isin(samples.signer, [held_out, *subsets[index]]))
                title = f"{number} training signer{'s' * (number > 1)}, {held_out} held out"
                accuracies.append(_measure_held_out(part, held_out, feature, config, title, resources))
        by_signers.append(CurvePoint(n=number, mean=float(np.mean(accuracies)), accuracies=accuracies))
    all_signers = list(full.values())
    by_signers.append(CurvePoint(n=len(names) - 1, mean=float(np.mean(all_signers)), accuracies=all_signers))
    return LearningCurve(
        signers=by_signers,
        images=_curve_by_images(samples, feature, config, full, resources),
        more=extrapolate_curve([(point.n, point.mean) for point in by_signers]),
    )


def check_enough_signers(samples: data.Samples) -> None:
    """Raise InputError for fewer than three signers: with one held out, the number of the others must vary."""
    if len(set(samples.signer.tolist())) < 3:
        raise InputError("A learning curve requires at least three signers: one to test on, and two to train on.")


def extrapolate_curve(points: list[tuple[int, float]]) -> Extrapolation | None:
    """Extrapolate the accuracy with EXTRA_SIGNERS more signers, by a power law fitted to the errors.

    Errors fall approximately as a power of the amount of training data (Hestness et al., Deep Learning Scaling is
    Predictable, Empirically, 2017). From a few points this is a rough estimate.

    Args:
        points: number of signers, and mean accuracy with that many.

    Returns:
        None for fewer than MIN_CURVE_POINTS points, or if more signers did not reduce the error.
    """
    if len(points) < MIN_CURVE_POINTS:
        return None
    # An error of 0 has no logarithm.
    n, error = np.array([p[0] for p in points]), np.maximum([1 - p[1] for p in points], 1e-4)
    # error = exp(intercept) * n**exponent is a straight line in the logarithms.
    exponent, intercept = np.polyfit(np.log(n), np.log(error), 1)
    if exponent >= 0:
        return None
    more = int(n.max()) + EXTRA_SIGNERS
    return Extrapolation(n=more, accuracy=float(1 - np.exp(intercept) * more**exponent), exponent=float(exponent))


def describe_curve(curve: LearningCurve) -> str:
    """Summarise the learning curve in two sentences."""
    first, last = curve.signers[0], curve.signers[-1]
    fewest, all_images = curve.images[0], curve.images[-1]
    text = (
        f"Training on {first.n} signer{'s' * (first.n > 1)} gives {100 * first.mean:.1f} %, on {last.n} signers "
        f"{100 * last.mean:.1f} %; {fewest.n:,} instead of {all_images.n:,} images give {100 * fewest.mean:.1f} %."
    )
    if curve.more is None:
        return f"{text} This is too little to estimate what {EXTRA_SIGNERS} more signers would add."
    return (
        f"{text} If the error keeps falling at this rate, {EXTRA_SIGNERS} more signers would give about "
        f"{100 * curve.more.accuracy:.0f} %, a rough estimate from {len(curve.signers)} points."
    )


def _curve_by_images(
    samples: data.Samples,
    feature: Feature,
    config: TrainConfig,
    full: dict[str, float],
    resources: TrainingResources = ONE_PROCESS,
) -> list[CurvePoint]:
    points: list[CurvePoint] = []
    for share in IMAGE_SHARES:
        selected = _select_share(samples, share)
        accuracies = []
        for held_out in sorted(full):
            part = data.subset(samples, selected | (samples.signer == held_out))
            title = f"{share:.0%} of the training images, {held_out} held out"
            accuracies.append(_measure_held_out(part, held_out, feature, config, title, resources))
        n = _mean_training_images(samples, selected)
        points.append(CurvePoint(n=n, mean=float(np.mean(accuracies)), accuracies=accuracies))
    n = _mean_training_images(samples, np.ones(len(samples), bool))
    accuracies = list(full.values())
    return [*points, CurvePoint(n=n, mean=float(np.mean(accuracies)), accuracies=accuracies)]


def _select_share(samples: data.Samples, share: float) -> npt.NDArray[np.bool_]:
    """Select a share of each signer's frames of each letter, at least two, evenly spaced. Copies are not selected."""
    selected = np.zeros(len(samples), bool)
    for signer in np.unique(samples.signer):
        for letter in np.unique(samples.label):
            rows = np.flatnonzero((samples.signer == signer) & (samples.label == letter) & ~samples.is_copy)
            if len(rows):
                number = min(len(rows), max(2, round(len(rows) * share)))
                selected[rows[np.linspace(0, len(rows) - 1, number).round().astype(int)]] = True
    return selected


def _mean_training_images(samples: data.Samples, selected: npt.NDArray[np.bool_]) -> int:
    """Return the mean number of selected frames over the held-out signers, rounded."""
    names = np.unique(samples.signer)
    return round(float(np.mean([(selected & (samples.signer != held_out)).sum() for held_out in names])))


def _measure_held_out(
    part: data.Samples, held_out: str, feature: Feature, config: TrainConfig, title: str, resources: TrainingResources
) -> float:
    """Train on all other signers of a part, and return the accuracy on the held-out one."""
    split = data.hold_out_signers(part, [held_out], config)
    fitted = fit(split, feature, config, title=title, resources=resources.without_logs())
    accuracy = measure_predictions(predict(fitted.model, split, feature, split="test")).accuracy
    assert accuracy is not None  # the held-out signer has frames
    return accuracy
