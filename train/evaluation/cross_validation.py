"""Cross-validation: everybody is measured by a model that never saw them, each in turn."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from aslkit.datasets.split import By
from aslkit.formats.run_metrics import CrossValidationMetrics, FoldMetrics
from aslkit.train.config import TrainConfig
from aslkit.train.data import samples as data
from aslkit.train.data.features import Feature
from aslkit.train.evaluation.calibration import Calibration
from aslkit.train.evaluation.predictions import Predictions, concat_predictions, measure_predictions, predict
from aslkit.train.evaluation.rejection import (
    NegativePredictions,
    calibrate_rejection,
    concat_negatives,
    predict_negatives,
)
from aslkit.train.fitting.fit import NO_FOLDERS, TrainingFolders, fit
from aslkit.vision.preprocess import Array

MAX_FOLDS: Final = 10
"""Of more signers or sessions, several share a turn."""

BLOCKS: Final = 5
"""Blocks of time that each letter of a session is cut into."""

LEVEL: Final = 0.95
"""Of the bootstrap interval."""

_DRAWS: Final = 10_000

Counts = Sequence[tuple[int, int]]


@dataclass(frozen=True, kw_only=True)
class CrossValidation:
    """The outcome.

    Attributes:
        by: what was left out in turn: "signer", "session" or "block".
        note: what was done in place of what was asked for, and why; empty where it was done.
        predictions: of all frames tested on, each by a model that did not learn from its signer, session or block.
        turns: what was left out in each turn, names; "block 1" … for blocks.
        turn: int64 (n,), in which of them an answer was given.
        negatives: of each turn, what was said where there was no letter.
        seconds: in all.
    """

    by: By
    note: str
    predictions: Predictions
    turns: tuple[tuple[str, ...], ...]
    turn: npt.NDArray[np.int64]
    negatives: tuple[NegativePredictions, ...]
    seconds: float

    def tests(self) -> list[tuple[Predictions, NegativePredictions, Calibration]]:
        """Each turn's answers, with the calibration that the other turns give: it did not see whom it is used on."""
        return [
            (
                self.predictions.select(self.turn == number),
                silence,
                calibrate_rejection(
                    self.predictions.select(self.turn != number),
                    concat_negatives([each for other, each in enumerate(self.negatives) if other != number]),
                ),
            )
            for number, silence in enumerate(self.negatives)
        ]

    def calibration(self) -> Calibration:
        """What all turns together give, for the model that learns from all."""
        return calibrate_rejection(self.predictions, concat_negatives(self.negatives))


def cross_validate(
    samples: data.Samples,
    feature: Feature,
    config: TrainConfig,
    asked: By,
    *,
    recorded: Mapping[str, Array] | None = None,
    watch: TrainingFolders = NO_FOLDERS,
    why: str = "",
) -> CrossValidation:
    """Leave each signer (session, block) out in turn, train on the others, and ask about those left out.

    Where there is one signer, sessions are left out; where there is one session, blocks of time.

    Args:
        samples: all there are.
        feature: what the models see.
        config: the settings.
        asked: what to leave out.
        recorded: frames without a letter, by signer.
        watch: where the trainings can be gone on with.
        why: begins the titles of the progress bars.

    Raises:
        AslkitError: the others are too few to train on.
    """
    begun = time.perf_counter()
    by, note = _possible(samples, asked)
    parts = data.leave_out_splits(samples, by, config, most=BLOCKS if by == "block" else MAX_FOLDS)
    answers, turns, silences = [], [], []
    for number, part in enumerate(parts, 1):
        names = _names(part, by, number)
        title = f"{why}{'without' if why else 'Without'} {', '.join(names)} ({number} of {len(parts)})"
        model = fit(part, feature, config, title=title, watch=TrainingFolders(kept=watch.kept)).model
        answers.append(predict(model, part, feature, split="test"))
        silences.append(predict_negatives(model, part, feature, split="test", seed=config.seed, recorded=recorded))
        turns.append(names)
    return CrossValidation(
        by=by,
        note=note,
        predictions=concat_predictions(answers),
        turns=tuple(turns),
        turn=np.repeat(np.arange(len(answers)), [len(each) for each in answers]),
        negatives=tuple(silences),
        seconds=time.perf_counter() - begun,
    )


