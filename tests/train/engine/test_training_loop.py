"""The training loop: blocks, steps per rank, reproducibility, resuming, early stopping, schedule."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from aslkit.core.native_libraries import import_keras
from aslkit.train.engine import epoch_batches
from aslkit.train.engine.checkpoints import CheckpointStore
from aslkit.train.engine.epoch_batches import epoch_chunks, prefetch
from aslkit.train.engine.row_blocks import read_rank_data, write_blocks
from aslkit.train.engine.training_loop import NonFiniteError, Schedule, run_training
from aslkit.train.engine.training_rows import RankData, Rows, TrainingRows, stream_arrays
from aslkit.train.engine.training_state import TrainingState
from aslkit.train.engine.training_step import SingleProcess

RNG = np.random.default_rng(0)
LABEL = RNG.integers(0, 4, 90)
POINTS = (np.eye(4)[LABEL] * 3 + RNG.normal(0, 1, (90, 4))).astype(np.float32)
ROWS = TrainingRows(train=stream_arrays(POINTS[:70], LABEL[:70]), validation=stream_arrays(POINTS[70:], LABEL[70:]))
WHOLE = RankData(train=[ROWS.train.load()], validation=[ROWS.validation.load()], total=70)


def schedule(**changes: Any) -> Schedule:
    base = dict(
        epochs=4, patience=0, batch_size=16, learning_rate=0.05, warmup_epochs=0.0, cosine=False, label_smoothing=0.0
    )
    return Schedule(**base | changes)


def build_network() -> Any:
    keras = import_keras()
    keras.utils.set_random_seed(3)
    return keras.Sequential([keras.Input((4,)), keras.layers.Dense(8, activation="relu"), keras.layers.Dropout(0.1),
                             keras.layers.Dense(4, activation="softmax")])  # fmt: skip


def identity(images: npt.NDArray[Any], rng: np.random.Generator | None = None) -> npt.NDArray[np.float32]:
    return np.asarray(images, np.float32)


def train(plan: Schedule, state: TrainingState | None = None, *, shard: RankData = WHOLE, **more: Any) -> TrainingState:
    arguments: dict[str, Any] = {
        "variants": [identity],
        "after_epoch": lambda state: None,
        "ranks": SingleProcess(),
        **more,
    }
    return run_training(
        build_network(), shard, plan, to_inputs=identity, seed=0, state=state or TrainingState(), **arguments
    )


def replace_train(**changes: npt.NDArray[Any]) -> RankData:
    """Return WHOLE with other training images, labels or weights."""
    return replace(WHOLE, train=[replace(ROWS.train.load(), **changes)])


@pytest.mark.parametrize("ranks", [1, 3])
def test_all_ranks_take_the_same_number_of_steps(ranks: int, tmp_path: Path) -> None:
    steps, images = set(), 0
    write_blocks(CheckpointStore(url=str(tmp_path)), ROWS, ranks=ranks, seed=0)
    for part in (read_rank_data(CheckpointStore(url=str(tmp_path)), rank, ranks) for rank in range(ranks)):
        counts: list[int] = []

        class CountingRanks:
            rank, count = 0, 1

            def allreduce(self, tensors: list[Any], counts: list[int] = counts) -> list[Any]:
                import tensorflow as tf

                if len(tensors) > 1:  # gradients, and the number of images
                    tf.py_function(lambda number, counts=counts: counts.append(int(number)), [tensors[-1]], [])
                return tensors

            def broadcast(self, variables: Sequence[Any]) -> None:
                pass

        state = train(schedule(epochs=1), shard=part, ranks=CountingRanks())
        steps.add(len(counts))
        images += sum(counts)
        assert len(state.history) == 1
    assert steps == {5}
    assert images == 70


def test_run_training_learns_and_records_metrics() -> None:
    history = train(schedule(epochs=12)).history
    assert history[-1]["val_accuracy"] > 0.85
    assert history[-1]["loss"] < history[0]["loss"]
    for row in history:
        assert {"precision", "recall", "val_precision", "val_recall", "seconds"} <= set(row)
        assert (
            0 <= row["val_recall"] <= row["val_accuracy"] + 1e-6
        )  # recall counts only predictions with a probability above 0.5


def test_run_training_is_reproducible() -> None:
    first, second = (
        [{key: value for key, value in row.items() if key != "seconds"} for row in train(schedule()).history]
        for _ in range(2)
    )
    assert first == second


def test_resumed_training_equals_uninterrupted_training() -> None:
    uninterrupted = train(schedule(epochs=5))
    state = train(schedule(epochs=2))
    resumed = train(schedule(epochs=5), state)
    assert [row["val_loss"] for row in resumed.history] == [row["val_loss"] for row in uninterrupted.history]
    for actual, expected in zip(resumed.best, uninterrupted.best, strict=True):
        np.testing.assert_array_equal(actual, expected)


def test_early_stopping_keeps_the_best_epoch() -> None:
    state = train(schedule(epochs=200, patience=3, learning_rate=0.3))
    assert len(state.history) < 200
    assert len(state.history) - state.best_epoch == 3
    losses = [row["val_loss"] for row in state.history]
    assert losses[state.best_epoch - 1] == min(losses)


def test_non_finite_loss_keeps_the_last_finite_epoch() -> None:
    state, epochs = TrainingState(), count()

    def overflow(images: npt.NDArray[Any], rng: np.random.Generator) -> npt.NDArray[np.float32]:
        return identity(images) * np.float32(np.nan if next(epochs) == 2 else 1)

    with pytest.raises(NonFiniteError, match=r"epoch 3; the learning rate \(0\.05\) .* best epoch are kept"):
        train(schedule(), state, variants=[overflow])
    assert len(state.history) == 2
    assert all(np.isfinite(value).all() for value in state.best)


@pytest.mark.parametrize(
    ("damage", "rate", "cause"),
    [(1, 1e38, "learning rate .1e.38. is probably too high"), (np.nan, 0.05, "dataset verify")],
)
def test_non_finite_loss_in_the_first_epoch_states_the_cause(damage: float, rate: float, cause: str) -> None:
    shard = replace_train(images=POINTS[:70] * np.float32(damage))
    with pytest.raises(NonFiniteError, match=rf"epoch 1; .*{cause}.* No epoch was finished"):
        train(schedule(learning_rate=rate), shard=shard)


@pytest.mark.parametrize("parts", [[slice(0, 70)], [slice(0, 70, 2), slice(0, 0), slice(1, 70, 2)]])
def test_chunks_of_an_epoch_contain_each_image_once_per_variant(
    parts: list[slice], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(epoch_batches, "_CHUNK_BYTES", 4 * 4 * 40)  # two steps of 16 to 18 rows
    variants = [identity, lambda images, rng: identity(images) + np.float32(100)]
    blocks = [Rows(images=POINTS[part], label=LABEL[part], weight=POINTS[part, 0]) for part in parts]
    chunks = list(epoch_chunks(blocks, variants, steps=8, shape=(4,), rng=np.random.default_rng(0)))
    assert len(chunks) == 4
    sizes = np.concatenate([np.diff(chunk.bounds) for chunk in chunks])
    assert sizes.sum() == 140
    assert set(sizes.tolist()) == {17, 18}
    inputs = np.concatenate([chunk.inputs for chunk in chunks])
    expected = np.concatenate([POINTS[:70], POINTS[:70] + np.float32(100)])
    assert sorted(map(tuple, inputs)) == sorted(map(tuple, expected))
    label = np.concatenate([chunk.label for chunk in chunks])
    weight = np.concatenate([chunk.weight for chunk in chunks])
    row_of = {tuple(row): index for index, row in enumerate(expected)}
    rows = np.array([row_of[tuple(row)] for row in inputs]) % 70
    np.testing.assert_array_equal(label, LABEL[rows])
    np.testing.assert_array_equal(weight, POINTS[rows, 0])


def test_prefetch_keeps_the_order_and_raises_exceptions_in_their_place() -> None:
    def items() -> Iterator[int]:
        yield from range(5)
        raise KeyboardInterrupt

    received = prefetch(items())
    assert [next(received) for _ in range(5)] == list(range(5))
    with pytest.raises(KeyboardInterrupt):
        next(received)


def test_weights_scale_the_gradient() -> None:
    without = replace_train(images=POINTS[:40], label=LABEL[:40], weight=np.ones(40, np.float32))
    weight = np.repeat(np.array([1, 0], np.float32), [40, 30])
    # One step over all images: those of weight 0 only change the divisor, which Adam's first step does not depend on.
    weighted, dropped = (
        train(schedule(epochs=1, batch_size=100, learning_rate=0.01), shard=each)
        for each in (replace_train(weight=weight), without)
    )
    assert weighted.history[0]["val_loss"] == pytest.approx(dropped.history[0]["val_loss"], abs=0.02)


def test_learning_rate_warms_up_and_decays() -> None:
    plan = schedule(warmup_epochs=1.0, cosine=True, epochs=4)
    rates = [plan.rate(step, 10) for step in range(40)]
    assert rates[0] < rates[5] < rates[10] == pytest.approx(0.05)
    assert rates[39] < 0.001
    assert schedule().rate(39, 10) == 0.05
