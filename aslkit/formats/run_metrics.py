"""The contents of metrics.json: typed metrics of a training run and of its evaluations.

Attribute names are the field's terms. Where a key in the file differs (`name=`), the file keeps the key that earlier
versions wrote, so that run folders and users' scripts keep working.
"""

from pathlib import Path
from typing import Any, Final, Literal

import msgspec
from msgspec import Struct, field

from aslkit.core.errors import AslkitError
from aslkit.formats.benchmark_metrics import BenchmarkMetrics
from aslkit.formats.prediction_metrics import (
    AccuracyMetrics,
    Confusion,
    ConfusionGroup,
    HeldOutMetrics,
    RejectionMetrics,
)
from aslkit.formats.recording_plan import PlannedLetter
from aslkit.formats.run_folder import METRICS_FILE, Environment

SplitUnit = Literal["signer", "session", "block"]
"""What the test set does not share with the training set. A block is a span of time within one recording session."""


class TrainingData(Struct, kw_only=True):
    """What a model was trained on.

    Attributes:
        signers: names, sorted; without synthetic signers that were added to the dataset.
        letters: sorted.
        n: frames, augmented copies of the dataset included.
        synthetic_signers: number of synthetic signers that were added.
        starter_signers: signers of the starter model, if training started from it.
        validation_signers: signers whose frames decided when training stopped.
    """

    signers: list[str] = []
    letters: list[str] = []
    n: int = 0
    synthetic_signers: int = 0
    starter_signers: list[str] = []
    validation_signers: list[str] = []

    @property
    def all_signers(self) -> set[str]:
        """Everybody whom training used, also that of the starter model that it started from."""
        return {*self.signers, *self.starter_signers, *self.validation_signers}


class SignerOutlierMetrics(Struct, kw_only=True):
    """A letter that one signer forms unlike the others; see `train.evaluation.signer_outliers.SignerOutlier`."""

    signer: str
    letter: str
    distance: float
    usual: float
    looks_like: tuple[str, str]
    nearness: float
    stray: float
    key: str
    other_key: str
    text: str


class FoldMetrics(AccuracyMetrics, kw_only=True):
    """Metrics of one held-out signer, session or block."""

    name: str


class CrossValidationMetrics(Struct, kw_only=True):
    """Metrics of a cross-validation.

    Attributes:
        by: what was held out in each fold.
        note: why `by` differs from what was asked for; empty if it does not.
        mean: of the folds' accuracies, each fold weighted equally.
        interval: confidence interval of the mean, low and high; null with fewer than two folds.
        level: of the interval, 0–1.
        folds: one for each signer, session or block.
        seconds: that training and measuring took.
    """

    by: SplitUnit | None
    note: str = ""
    mean: float | None
    interval: tuple[float, float] | None = None
    level: float = 0.95
    folds: list[FoldMetrics] = field(name="each")
    seconds: float | None = None


class CurvePoint(Struct, kw_only=True):
    """Mean accuracy on held-out signers, and that of each training, with `n` signers or images to train on."""

    n: int
    mean: float
    accuracies: list[float] = field(name="each")


class Extrapolation(Struct, kw_only=True):
    """Expected accuracy with `n` signers if the error keeps falling as a power of their number."""

    n: int
    accuracy: float
    exponent: float


class LearningCurve(Struct, kw_only=True):
    """Accuracy by number of signers and by number of images; `more` is null if nothing can be extrapolated."""

    signers: list[CurvePoint]
    images: list[CurvePoint]
    more: Extrapolation | None = None


class Candidate(Struct, kw_only=True):
    """One candidate of the model selection: cross-validated accuracy on the training signers only."""

    feature: str
    architecture: str
    start: str
    by: SplitUnit
    mean: float
    accuracies: dict[str, float] = field(name="each")


class ScratchMetrics(Struct, kw_only=True):
    """The same training from random initial weights: accuracy, and epochs (null with cross-validation)."""

    accuracy: float | None
    epochs: int | None = None


class TransferMetrics(Struct, kw_only=True):
    """What pre-trained initial weights changed; `from_scratch` is null if the comparison was interrupted."""

    start: str
    epochs: int | None = None
    from_scratch: ScratchMetrics | None = None


class EvaluationOf(Struct, kw_only=True):
    """Which run was evaluated, and on which signers of its training set, if there were no others."""

    run: str
    training_signers: list[str] = field(name="trained_on_too")


_OPTIONAL: Final = ("cv", "curve", "transfer", "evaluated", "motion")
"""Keys that the file does not have if there is nothing to say: scripts test for their presence."""

_SAME_SIGNERS_KEY: Final = "same_signers"
"""Key of `RunMetrics.unseen` if the model was trained on the signers of the test set, so that they are not unseen.
Earlier versions wrote "unseen" in this case as well."""


class MotionMetrics(Struct, kw_only=True):
    """How the network for drawn letters, J and Z, was trained and measured.

    Attributes:
        clips: recorded clips that it was trained on, in addition to synthetic signers.
        negatives: recorded movements that are no letter.
        signers: signers of the clips.
        tested: held-out clips by letter, and movements of held-out signers that are no letter by "none".
        right: those of which the letter, and no other one, was read by 0.3 s after the movement; of "none", those in
            which no letter was read. A clip without hands is wrong.
        unseen: whether none of the tested signers was trained on.
    """

    clips: int = 0
    negatives: int = 0
    signers: list[str] = []
    tested: dict[str, int] = {}
    right: dict[str, int] = {}
    unseen: bool = True


