"""Train on a dataset and write a run folder: model, metrics on unseen signers, report."""

import shutil
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from aslkit import __version__
from aslkit.core.errors import InputError
from aslkit.core.files import atomic_write
from aslkit.core.installation import require_modules
from aslkit.core.letters import LETTERS
from aslkit.core.progress import OnMessage
from aslkit.core.workspace import Workspace
from aslkit.datasets import duplicate_signers, parquet_store
from aslkit.datasets.clips import load_clips
from aslkit.datasets.split import By
from aslkit.formats.prediction_metrics import RejectionMetrics
from aslkit.formats.run_metrics import (
    Candidate,
    CrossValidationMetrics,
    LearningCurve,
    RunMetrics,
    SignerOutlierMetrics,
    TrainingData,
    read_training_signers,
)
from aslkit.inference.starter import STARTER_NAME, STARTER_RUN
from aslkit.synthetic.landmark_dataset import SIGNERS
from aslkit.train.baselines import TrainingContext, calibrate_model, random_split_baseline, transfer_metrics
from aslkit.train.config import AUTO, TrainConfig
from aslkit.train.data import samples as data
from aslkit.train.data.features import get_feature
from aslkit.train.data.input_checks import check_trainable, dataset_warnings
from aslkit.train.data.recorded_negatives import load_recorded_negatives
from aslkit.train.data.synthetic_signers import uses_synthetic_signers
from aslkit.train.engine.devices import limit_threads
from aslkit.train.engine.train_network import TrainingResources
from aslkit.train.evaluation import learning_curve
from aslkit.train.evaluation.calibration import Calibration
from aslkit.train.evaluation.confusions import confused_pairs, list_mistakes
from aslkit.train.evaluation.cross_validation import CrossValidation, cross_validate, summarise_folds
from aslkit.train.evaluation.predictions import (
    EMPTY_PREDICTIONS,
    Predictions,
    are_synthetic,
    held_out_metrics,
    list_signers,
    measure_predictions,
    predict,
    top_confusions,
)
from aslkit.train.evaluation.recommendations import make_plan
from aslkit.train.evaluation.rejection import predict_negatives, rejection_metrics
from aslkit.train.evaluation.signer_outliers import SignerOutlier, find_signer_outliers
from aslkit.train.fitting.architectures import get_architecture
from aslkit.train.fitting.fit import FitResult, fit
from aslkit.train.fitting.initial_weights import resolve_start, without_paths
from aslkit.train.motion_network import train_motion
from aslkit.train.reporting.environment import describe_environment, reproduce_command
from aslkit.train.reporting.resume import open_run_folder
from aslkit.train.reporting.write_run import FinishedRun, write_run
from aslkit.train.select_model import select_model
from aslkit.vision.preprocess import Array


@dataclass(frozen=True, kw_only=True)
class TrainResult:
    """A finished run: its folder and the content of its metrics.json."""

    folder: Path
    metrics: RunMetrics


@dataclass(frozen=True, kw_only=True)
class _TrainRequest:
    """The arguments of `train`; `run` is the name of the run's folder."""

    run: str
    dataset: Path
    runs: Path
    hold_out: Sequence[str]
    cv: By | None
    curve: bool
    quick: bool
    ranks: int
    captures: Path | None
    on_message: OnMessage


