"""The sentences that summarise a run; the terminal, the report and the model card use the same ones."""

from dataclasses import dataclass
from typing import Final

from aslkit.core.letters import NO_LETTER
from aslkit.core.sanitize import format_count, format_percent, join_names
from aslkit.formats.prediction_metrics import RejectionMetrics
from aslkit.formats.run_metrics import CrossValidationMetrics, RunMetrics
from aslkit.web.report_page import join_listed, join_words

_TEST_SET: Final = {
    "signer": "unseen signers",
    "session": "same person, another recording session",  # which may be earlier
    "block": "same person, later recording (same session)",
}
"""What is tested, by the unit that the test set does not share with the training set."""

_FOLDS: Final = {
    "signer": "unseen signers, each held out in turn",
    "session": "same person, each session held out in turn",
    "block": "same person, each part of the recording held out in turn",
}
"""What is tested by a cross-validation."""

_UNIT_EXPLANATIONS: Final = {
    "session": "The model was trained on this person's other sessions. Light, background and hand position differ; the "
    "person does not.",
    "block": "The model was trained on earlier frames of the same session (a split by block: the last frames of each "
    "letter are the test set). Frames in the gap between them and the training frames are not used.",
}

_UNITS: Final = {"signer": "signers", "session": "sessions", "block": "blocks of time"}

MAX_LISTED_LETTERS: Final = 6
MAX_LISTED_SIGNERS: Final = 4
"""Maximum number of letters, and of signers, that are listed one by one in a title."""

_MIN_SIGNERS: Final = 5
"""With fewer, the bootstrap underestimates the variance: its interval is a lower bound."""


NEGATIVE_KINDS: Final = {
    "on the way": "transitions between two letters",
    "at rest": "rest poses: half closed, hanging",
    "misfound": "false detections: no hand at all",
    "recorded": "recorded without a letter",
}
"""What the kinds of frames without a letter are, in reports and cards."""


FALSE_LETTERS_EXPLANATION: Final = (
    "The figures count different things. The number per minute counts letters that nobody signed, while the hand moves "
    "from one letter to the next, if three frames in a row (0.2 s) agree. The shares count single images. A resting "
    "hand does not move, so a letter that it resembles may be written: take the hand out of the image to rest."
)
"""Reconciles the false letters per minute with the shares of images without a letter that get one."""


@dataclass(frozen=True, kw_only=True)
class Headline:
    """The result of a run in a few sentences.

    Attributes:
        tested: the data of the headline accuracy, such as "unseen signers: maria, jon".
        at_threshold: what `aslkit live` predicts on the same data; empty if it was not measured.
        explanation: what the test set shares with the training data; empty for unseen signers.
        gap: how the accuracy on a random split compares, or that it was omitted; empty if there is only one signer.
        warning: what the accuracy does not show; empty for real, distinct, unseen signers.
        interval: confidence interval of the mean; empty without cross-validation.
    """

    tested: str
    at_threshold: str = ""
    explanation: str = ""
    gap: str = ""
    warning: str = ""
    interval: str = ""


def describe_recogniser(metrics: RunMetrics) -> str:
    """Return a title, such as "Recogniser of 24 letters, trained on house and longhong"."""
    letters, signers = metrics.trained_on.letters, metrics.trained_on.signers
    what = join_words(letters) if len(letters) <= MAX_LISTED_LETTERS else f"{len(letters)} letters"
    who = join_words(signers) if len(signers) <= MAX_LISTED_SIGNERS else f"{len(signers)} signers"
    return f"Recogniser of {what}, trained on {who}"


def describe_test_set(metrics: RunMetrics) -> str:
    """Return the data on which a run or an evaluation was measured."""
    evaluation, unseen = metrics.evaluated, metrics.unseen
    if evaluation and evaluation.training_signers:
        return f"signers it was trained on: {join_names(evaluation.training_signers)}"
    by = unseen.by or "signer"
    tested = (_FOLDS if metrics.cv and not evaluation else _TEST_SET).get(by, f"data held out by {by}")
    if unseen.same_signers and len(unseen.held_out) > 1:
        tested = tested.replace("same person", "same people")
    if metrics.synthetic:
        tested = f"{tested} (synthetic)"
    if by == "signer":
        tested = f"{tested}: {join_names(unseen.held_out)}"
    return tested + _describe_missing_letters(metrics)


def random_split_accuracy(metrics: RunMetrics) -> float | None:
    """Return the accuracy on a random split; None if it was not measured, or if there is only one signer."""
    return metrics.random_split.accuracy if metrics.random_split and not metrics.single_signer else None


