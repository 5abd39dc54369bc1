"""Train one model on the training rows, with early stopping on the validation rows. Test rows are not used."""

import hashlib
import json
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Final

import numpy as np

from aslkit.core.letters import LETTERS
from aslkit.core.native_libraries import import_keras
from aslkit.inference.starter import STARTER_NAME
from aslkit.train.config import TrainConfig
from aslkit.train.data.features import Feature, InputPart
from aslkit.train.data.input_checks import check_trainable
from aslkit.train.data.samples import Samples
from aslkit.train.data.synthetic_signers import uses_synthetic_signers
from aslkit.train.engine.checkpoints import CheckpointStore
from aslkit.train.engine.devices import iter_layers
from aslkit.train.engine.train_network import ONE_PROCESS, NetworkTraining, TrainingResources
from aslkit.train.engine.training_loop import NonFiniteError, Schedule
from aslkit.train.engine.training_rows import TrainingRows
from aslkit.train.engine.training_state import TrainingState
from aslkit.train.fitting import transfer
from aslkit.train.fitting.architectures import build_ensemble, build_network, input_range
from aslkit.train.fitting.balanced_data import balanced_rows, list_variants
from aslkit.train.fitting.tensorboard import write_scalars


@dataclass(frozen=True, kw_only=True)
class FitResult:
    """A trained network.

    Attributes:
        model: keras.Model with the weights of the epoch with the lowest validation loss; of the last epoch without
            validation rows.
        history: one row per epoch: epoch, loss, accuracy, precision, recall, seconds, and, with validation rows, the
            same with the prefix val_.
        stopped: why training ended early, other than for lack of progress; empty if it did not.
        fit_s: duration of all epochs, seconds.
        epoch_s: median duration of an epoch, seconds.
    """

    model: Any
    history: list[dict[str, float]]
    fit_s: float
    epoch_s: float
    stopped: str


_NORMALIZATION_ROWS: Final = 32_768
"""Rows from which the mean and standard deviation of the inputs are computed, at most; bounds the memory."""


def fit(
    samples: Samples,
    feature: Feature,
    config: TrainConfig,
    *,
    title: str = "Training",
    keep_on_interrupt: bool = False,
    resources: TrainingResources = ONE_PROCESS,
) -> FitResult:
    """Train `config.architecture` on the training rows in which a hand was found.

    Args:
        samples: the dataset. Only its training and validation rows are used.
        feature: input of the model.
        config: the settings.
        title: title of the progress bar.
        keep_on_interrupt: on Ctrl-C, return the best epoch so far. If False, or before the end of the first epoch,
            KeyboardInterrupt is raised.
        resources: checkpoints, TensorBoard logs and number of processes. The folder of the checkpoints is named by a
            digest of data and settings.

    Raises:
        AslkitError: too few frames to train on, no epoch with a finite loss, a rank failed, or TensorFlow is not
            installed.
    """
    import_keras(exact=resources.ranks == 1).utils.set_random_seed(config.seed)
    check_trainable(samples)
    network, model = build_ensemble(
        config.architecture, feature.contract.shape, len(LETTERS), members=config.members, parts=feature.parts,
        rest_class=uses_synthetic_signers(samples, feature, config),
        # Averaging with the unchanged starter keeps most of its accuracy on other people.
        extra=_build_starters(feature) if config.start == STARTER_NAME else (),
    )  # fmt: skip
    rows = balanced_rows(samples, feature, config)
    variants = list_variants(feature, config, rows.train.count)
    store = resources.open_store(_digest(rows, feature, config)) if resources.checkpoints else None
    training = NetworkTraining(
        network=network, rows=rows, schedule=_make_schedule(feature, config, len(variants)), variants=variants,
        to_inputs=feature.to_inputs, seed=config.seed, title=title, store=store, ranks=resources.ranks,
        on_epoch=write_scalars(resources.logs) if resources.logs else lambda row: None,
    )  # fmt: skip
    state = store.load() if store else TrainingState()
    _initialise(training, feature, config, resumed=bool(state.history))
    stopped = _run(training, state, keep_on_interrupt=keep_on_interrupt)
    seconds = [row["seconds"] for row in state.history]
    return FitResult(
        model=model,
        history=state.history,
        fit_s=float(np.sum(seconds)),
        epoch_s=float(np.median(seconds)),
        stopped=stopped,
    )


