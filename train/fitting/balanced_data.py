"""The training data of a dataset, with synthetic signers, in which all signers have the same weight."""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from aslkit.core.workspace import SYNTHETIC_PREFIX
from aslkit.inference.starter import STARTER_NAME
from aslkit.train.config import TrainConfig
from aslkit.train.data.features import Feature
from aslkit.train.data.samples import Samples
from aslkit.train.data.synthetic_signers import SyntheticHands, synthetic_samples, uses_synthetic_signers
from aslkit.train.engine.epoch_batches import Variant
from aslkit.train.engine.training_rows import Rows, RowStream, TrainingRows
from aslkit.train.fitting.transfer import STARTER_EPOCH_ROWS, STARTER_REHEARSAL
from aslkit.vision.preprocess import Array

MIRRORED_SHARE: Final = 0.5
"""Share of the augmented copies that is mirrored, if the model should recognise both hands."""


_PORTION_BYTES: Final = 16 * 2**20
"""Size of the rows that are read at once."""


def balanced_rows(samples: Samples, feature: Feature, config: TrainConfig) -> TrainingRows:
    """Return the training and validation rows in which a hand was found, and synthetic signers.

    All signers have the same total weight in the loss, however many frames they recorded, because the model is meant
    for unseen signers. Synthetic signers together, with letters and rest poses, weigh as one signer. The class of rest
    poses comes after the letters.

    Args:
        samples: the dataset. Only its training and validation rows are used.
        feature: input of the model.
        config: the settings.
    """
    train, validation = (
        np.flatnonzero((samples.split == name) & samples.hand_found) for name in ("train", "validation")
    )
    synthetic, signer = None, samples.signer[train]
    if uses_synthetic_signers(samples, feature, config):
        synthetic = _select_synthetic(samples.label[train], feature, config)
        signer = np.concatenate([signer, np.full(len(synthetic.label), SYNTHETIC_PREFIX, object)])
    return TrainingRows(
        train=_stream_rows(samples, train, _signer_weights(signer), synthetic),
        validation=_stream_rows(samples, validation, np.ones(len(validation), np.float32)),
    )


def _stream_rows(
    samples: Samples,
    frames: npt.NDArray[np.int64],
    weight: Array,
    synthetic: SyntheticHands | None = None,
) -> RowStream:
    """Return a stream of frames, and of synthetic hands after them. Weights are for both."""
    row_bytes = 4 * int(np.prod(samples.hands.shape[1:]))
    size = max(1, _PORTION_BYTES // row_bytes)

    def portions() -> Iterator[Rows]:
        for start in range(0, max(1, len(frames)), size):
            part = slice(start, min(start + size, len(frames)))
            yield Rows(images=samples.read_hands(frames[part]), label=samples.label[frames[part]], weight=weight[part])
        if synthetic is None:
            return
        for start in range(0, len(synthetic.label), size):
            label = synthetic.label[start : start + size]
            first = len(frames) + start
            hands = synthetic.read(slice(start, start + size))
            yield Rows(images=hands, label=label, weight=weight[first : first + len(label)])

    return RowStream(count=len(weight), row_bytes=row_bytes, portions=portions)


def list_variants(feature: Feature, config: TrainConfig, rows: int) -> Sequence[Variant]:
    """Return what an epoch sees of each of `rows` hands: the hand itself, and its augmented copies."""
    mirrored_share = MIRRORED_SHARE if config.both_hands else 0.0
    copies = feature.copies
    if config.start == STARTER_NAME:
        copies = min(copies, max(1, STARTER_EPOCH_ROWS // rows - 1))

    def plain(hands: Array, rng: np.random.Generator) -> Array:
        return feature.to_inputs(hands)

    def augmented(hands: Array, rng: np.random.Generator) -> Array:
        return feature.to_inputs(feature.augment(hands, mirrored_share, rng))

    return [plain, *[augmented] * copies]


def _select_synthetic(label: npt.NDArray[np.int64], feature: Feature, config: TrainConfig) -> SyntheticHands:
    """Return synthetic hands: all of them, or a random part when adapting the starter model."""
    hands = synthetic_samples(np.unique(label), feature.contract, views=feature.views)
    most = max(STARTER_REHEARSAL, len(label))
    if config.start != STARTER_NAME or len(hands.label) <= most:
        return hands
    return hands.select(np.random.default_rng(config.seed).choice(len(hands.label), most, replace=False))


def _signer_weights(signer: npt.NDArray[np.object_]) -> Array:
    _, index, counts = np.unique(signer, return_inverse=True, return_counts=True)
    # Sums to the same value for each signer, and is 1 on average, so that the learning rate keeps its meaning.
    weights: Array = (len(signer) / (len(counts) * counts[index])).astype(np.float32)
    return weights