def list_hardest(metrics: RunMetrics, limit: int) -> str:
    """Return the letters with the lowest accuracy, such as "T 97.0%, D 99.0%, and 2 more"; empty if none is wrong."""
    below = {letter: each.accuracy for letter, each in metrics.unseen.per_letter.items() if each.accuracy != 1}
    worst = sorted(below, key=lambda letter: below[letter] or 0)
    return join_listed([f"{letter} {format_percent(below[letter])}" for letter in worst], limit)


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
    if from_scratch is None and metrics.quick:
        return f"Initial weights: {transfer.start}."
    if accuracy is None or from_scratch is None:
        return f"Initial weights: {transfer.start}. Training from scratch was not measured for comparison."
    points = 100 * (accuracy - from_scratch)
    return (
        f"Initial weights: {transfer.start}, {100 * accuracy:.1f} %; from scratch {100 * from_scratch:.1f} % "
        f"({points:+.1f} points)."
    )


def describe_motion(metrics: RunMetrics) -> str:
    """Return how J and Z were trained and tested; empty for runs without a motion network."""
    motion = metrics.motion
    if motion is None:
        return ""
    trained = "J and Z: a second network that follows the movement, trained on synthetic signers"
    if motion.clips:
        trained += f" and {format_count(motion.clips, 'clip')} of {join_names(motion.signers)}"
    if not motion.tested:
        return f"{trained}; no clips were held out to test it."
    tested = ", ".join(
        f"{letter if letter != NO_LETTER else 'no letter'} {motion.right.get(letter, 0)} of {n}"
        for letter, n in sorted(motion.tested.items())
    )
    of_whom = "unseen signers" if motion.unseen else "signers that it was trained on"
    return f"{trained}. Held-out clips of {of_whom} that it read right: {tested}."


def describe_run(metrics: RunMetrics) -> Headline:
    """Summarise a run or an evaluation."""
    tested, at_threshold = describe_test_set(metrics), _describe_threshold(metrics.rejection)
    if metrics.evaluated and metrics.evaluated.training_signers:
        return Headline(
            tested=tested,
            at_threshold=at_threshold,
            warning="All signers of this dataset were in the training set, so the accuracy is optimistic and says "
            "nothing about unseen signers.",
        )
    return Headline(
        tested=f"the {tested}" if metrics.unseen.same_signers else tested,
        at_threshold=at_threshold,
        explanation=_UNIT_EXPLANATIONS.get(metrics.unseen.by or "", "") if metrics.cv is None else "",
        gap="" if metrics.single_signer else _describe_gap(metrics),
        warning=" ".join(filter(None, [*metrics.duplicate_signers, _describe_limits(metrics)])),
        interval=_describe_interval(metrics.cv) if metrics.cv else "",
    )


def _describe_threshold(rejection: RejectionMetrics | None) -> str:
    """Return the outcomes of the same frames in `aslkit live`; empty if they were not measured."""
    if rejection is None:
        return ""
    letters = rejection.letters
    outcomes = (("wrong", letters.wrong), ("rejected", letters.rejected), ("without a hand", letters.no_hand))
    return ", ".join(f"{format_percent(share)} {name}" for name, share in outcomes)


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
    random_split = random_split_accuracy(metrics)
    if metrics.quick:
        return "Comparisons were omitted (--quick): training on a random split, and from scratch."
    if random_split is None:
        return "Accuracy on a random split was not measured."
    if accuracy is None:
        return "No data could be held out, so the accuracy on unseen data is unknown."
    if few := _describe_missing_letters(metrics):
        return f"The two cannot be compared: the test set shows only{few.removeprefix(',')}."
    points = round(100 * (random_split - accuracy))
    if random_split <= accuracy:
        return "The random split does not overestimate the accuracy here."
    if points < 1:
        return "The random split overestimates the accuracy by less than 1 point here."
    return f"The random split overestimates the accuracy by about {points} point{'s' * (points > 1)} (data leakage)."


def _describe_limits(metrics: RunMetrics) -> str:
    unseen = metrics.unseen
    if metrics.synthetic:
        return (
            "The test signers are synthetic: the accuracy shows that the tools work, not how well real hands are read."
        )
    if metrics.single_signer:
        return (
            "There is only one signer, so the accuracy says little about other signers. "
            "Record a second signer: aslkit capture --letter A --signer NAME"
        )
    if unseen.same_signers:
        return "The model was trained on the same signers, so the accuracy says little about unseen signers."
    if never := [letter for letter, each in unseen.per_letter.items() if each.accuracy == 0]:
        return f"Never recognised: {' '.join(never)}. The confusion matrix shows what was predicted instead."
    return ""