class RunMetrics(Struct, kw_only=True):
    """metrics.json of a training run or of one of its evaluations.

    Attributes:
        synthetic: whether all test signers are synthetic.
        unseen: metrics on the test set, whether its signers are unseen or not (see `is_unseen`).
        random_split: metrics of the same training on a random split, which leaks; optimistic.
        validation: metrics on the validation set, which shares its signers with the training set.
        signer_outliers, confusable, confusions, record_next: what to look at and to record next.
        duplicate_signers: warnings about signers who may be one person.
        candidates: of the model selection, best first; empty if feature and architecture were given.
        quick: whether the trainings that only serve for comparison were omitted.
        stopped: why training ended early; empty if it did not.
        cv, curve, transfer, evaluated: only if asked for.
        command: that reproduces the run.
    """

    aslkit: str | None = None
    dataset: str | None = None
    feature: str | None = None
    architecture: str | None = None
    seed: int | None = None
    fit_s: float | None = None
    epoch_s: float | None = None
    epochs: int | None = None
    stopped: str = ""
    quick: bool = False
    trained_on: TrainingData = field(default_factory=TrainingData)
    environment: Environment = field(default_factory=Environment)
    synthetic: bool = False
    unseen: HeldOutMetrics
    confusions: list[Confusion] = field(name="mistakes", default_factory=list)
    signer_outliers: list[SignerOutlierMetrics] = field(name="forms", default_factory=list)
    record_next: list[PlannedLetter] = []
    confusable: list[ConfusionGroup] = []
    rejection: RejectionMetrics | None = None
    random_split: AccuracyMetrics | None = None
    duplicate_signers: list[str] = field(name="people_alike", default_factory=list)
    validation: AccuracyMetrics | None = None
    candidates: list[Candidate] = field(name="tried", default_factory=list)
    command: str = ""
    cv: CrossValidationMetrics | None = None
    curve: LearningCurve | None = None
    transfer: TransferMetrics | None = None
    evaluated: EvaluationOf | None = None
    motion: MotionMetrics | None = None

    @property
    def headline_accuracy(self) -> float | None:
        """The accuracy to report: the mean of the cross-validation, or else that on the test set."""
        return self.unseen.accuracy if self.cv is None else self.cv.mean

    @property
    def is_unseen(self) -> bool:
        """Whether the model was trained on none of the signers of the test set."""
        return not self.unseen.same_signers and not (self.evaluated and self.evaluated.training_signers)

    @property
    def single_signer(self) -> bool:
        """Whether nobody else recorded: a random split then measures the same as the test set."""
        return self.unseen.same_signers and len({*self.unseen.held_out, *self.trained_on.signers}) < 2

    def to_dict(self) -> dict[str, Any]:
        """Return the content of metrics.json."""
        values = msgspec.json.decode(msgspec.json.encode(self), type=dict[str, Any])
        names = {} if self.is_unseen else {"unseen": _SAME_SIGNERS_KEY}
        return {
            names.get(key, key): value for key, value in values.items() if key not in _OPTIONAL or value is not None
        }

    def to_json(self) -> str:
        """Return the text of metrics.json."""
        return msgspec.json.format(msgspec.json.encode(self.to_dict()), indent=2).decode() + "\n"


def read_metrics(run: Path) -> RunMetrics | BenchmarkMetrics | None:
    """Read and validate metrics.json, which another person may have written.

    Args:
        run: the folder of a run, an evaluation or a benchmark.

    Returns:
        None if the folder has no metrics.json.

    Raises:
        AslkitError: the file cannot be read or is not valid.
    """
    path = run / METRICS_FILE
    try:
        data = path.read_bytes()
        keys = msgspec.json.decode(data, type=dict[str, msgspec.Raw])
        if _SAME_SIGNERS_KEY in keys:
            keys["unseen"] = keys.pop(_SAME_SIGNERS_KEY)
            data = msgspec.json.encode(keys)
        if "unseen" in keys:
            return msgspec.json.decode(data, type=RunMetrics)
        return msgspec.json.decode(data, type=BenchmarkMetrics)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise AslkitError(f"{path} is damaged ({error}). Train again, or copy the whole run folder.") from error


def read_training_signers(run: Path) -> set[str]:
    """Return the signers that a run was trained on; empty if its metrics.json is missing.

    Raises:
        AslkitError: metrics.json is damaged.
    """
    metrics = read_metrics(run)
    return metrics.trained_on.all_signers if isinstance(metrics, RunMetrics) else set()


def read_training_letters(run: Path) -> tuple[str, ...]:
    """Return the letters that a run was trained on, sorted; empty if its metrics.json is missing.

    Raises:
        AslkitError: metrics.json is damaged.
    """
    metrics = read_metrics(run)
    return tuple(sorted(metrics.trained_on.letters)) if isinstance(metrics, RunMetrics) else ()