def train(
    dataset: Path,
    *,
    runs: Path,
    config: TrainConfig,
    hold_out: Sequence[str] = (),
    cv: By | None = None,
    curve: bool = False,
    quick: bool = False,
    captures: Path | None = None,
    resume: Path | None = None,
    tensorboard: bool = False,
    ranks: int = 1,
    master: str = "local[*]",
    checkpoints: str = "",
    on_message: OnMessage = lambda text: None,
) -> TrainResult:
    """Train on a dataset's train split, measure on its test split, and compare with a random split.

    With `cv`, each signer (session, block) is held out in turn and measured by a model that was not trained on them.
    The model that the run keeps is then trained on all of them.

    Args:
        dataset: folder of the dataset.
        runs: folder in which the run's folder is created, and in which pre-trained benchmark models are searched.
        config: the settings. Architecture "auto" is the feature's default, start "auto" the best model of the newest
            benchmark.
        hold_out: signers to test on, instead of the dataset's own test split.
        cv: what to hold out in turn: "signer", "session" or "block"; None for a single test.
        curve: also train on fewer signers and on fewer images; requires `cv` "signer".
        quick: omit the trainings that only serve for comparison: on a random split and from scratch.
        captures: captures folder of a workspace, with frames recorded without a letter, if there are any.
        resume: folder of an interrupted run to continue. Trainings with the same settings are not repeated.
        tensorboard: write TensorBoard logs of the final model into the run's folder.
        ranks: number of processes. More than one are started by Horovod on Spark.
        master: Spark master URL, for several ranks.
        checkpoints: folder or URL that all ranks can read and write; "" for a subfolder of the run's folder.
        on_message: called with warnings before training, and with how to resume after an interruption.

    Raises:
        InputError: no such dataset, feature, architecture or signer; too few signers for a learning curve; nothing to
            resume.
        AslkitError: too few frames to train on, or TensorFlow is not installed.
    """
    require_modules("keras", "tensorflow", extra="train", purpose="Training")
    _check_arguments(hold_out, cv, curve, quick, config)
    if config.feature == "both" and not parquet_store.read_facts(dataset).get("pixels", True):
        on_message("The dataset has landmarks but no images, so the model is trained on landmarks alone.")
        config = replace(config, feature="landmarks")
    if config.feature == AUTO:
        name = f"{dataset.name}-{AUTO}"
    else:
        signers = parquet_store.read_dataset(dataset, ["signer"]).column("signer").unique().to_pylist()
        config = resolve_start(config, get_feature(config.feature), runs, on_message, signers=signers)
        name = f"{dataset.name}-{config.feature}-{config.architecture}"
    with (
        _open_spark(ranks, master),
        open_run_folder(
            runs, name, resume=resume, tensorboard=tensorboard, ranks=ranks, checkpoints=checkpoints,
            on_message=on_message,
        ) as (folder, resources),
    ):  # fmt: skip
        request = _TrainRequest(
            run=folder.name, dataset=dataset, runs=runs, hold_out=hold_out, cv=cv, curve=curve, quick=quick,
            ranks=ranks, captures=captures, on_message=on_message,
        )  # fmt: skip
        finished = _run(request, config, resources)
        with atomic_write(folder) as partial:
            write_run(partial, finished, dataset=dataset)
            if (
                resources.logs is not None and resources.logs.is_dir()
            ):  # absent if every training was resumed as finished
                shutil.copytree(resources.logs, partial / resources.logs.name)
    return TrainResult(folder=folder, metrics=finished.metrics)


def _open_spark(ranks: int, master: str) -> AbstractContextManager[Any]:
    if ranks == 1:
        return nullcontext()
    from aslkit.train.engine.training_session import training_session

    return training_session(master, ranks=ranks)


def _check_arguments(hold_out: Sequence[str], cv: By | None, curve: bool, quick: bool, config: TrainConfig) -> None:
    """Raise InputError if an argument is invalid or two of them exclude each other."""
    if config.architecture != AUTO:
        get_architecture(config.architecture)
    if hold_out and cv:
        raise InputError("--cv holds out every signer in turn. Give --cv or --hold-out, not both.")
    if curve and cv != "signer":
        raise InputError("--curve requires --cv signer.")
    if curve and quick:
        raise InputError("--quick omits comparisons, and --curve adds some. Give --quick or --curve, not both.")
    if cv and config.feature == AUTO:
        raise InputError(
            "--cv needs a named --feature: selecting one on the held-out signers would make the result optimistic."
        )


def _run(request: _TrainRequest, config: TrainConfig, resources: TrainingResources) -> FinishedRun:
    """Train and measure everything that was requested."""
    candidates: list[Candidate] = []
    selected: data.Samples | None = None
    if config.feature == AUTO:
        config, candidates, selected = select_model(
            request.dataset, config, hold_out=request.hold_out, runs=request.runs, on_message=request.on_message,
            resources=resources,
        )  # fmt: skip
    feature, cv = get_feature(config.feature), request.cv
    # Load, split and check the data before the first training, which can take long.
    duplicates = duplicate_signers.duplicate_signer_warnings(
        parquet_store.iter_row_groups(request.dataset, duplicate_signers.COLUMNS)
    )
    whole = selected or data.load_samples(
        request.dataset, feature.contract, views=feature.views, cache=Workspace(root=request.runs.parent).embeddings
    )
    if request.curve:
        learning_curve.check_enough_signers(whole)
    _check_has_frames(whole, request)
    samples = _split_samples(whole, config, request.hold_out, cv)
    check_trainable(samples)
    recorded = load_recorded_negatives(request.captures, feature.contract) if request.captures else {}
    for text in (*(dataset_warnings(samples) if not cv else ()), *duplicates):
        request.on_message(text)
    if feature.contract.kind != "pixels" and not candidates:  # with candidates, other networks were already trained
        limit_threads(1)
    context = TrainingContext(samples=samples, feature=feature, config=config, resources=resources)
    # Train: first the models of the folds, then the one that the run keeps.
    folds = cross_validate(whole, feature, config, cv, recorded=recorded, resources=resources) if cv else None
    fitted = fit(samples, feature, config, title="Training", keep_on_interrupt=True, resources=resources)
    predictions = folds.predictions if folds else predict(fitted.model, samples, feature, split="test")
    calibration, rejection = _calibrate(fitted, context, folds, predictions, recorded)
    motion = train_motion(
        request.dataset, captures=request.captures, hold_out=request.hold_out, test=cv is None, seed=config.seed,
        on_message=request.on_message,
    )  # fmt: skip
    outliers = find_signer_outliers(samples)
    cv_metrics = summarise_folds(folds, seed=config.seed) if folds else None
    compare = not fitted.stopped and not request.quick
    # If nobody else recorded, a random split measures the same as the test set.
    several = len(np.unique(whole.signer)) > 1
    random = random_split_baseline(whole, context) if compare and several else EMPTY_PREDICTIONS
    metrics = RunMetrics(
        aslkit=__version__,
        dataset=request.dataset.name,
        feature=config.feature,
        architecture=config.architecture,
        seed=config.seed,
        fit_s=round(fitted.fit_s, 3),
        epoch_s=round(fitted.epoch_s, 3),
        epochs=len(fitted.history),
        stopped=fitted.stopped,
        trained_on=_training_data(context),
        environment=describe_environment(),
        synthetic=are_synthetic(list_signers(predictions)),
        unseen=held_out_metrics(predictions, by=folds.by if folds else samples.by),
        confusions=top_confusions(predictions),
        signer_outliers=[_outlier_metrics(outlier) for outlier in outliers],
        record_next=make_plan(whole, predictions, outliers),
        confusable=confused_pairs(predictions, list_mistakes(predictions)),
        rejection=rejection,
        random_split=measure_predictions(random).summary(),
        duplicate_signers=duplicates,
        validation=measure_predictions(predict(fitted.model, samples, feature, split="validation")).summary(),
        candidates=candidates,
        quick=request.quick,
        command=_command(request),
        cv=cv_metrics,
        curve=_learning_curve(whole, context, cv_metrics) if cv_metrics and request.curve else None,
        transfer=transfer_metrics(whole, context, fitted, runs=request.runs, cv=cv, compare=compare),
        motion=motion.metrics,
    )
    return FinishedRun(
        fitted=fitted,
        contract=replace(feature.contract, **asdict(calibration), motion=motion.contract),
        config=without_paths(config, request.runs),
        metrics=metrics,
        predictions=predictions,
        motion_network=motion.network,
    )


