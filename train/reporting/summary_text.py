"""The sentences that summarise a run; the terminal, the report and the model card use the same ones."""

from dataclasses import dataclass
from typing import Final

from aslkit.formats.run_metrics import CrossValidationMetrics, RejectionMetrics, RunMetrics

_TEST_SET: Final = {
    "signer": "unseen signers",
    "session": "another session of the same signer",
    "block": "a later part of the same recording",
}

_FOLDS: Final = {
    "signer": "unseen signers, each held out in turn",
    "session": "unseen sessions, each held out in turn",
    "block": "unseen parts of the recording, each held out in turn",
}

_UNITS: Final = {"signer": "signers", "session": "sessions", "block": "blocks of time"}

_MIN_SIGNERS: Final = 5
"""With fewer, the bootstrap underestimates the variance: its interval is a lower bound."""


NEGATIVE_KINDS: Final = {
    "on the way": "transitions between two letters",
    "at rest": "rest poses: half closed, hanging",
    "misfound": "false detections: no hand at all",
    "recorded": "recorded without a letter",
}
"""What the kinds of frames without a letter are, in reports and cards."""


@dataclass(frozen=True, kw_only=True)
class Headline:
    """The result of a run in a few sentences.

    Attributes:
        tested: the data of the headline accuracy, such as "unseen signers: maria, jon".
        gap: how the accuracy on a random split compares.
        warning: what the accuracy does not show; empty for real, distinct, unseen signers.
        interval: confidence interval of the mean; empty without cross-validation.
    """

    tested: str
    gap: str = ""
    warning: str = ""
    interval: str = ""


def describe_false_letters(rejection: RejectionMetrics) -> str:
    """Return the expected false letters per minute of spelling."""
    number = rejection.false_letters_a_minute
    return "not measured" if number is None else f"{number:.1f} per minute"


def describe_synthetic(metrics: RunMetrics) -> str:
    """Return which synthetic signers were added to the training data; empty if none were."""
    number = metrics.trained_on.synthetic_signers
    return f", and {number} synthetic signers (letters and rest poses) that together weigh as one signer" * bool(number)


def describe_transfer(metrics: RunMetrics) -> str:
    """Return what pre-trained initial weights changed; empty if the network was trained from scratch."""
    transfer = metrics.transfer
    if transfer is None:
        return ""
    accuracy = metrics.headline_accuracy
    from_scratch = transfer.from_scratch.accuracy if transfer.from_scratch else None
    if accuracy is None or from_scratch is None:
        return f"Initial weights: {transfer.start}. Training from scratch was not measured for comparison."
    points = 100 * (accuracy - from_scratch)
    return (
        f"Initial weights: {transfer.start}, {100 * accuracy:.1f} %; from scratch {100 * from_scratch:.1f} % "
        f"({points:+.1f} points)."
    )


def describe_run(metrics: RunMetrics) -> Headline:
    """Summarise a run or an evaluation."""
    evaluation = metrics.evaluated
    if evaluation and evaluation.training_signers:
        return Headline(
            tested=f"signers it was trained on: {', '.join(evaluation.training_signers)}",
            warning="All signers of this dataset were in the training set, so the accuracy is optimistic and says "
            "nothing about unseen signers.",
        )
    unseen = metrics.unseen
    by = unseen.by or "signer"
    tested = (_FOLDS if metrics.cv and not evaluation else _TEST_SET).get(by, f"data held out by {by}")
    if metrics.synthetic:
        tested = f"{tested} (synthetic)"
    if by == "signer":
        tested += f": {', '.join(unseen.held_out)}"
    return Headline(
        tested=tested + _describe_missing_letters(metrics),
        gap=_describe_gap(metrics),
        warning=" ".join(filter(None, [*metrics.duplicate_signers, _describe_limits(metrics)])),
        interval=_describe_interval(metrics.cv) if metrics.cv else "",
    )


def _describe_interval(cv: CrossValidationMetrics) -> str:
    number, units = len(cv.folds), _UNITS[cv.by or "signer"]
    if cv.interval is None:
        return "There is no confidence interval, because there is only one fold."
    low, high = (100 * bound for bound in cv.interval)
    text = (
        f"{cv.level:.0%} confidence interval {low:.1f} to {high:.1f} %, bootstrapped over {number} {units}, not frames"
    )
    if number >= _MIN_SIGNERS:
        return f"{text}."
    shares = [100 * fold.accuracy for fold in cv.folds if fold.accuracy is not None]
    return (
        f"{text}. {number} {units} are few: the accuracy on the next one can lie outside of "
        f"{min(shares):.1f} to {max(shares):.1f} %."
    )


def _describe_missing_letters(metrics: RunMetrics) -> str:
    """Return how many of the trained letters are in the test set; empty if all of them are."""
    tested, trained = len(metrics.unseen.per_letter), len(metrics.trained_on.letters)
    return f", {tested} of {trained} letters" if tested < trained else ""


def _describe_gap(metrics: RunMetrics) -> str:
    accuracy = metrics.headline_accuracy
    random_split = metrics.random_split.accuracy if metrics.random_split else None
    if random_split is None:
        return "Accuracy on a random split was not measured."
    if accuracy is None:
        return "No data could be held out, so the accuracy on unseen data is unknown."
    if few := _describe_missing_letters(metrics):
        return f"The two cannot be compared: the test set shows only{few.removeprefix(',')}."
    points = round(100 * (random_split - accuracy))
    if points < 1:
        return "The random split overestimates the accuracy by less than 1 point here."
    return f"The random split overestimates the accuracy by about {points} point{'s' * (points > 1)} (data leakage)."


def _describe_limits(metrics: RunMetrics) -> str:
    unseen = metrics.unseen
    if metrics.synthetic:
        return (
            "The test signers are synthetic: the accuracy shows that the tools work, not how well real hands are read."
        )
    if unseen.by != "signer":
        return (
            "There is only one signer, so the accuracy says little about other signers. "
            "Record a second signer: aslkit capture --letter A --signer NAME"
        )
    if never := [letter for letter, each in unseen.per_letter.items() if each.accuracy == 0]:
        return f"Never recognised: {' '.join(never)}. The confusion matrix shows what was predicted instead."
    return ""