def _initialise(training: NetworkTraining, feature: Feature, config: TrainConfig, *, resumed: bool) -> None:
    """Set the initial weights of the network."""
    members = [layer for layer in training.network.layers if hasattr(layer, "layers")]
    if config.start == STARTER_NAME:
        for member in members:
            transfer.copy_starter(member)
    else:
        _adapt_normalization(training)
    if config.start_model is not None and not resumed:
        source = transfer.load_start_model(config.start_model)
        _train_other_layers(
            training, [each for member in members for each in transfer.transfer_weights(source, member)]
        )


def _run(training: NetworkTraining, state: TrainingState, *, keep_on_interrupt: bool) -> str:
    """Train from a state, and set the network's weights to those of the best epoch.

    Returns:
        Why training ended early, other than for lack of progress; "" if it did not.
    """
    stopped, epochs = "", training.schedule.epochs
    try:
        if not state.is_finished(epochs=epochs, patience=training.schedule.patience):
            training.run(state)
    except KeyboardInterrupt:
        if not keep_on_interrupt or not state.history:
            raise
        stopped = f"Interrupted after {len(state.history)} of {epochs} epochs; the best epoch is kept."
    except NonFiniteError as error:
        if not state.history:
            raise
        stopped = error.message
    training.network.set_weights(state.best)
    return stopped


def _make_schedule(feature: Feature, config: TrainConfig, variants: int) -> Schedule:
    rate = config.learning_rate
    if config.start == STARTER_NAME:
        # With fewer copies an epoch has fewer steps, so each is longer.
        rate *= transfer.STARTER_RATE * (feature.copies + 1) / variants
    shared = {each.name: getattr(config, each.name) for each in fields(Schedule) if hasattr(config, each.name)}
    return Schedule(**shared | {"learning_rate": rate}, warmup_epochs=0.0, cosine=True)


def _adapt_normalization(training: NetworkTraining) -> None:
    """Set mean and standard deviation of the Normalization layers to those of inputs of an epoch.

    Of more than _NORMALIZATION_ROWS rows, every second, third … is used.
    """
    members = [layer for layer in training.network.layers if hasattr(layer, "layers")]
    adapted = [(member, each) for member in members for each in iter_layers(member) if hasattr(each, "adapt")]
    if adapted:
        stream, rng = training.rows.train, np.random.default_rng([training.seed, 0])
        step = max(1, -(-stream.count // _NORMALIZATION_ROWS))
        images = np.concatenate([part.images[::step] for part in stream.portions()])
        inputs = np.concatenate([vary(images, rng) for vary in training.variants])
        for member, layer in adapted:
            layer.adapt(inputs[:, input_range(member)])


def _train_other_layers(training: NetworkTraining, transferred: list[Any]) -> None:
    """Train only the randomly initialised layers for a few epochs."""
    for layer in transferred:
        layer.trainable = False
    schedule = replace(training.schedule, epochs=transfer.FROZEN_EPOCHS, patience=0, cosine=False)
    store = CheckpointStore(url=f"{training.store.url}/frozen") if training.store and training.ranks > 1 else None
    state = TrainingState()
    replace(training, schedule=schedule, title="", store=store, on_epoch=lambda row: None).run(state)
    for layer in transferred:
        layer.trainable = True


def _digest(rows: TrainingRows, feature: Feature, config: TrainConfig) -> str:
    """Return a name that is equal for trainings with the same data and settings, and hence the same result."""
    settings = json.dumps([asdict(config), asdict(feature.contract), feature.copies], default=str)
    digest = hashlib.sha256(settings.encode())
    for stream in (rows.train, rows.validation):
        for part in stream.portions():
            for values in (part.images, part.label, part.weight):
                digest.update(np.ascontiguousarray(values).data)
    return digest.hexdigest()[:16]


def _build_starters(feature: Feature) -> list[Any]:
    """Return the starter model's network for each part of a feature."""
    shape = feature.contract.shape
    parts = feature.parts or [InputPart(0, shape[0], feature.architecture)]
    networks = [build_network(part, shape, len(LETTERS) + 1) for part in parts]
    for network in networks:
        transfer.copy_starter(network)
        network.trainable = False
    return networks
