"""The learning curve: how well strangers are recognised by how many people and how many images were learned from."""

from itertools import combinations
from typing import Final

import numpy as np
import numpy.typing as npt

from aslkit.core.errors import InputError
from aslkit.formats.run_metrics import CurvePoint, Extrapolation, LearningCurve
from aslkit.train.config import TrainConfig
from aslkit.train.data import samples as data
from aslkit.train.data.features import Feature
from aslkit.train.evaluation.predictions import measure_predictions, predict
from aslkit.train.fitting.fit import NO_FOLDERS, TrainingFolders, fit

SHARES: Final = (1 / 16, 1 / 4)
"""Of each signer's frames of each letter, evenly spread over the recording."""

MOST_DRAWN: Final = 2
"""Choices of so many people, for each person left out."""

MORE: Final = 10
"""People whose worth is estimated."""

ENOUGH: Final = 3
"""Numbers of people without which nothing is estimated: through two points goes any power, and it flatters."""


def learning_curve(
    samples: data.Samples,
    feature: Feature,
    config: TrainConfig,
    *,
    full: dict[str, float],
    watch: TrainingFolders = NO_FOLDERS,
) -> LearningCurve:
    """Train on fewer people, and on fewer images, each signer left out in turn.

    Args:
        samples: all there are.
        feature: what the models see.
        config: the settings.
        full: each signer's accuracy when all others were trained on.
        watch: where the trainings can be gone on with; nothing of them is written for TensorBoard.
    """
    names = sorted(full)
    rng = np.random.default_rng(config.seed)
    by_signers: list[CurvePoint] = []
    for number in range(1, len(names) - 1):
        each = []
        for held in names:
            choices = list(combinations([name for name in names if name != held], number))
            picked = rng.permutation(len(choices))[:MOST_DRAWN]
            for place in picked:
                part = data.subset(samples, np.isin(samples.signer, [held, *choices[place]]))
                title = f"{number} to learn from, without {held}"
                each.append(_right(part, held, feature, config, title, watch))
        by_signers.append(CurvePoint(n=number, mean=float(np.mean(each)), accuracies=each))
    everybody = list(full.values())
    by_signers.append(CurvePoint(n=len(names) - 1, mean=float(np.mean(everybody)), accuracies=everybody))
    return LearningCurve(
        signers=by_signers,
        images=_by_images(samples, feature, config, full, watch),
        more=extrapolate_curve([(point.n, point.mean) for point in by_signers]),
    )


def check_people(samples: data.Samples) -> None:
    """Raise InputError where there are fewer than three signers: there is nobody to leave away."""
    if len(set(samples.signer.tolist())) < 3:
        raise InputError(
            "A learning curve wants three signers or more: one to test on, and fewer and more to learn from."
        )


def extrapolate_curve(points: list[tuple[int, float]]) -> Extrapolation | None:
    """What MORE people would bring, if errors went on falling as a power of their number.

    Errors of learners fall about as a power of what they learn from (Hestness et al., 2017); from two or three numbers
    this is a guess.

    Args:
        points: numbers of people, and the mean accuracy with so many.

    Returns:
        n, accuracy, and exponent; None for fewer than ENOUGH numbers, or where more people did not help.
    """
    if len(points) < ENOUGH:
        return None
    n, wrong = np.array([p[0] for p in points]), np.maximum([1 - p[1] for p in points], 1e-4)
    exponent, start = np.polyfit(np.log(n), np.log(wrong), 1)
    if exponent >= 0:
        return None
    more = int(n.max()) + MORE
    return Extrapolation(n=more, accuracy=float(1 - np.exp(start) * more**exponent), exponent=float(exponent))


def describe_curve(curve: LearningCurve) -> str:
    """Summarise the learning curve in two sentences."""
    first, last = curve.signers[0], curve.signers[-1]
    fewest, all_images = curve.images[0], curve.images[-1]
    text = (
        f"Training on {first.n} signer{'s' * (first.n > 1)} gives {100 * first.mean:.1f} %, on {last.n} signers "
        f"{100 * last.mean:.1f} %; {fewest.n:,} instead of {all_images.n:,} images give {100 * fewest.mean:.1f} %."
    )
    if curve.more is None:
        return f"{text} This is too little to estimate what {MORE} more signers would add."
    return (
        f"{text} If the error keeps falling at this rate, {MORE} more signers would give about "
        f"{100 * curve.more.accuracy:.0f} %, a rough estimate from {len(curve.signers)} points."
    )


def _by_images(
    samples: data.Samples,
    feature: Feature,
    config: TrainConfig,
    full: dict[str, float],
    watch: TrainingFolders = NO_FOLDERS,
) -> list[CurvePoint]:
    found: list[CurvePoint] = []
    for share in SHARES:
        kept = _thinned(samples, share)
        each = []
        for held in sorted(full):
            part = data.subset(samples, kept | (samples.signer == held))
            each.append(_right(part, held, feature, config, f"{share:.0%} of the images, without {held}", watch))
        found.append(CurvePoint(n=_mean_number(samples, kept), mean=float(np.mean(each)), accuracies=each))
    every = np.ones(len(samples), bool)
    return [
        *found,
        CurvePoint(
            n=_mean_number(samples, every), mean=float(np.mean(list(full.values()))), accuracies=[*full.values()]
        ),
    ]


def _thinned(samples: data.Samples, share: float) -> npt.NDArray[np.bool_]:
    """So much of each signer's frames of each letter, at least two, evenly spread."""
    kept = np.zeros(len(samples), bool)
    for signer in np.unique(samples.signer):
        for letter in np.unique(samples.label):
            rows = np.flatnonzero((samples.signer == signer) & (samples.label == letter) & ~samples.copy)
            if len(rows):
                number = min(len(rows), max(2, round(len(rows) * share)))
                kept[rows[np.linspace(0, len(rows) - 1, number).round().astype(int)]] = True
    return kept


def _mean_number(samples: data.Samples, kept: npt.NDArray[np.bool_]) -> int:
    names = np.unique(samples.signer)
    return round(float(np.mean([(kept & (samples.signer != held)).sum() for held in names])))


def _right(
    part: data.Samples, held: str, feature: Feature, config: TrainConfig, title: str, watch: TrainingFolders
) -> float:
    split = data.hold_out_signers(part, [held], config)
    fitted = fit(split, feature, config, title=title, watch=TrainingFolders(kept=watch.kept))
    accuracy = measure_predictions(predict(fitted.model, split, feature, split="test")).accuracy
    assert accuracy is not None  # the held-out signer has frames
    return accuracy
