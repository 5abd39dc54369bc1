"""Metrics of predictions: accuracy, confusions, calibration, and what happens at the confidence threshold.

Attribute names are the field's terms. Where a key in metrics.json differs (`name=`), the file keeps the key that
earlier versions wrote.
"""

from msgspec import Struct, field


class AccuracyMetrics(Struct, kw_only=True):
    """Metrics of one set of predictions. All are null for an empty set.

    Attributes:
        accuracy: share of correct predictions, 0–1. A frame in which no hand was found counts as wrong.
        accuracy_hand_found: the same, of the frames with a hand only.
        coverage: share of frames in which a hand was found, 0–1.
        macro_f1: mean F1 score over the letters in the test set.
        n: number of frames.
    """

    accuracy: float | None = None
    accuracy_hand_found: float | None = None
    coverage: float | None = None
    macro_f1: float | None = None
    n: int | None = None


class LetterMetrics(Struct, kw_only=True):
    """Metrics of one letter. `accuracy` is its recall; `precision` is null if the letter was never predicted."""

    accuracy: float | None
    precision: float | None = None
    f1: float | None = None
    n: int | None = None


class PredictionMetrics(AccuracyMetrics, kw_only=True):
    """Metrics of one set of predictions, with those of each letter in the test set."""

    per_letter: dict[str, LetterMetrics] = {}

    def summary(self) -> AccuracyMetrics:
        """Return the same metrics without those of the letters."""
        return AccuracyMetrics(**{name: getattr(self, name) for name in AccuracyMetrics.__struct_fields__})


class HeldOutMetrics(PredictionMetrics, kw_only=True):
    """Metrics on data that the model was not trained on.

    Attributes:
        by: what the training and the test set do not share: a `SplitUnit`, or what another program's dataset states.
        held_out: the signers of the test set.
    """

    by: str | None = None
    held_out: list[str] = []

    @property
    def same_signers(self) -> bool:
        """Whether the model was also trained on the signers of the test set, in another session or part of it."""
        return self.by in ("session", "block")


class Confusion(Struct, kw_only=True):
    """How often one letter was predicted as another.

    Attributes:
        signed: the true letter.
        predicted: the predicted letter, or "no hand".
        count: frames.
        share: of the frames of `signed`, 0–1.
    """

    signed: str
    predicted: str = field(name="said")
    count: int
    share: float


class ConfusedPair(Struct, kw_only=True):
    """Two letters that were confused.

    Attributes:
        a, b: the letters.
        a_for_b, b_for_a: frames of `a` predicted as `b`, and of `b` predicted as `a`.
        share: of the frames of both letters, 0–1.
        examples: keys of a few of these frames.
    """

    a: str
    b: str
    a_for_b: int
    b_for_a: int
    share: float
    examples: list[str]


class ConfusionGroup(Struct, kw_only=True):
    """Letters of similar handshape: accuracy on their frames, and the pairs confused, most confused first."""

    name: str
    letters: str
    accuracy: float
    pairs: list[ConfusedPair]


class LetterOutcomes(Struct, kw_only=True):
    """Shares of the frames that show a letter, 0–1; they sum to 1."""

    correct: float = field(name="right")
    wrong: float
    rejected: float = field(name="refused")
    no_hand: float


class NegativeOutcome(Struct, kw_only=True):
    """Share of negative samples of one kind that were rejected, 0–1, and their number."""

    rejected: float = field(name="refused")
    n: int


class ReliabilityBin(Struct, kw_only=True):
    """Predictions of similar confidence: mean confidence, accuracy, number of frames."""

    confidence: float = field(name="sure")
    accuracy: float = field(name="right")
    n: int


class Reliability(Struct, kw_only=True):
    """Calibration: expected calibration error (null without frames), and the bins of the reliability diagram."""

    error: float | None = None
    bins: list[ReliabilityBin] = []


class RejectionMetrics(Struct, kw_only=True):
    """What happens at the model's threshold.

    Attributes:
        letters: outcomes of frames that show a letter.
        negatives: for each kind of frame without a letter, the share rejected.
        false_letters_a_minute: expected number while spelling one letter a second; null if it was not measured.
        reliability: calibration on the frames with a hand.
        temperature, threshold: of the model; threshold 0 rejects nothing.
        chosen_on: the data on which both were chosen.
    """

    letters: LetterOutcomes
    negatives: dict[str, NegativeOutcome] = field(name="nothing", default_factory=dict)
    false_letters_a_minute: float | None = None
    reliability: Reliability = field(default_factory=Reliability)
    temperature: float = 1.0
    threshold: float = 0.0
    chosen_on: str = ""