def _split_samples(whole: data.Samples, config: TrainConfig, hold_out: Sequence[str], cv: By | None) -> data.Samples:
    """Return the split on which the final model is trained.

    Raises:
        InputError: a signer to hold out is unknown, or has no frames of static letters.
    """
    if cv:
        return data.train_on_all(whole, config)
    return data.hold_out_signers(whole, hold_out, config) if hold_out else whole


def _check_has_frames(whole: data.Samples, request: _TrainRequest) -> None:
    """Raise InputError if a signer to hold out has only clips, so that there is nothing to measure the model on."""
    missing = set(request.hold_out) - set(whole.signer.tolist())
    only_clips = sorted(missing & {clip.signer for clip in load_clips(request.dataset)}) if missing else []
    if only_clips:
        raise InputError(
            f"{', '.join(only_clips)} has only clips of J and Z in this dataset, and no images of the other letters to "
            "measure the model on. Hold out a signer with images; clips are held out with their signer."
        )


def _calibrate(
    fitted: FitResult,
    context: TrainingContext,
    folds: CrossValidation | None,
    predictions: Predictions,
    recorded: Mapping[str, Array],
) -> tuple[Calibration, RejectionMetrics]:
    """Choose temperature and threshold, and measure both on signers that had no part in the choice."""
    if folds is not None:
        chosen = folds.calibrate()
        return chosen, rejection_metrics(folds.calibrated_tests(), chosen, chosen_on="signers held out in turn")
    chosen, chosen_on = calibrate_model(fitted, context, recorded)
    negatives = predict_negatives(
        fitted.model, context.samples, context.feature, split="test", seed=context.config.seed, recorded=recorded
    )
    return chosen, rejection_metrics([(predictions, negatives, chosen)], chosen, chosen_on=chosen_on)


def _learning_curve(whole: data.Samples, context: TrainingContext, folds: CrossValidationMetrics) -> LearningCurve:
    accuracies = {fold.name: fold.accuracy or 0.0 for fold in folds.folds}
    return learning_curve.learning_curve(
        whole, context.feature, context.config, full=accuracies, resources=context.resources
    )


def _command(request: _TrainRequest) -> str:
    return reproduce_command(
        request.dataset,
        request.run,
        workspace=request.runs.parent,
        hold_out=request.hold_out,
        cv=request.cv,
        curve=request.curve,
        quick=request.quick,
        ranks=request.ranks,
    )


def _training_data(context: TrainingContext) -> TrainingData:
    samples = context.samples
    rows = samples.split == "train"
    return TrainingData(
        signers=sorted(set(samples.signer[rows].tolist())),
        letters=[LETTERS[index] for index in np.unique(samples.label[rows])],
        n=int(rows.sum()),
        synthetic_signers=SIGNERS if uses_synthetic_signers(samples, context.feature, context.config) else 0,
        starter_signers=sorted(read_training_signers(STARTER_RUN)) if context.config.start == STARTER_NAME else [],
        validation_signers=sorted(set(samples.signer[samples.split == "validation"].tolist())),
    )


def _outlier_metrics(outlier: SignerOutlier) -> SignerOutlierMetrics:
    return SignerOutlierMetrics(**asdict(outlier), text=outlier.text)
