"""Batches of each epoch: the training samples, their augmented copies, and synthetic signers."""

from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from aslkit.core.letters import LETTERS
from aslkit.core.workspace import SYNTHETIC_PREFIX
from aslkit.inference.starter import STARTER_NAME
from aslkit.train.config import TrainConfig
from aslkit.train.data.features import Feature
from aslkit.train.data.samples import Samples
from aslkit.train.data.synthetic_signers import synthetic_samples, uses_synthetic_signers
from aslkit.train.fitting.transfer import STARTER_REHEARSAL
from aslkit.vision.preprocess import Array

MIRRORED_SHARE: Final = 0.5
"""Share of the augmented copies that is mirrored, if the model should recognise both hands."""


def balanced_epoch(
    keras: Any, samples: Samples, train: npt.NDArray[np.int64], feature: Feature, config: TrainConfig
) -> Any:
    """Return the training samples and their augmented copies as a keras.utils.PyDataset, augmented again in each epoch.

    All signers have the same total weight in the loss, however many frames they recorded, because the model is meant
    for unseen signers. Synthetic signers together, with letters and rest poses, weigh as one signer. An epoch depends
    only on the seed and its number.

    Call `start_epoch(epoch)`, with epochs from 0, before each epoch: Keras calls `on_epoch_end` of a dataset twice in
    the first epoch, so it cannot be used to count them. A background thread augments the next epoch while the network
    trains.

    Args:
        keras: the keras module.
        samples: the dataset.
        train: rows to train on, int64 (n,).
        feature: input of the model.
        config: the settings.
    """
    hands, label, signer = samples.hands[train], samples.label[train], samples.signer[train]
    rest_class = uses_synthetic_signers(samples, feature, config)
    if rest_class:
        synthetic_hands, synthetic_label = _select_synthetic(label, feature, config)
        hands, label = np.concatenate([hands, synthetic_hands]), np.concatenate([label, synthetic_label])
        signer = np.concatenate([signer, np.full(len(synthetic_hands), SYNTHETIC_PREFIX)])
    label = np.tile(label, feature.copies + 1)
    weight = np.tile(_signer_weights(signer), feature.copies + 1)
    mirrored_share = MIRRORED_SHARE if config.both_hands else 0.0
    executor = ThreadPoolExecutor(max_workers=1)

    def augment(epoch: int) -> tuple[Array, npt.NDArray[np.int64]]:
        """Return the inputs of an epoch, and their order."""
        # One generator per epoch: a resumed training sees the same copies as one that was not interrupted.
        rng = np.random.default_rng([config.seed, epoch])
        copies = [feature.augment(hands, mirrored_share, rng) for _ in range(feature.copies)]
        return feature.to_inputs(np.concatenate([hands, *copies])), rng.permutation(len(label))

    class EpochBatches(keras.utils.PyDataset):  # type: ignore[misc]
        """Batches of the current epoch."""

        def __init__(self) -> None:
            super().__init__()
            self.pending: dict[int, Future[tuple[Array, npt.NDArray[np.int64]]]] = {}
            self.epoch = -1
            self.start_epoch(0)

        def __len__(self) -> int:
            return int(np.ceil(len(label) / config.batch_size))

        def __getitem__(self, index: int) -> tuple[Array, Array, Array]:
            rows = self.order[index * config.batch_size : (index + 1) * config.batch_size]
            targets = member_targets(label[rows], config.members, rest_class=rest_class)
            # The weight is (n, 1), which Keras broadcasts over the members.
            return self.inputs[rows], targets, weight[rows, None]

        def start_epoch(self, epoch: int) -> None:
            if epoch == self.epoch:
                return
            ready = self.pending.pop(epoch, None)
            self.inputs, self.order = augment(epoch) if ready is None else ready.result()
            # Only one epoch ahead, because each one holds all augmented inputs in memory.
            self.pending = {epoch + 1: executor.submit(augment, epoch + 1)} if epoch + 1 < config.epochs else {}
            self.epoch = epoch

    return EpochBatches()


def _select_synthetic(
    label: npt.NDArray[np.int64], feature: Feature, config: TrainConfig
) -> tuple[Array, npt.NDArray[np.int64]]:
    """Return synthetic hands and their labels: all of them, or a random part when adapting the starter model."""
    hands, synthetic_label = synthetic_samples(np.unique(label), feature.contract)
    most = max(STARTER_REHEARSAL, len(label))
    if config.start != STARTER_NAME or len(synthetic_label) <= most:
        return hands, synthetic_label
    selected = np.random.default_rng(config.seed).choice(len(synthetic_label), most, replace=False)
    return hands[selected], synthetic_label[selected]


def member_targets(label: npt.NDArray[np.int64], members: int, *, rest_class: bool) -> Array:
    """Return one-hot targets, float32 (n, members, 24), or 25 with `rest_class`, the last one for rest poses.

    Args:
        label: index of the letter, int64 (n,), NO_LETTER for rest poses.
        members: number of networks; all have the same targets.
        rest_class: whether the networks have a class for rest poses.
    """
    one_hot = np.eye(len(LETTERS) + int(rest_class), dtype=np.float32)
    return np.repeat(one_hot[label][:, None], members, axis=1)


def _signer_weights(signer: npt.NDArray[np.str_]) -> Array:
    _, index, counts = np.unique(signer, return_inverse=True, return_counts=True)
    # Sums to the same value for each signer, and is 1 on average, so that the learning rate keeps its meaning.
    weights: Array = (len(signer) / (len(counts) * counts[index])).astype(np.float32)
    return weights
