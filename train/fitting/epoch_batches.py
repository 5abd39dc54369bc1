"""What a network is shown in an epoch: the frames of those it learns from, and varied copies of them."""

from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from aslkit.core.letters import LETTERS
from aslkit.core.workspace import SYNTHETIC_PREFIX
from aslkit.train.config import TrainConfig
from aslkit.train.data.features import Feature
from aslkit.train.data.samples import Samples
from aslkit.train.data.synthetic_signers import synthetic_samples as synthetic
from aslkit.train.data.synthetic_signers import uses_synthetic_signers
from aslkit.vision.preprocess import Array

MIRRORED_SHARE: Final = 0.5
"""Of the varied copies, where a model is to know both mirror images of each letter."""


def balanced_epoch(
    keras: Any, samples: Samples, train: npt.NDArray[np.int64], feature: Feature, config: TrainConfig
) -> Any:
    """The train rows and their varied copies as a keras.utils.PyDataset, drawn anew for each epoch.

    Each signer weighs the same in the loss, however much they recorded: the model is for people, not for frames.
    Synthetic signers, where they are learned from too, signing and at rest, weigh as one more person together. What is
    drawn depends on the seed and the epoch alone. `begin(epoch)` turns to an epoch, from 0; whoever trains
    calls it (Keras tells a dataset of an epoch's end twice in the first). The next one is drawn while the network
    learns.

    Args:
        keras: the module.
        samples: all there are.
        train: int64 (n,), the rows to learn from.
        feature: what the model sees of them.
        config: the settings.
    """
    raw, label, signer = samples.raw[train], samples.label[train], samples.signer[train]
    rests = uses_synthetic_signers(samples, feature, config)
    if rests:
        more, letters = synthetic(np.unique(label), feature.contract)
        raw, label = np.concatenate([raw, more]), np.concatenate([label, letters])
        signer = np.concatenate([signer, np.full(len(more), SYNTHETIC_PREFIX)])
    label = np.tile(label, feature.copies + 1)
    weight = np.tile(_signer_weights(signer), feature.copies + 1)
    mirrored = MIRRORED_SHARE if config.both_hands else 0.0
    painter = ThreadPoolExecutor(max_workers=1)

    def draw(epoch: int) -> tuple[Array, npt.NDArray[np.int64]]:
        rng = np.random.default_rng([config.seed, epoch])
        varied = [feature.vary(raw, mirrored, rng) for _ in range(feature.copies)]
        return feature.finish(np.concatenate([raw, *varied])), rng.permutation(len(label))

    class Batches(keras.utils.PyDataset):  # type: ignore[misc]
        """One epoch's batches."""

        def __init__(self) -> None:
            super().__init__()
            self.ahead: dict[int, Future[tuple[Array, npt.NDArray[np.int64]]]] = {}
            self.epoch = -1
            self.begin(0)

        def __len__(self) -> int:
            return int(np.ceil(len(label) / config.batch_size))

        def __getitem__(self, index: int) -> tuple[Array, Array, Array]:
            rows = self.order[index * config.batch_size : (index + 1) * config.batch_size]
            return self.inputs[rows], member_targets(label[rows], config.members, rests=rests), weight[rows, None]

        def begin(self, epoch: int) -> None:
            if epoch == self.epoch:
                return
            ready = self.ahead.pop(epoch, None)
            self.inputs, self.order = draw(epoch) if ready is None else ready.result()
            self.ahead = {epoch + 1: painter.submit(draw, epoch + 1)} if epoch + 1 < config.epochs else {}
            self.epoch = epoch

    return Batches()


def member_targets(label: npt.NDArray[np.int64], members: int, *, rests: bool) -> Array:
    """Letters, int64 (n,), as each member is to say them: float32 (n, members, 24); with rests 25, NO_LETTER last."""
    wanted = np.eye(len(LETTERS) + int(rests), dtype=np.float32)
    return np.repeat(wanted[label][:, None], members, axis=1)


def _signer_weights(signer: npt.NDArray[np.str_]) -> Array:
    _, index, counts = np.unique(signer, return_inverse=True, return_counts=True)
    weights: Array = (len(signer) / (len(counts) * counts[index])).astype(np.float32)
    return weights