def summarise_folds(result: CrossValidation, *, seed: int) -> CrossValidationMetrics:
    """Compute the metrics of each held-out signer (session, block), their mean and its confidence interval.

    Args:
        result: of `cross_validate`.
        seed: of the bootstrap.
    """
    units = _units(result)
    predictions = [(name, result.predictions.select(rows)) for name, rows in units]
    folds = [FoldMetrics(name=name, **_summarise(each)) for name, each in predictions]
    return CrossValidationMetrics(
        by=result.by,
        note=result.note,
        mean=float(np.mean([fold.accuracy for fold in folds if fold.accuracy is not None])),
        interval=confidence_interval(
            [_session_counts(each) for _, each in predictions], rng=np.random.default_rng(seed)
        ),
        level=LEVEL,
        folds=folds,
        seconds=round(result.seconds, 1),
    )


def confidence_interval(counts: Sequence[Counts], *, rng: np.random.Generator) -> tuple[float, float] | None:
    """Bootstrap the mean accuracy by signer and session, not by image: the images of a sitting are not independent.

    Signers are drawn with replacement, then sessions of each (the two-stage bootstrap; Davison and Hinkley, Bootstrap
    Methods and their Application, 1997, 3.8); the interval lies between percentiles.

    Args:
        counts: for each signer, for each session: frames right, frames.
        rng: source of chance.

    Returns:
        low and high, 0–1; None for fewer than two signers.
    """
    if len(counts) < 2:
        return None
    drawn = np.empty((_DRAWS, len(counts)))
    shares = []
    for sessions in counts:
        right, n = np.array(sessions, np.float64).T
        picks = rng.integers(len(sessions), size=(_DRAWS, len(counts), len(sessions)))
        shares.append(right[picks].sum(axis=2) / n[picks].sum(axis=2))
    who = rng.integers(len(counts), size=drawn.shape)
    for index, share in enumerate(shares):
        drawn = np.where(who == index, share, drawn)
    low, high = np.quantile(drawn.mean(axis=1), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def _possible(samples: data.Samples, asked: By) -> tuple[By, str]:
    signers = np.unique(samples.signer)
    sessions = np.unique(np.char.add(np.char.add(samples.signer, "/"), samples.session))
    if asked == "signer" and len(signers) < 2:
        by: By = "session" if len(sessions) > 1 else "block"
        return by, f"There is only one signer ({signers[0]}), so each {_SAID[by]} was left out in turn."
    if asked == "session" and len(sessions) < 2:
        return "block", f"There is only one session, so each {_SAID['block']} was left out in turn."
    return asked, ""


_SAID: Final = {"signer": "signer", "session": "session", "block": "block of time"}


def _names(part: data.Samples, by: By, number: int) -> tuple[str, ...]:
    test = part.split == "test"
    if by == "block":
        return (f"block {number}",)
    names = part.signer if by == "signer" else np.char.add(np.char.add(part.signer, "/"), part.session)
    return tuple(np.unique(names[test]).tolist())


def _units(crossed: CrossValidation) -> list[tuple[str, npt.NDArray[np.bool_]]]:
    answers = crossed.predictions
    if crossed.by == "block":
        return [(names[0], crossed.turn == number) for number, names in enumerate(crossed.turns)]
    names = answers.signer
    if crossed.by == "session":
        names = np.char.add(np.char.add(answers.signer, "/"), answers.session)
    return [(str(name), names == name) for name in np.unique(names)]


def _session_counts(answers: Predictions) -> list[tuple[int, int]]:
    right = answers.truth == answers.predicted
    rows = [answers.session == name for name in np.unique(answers.session)]
    return [(int(right[each].sum()), int(each.sum())) for each in rows]


def _summarise(predictions: Predictions) -> dict[str, Any]:
    return msgspec.structs.asdict(measure_predictions(predictions).summary())
