"""The training loop: every image once an epoch, the same steps on every rank, and a run that can go on."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from aslkit.core.errors import AslkitError
from aslkit.core.native_libraries import import_keras
from aslkit.train.benchmark.distributed import shard_per_rank
from aslkit.train.fitting.training_loop import RankData, Schedule, SingleProcess, TrainingState, run_training

RNG = np.random.default_rng(0)
TRUTH = RNG.integers(0, 4, 90)
POINTS = (np.eye(4)[TRUTH] * 3 + RNG.normal(0, 1, (90, 4))).astype(np.float32)
WHOLE = RankData(raw=POINTS[:70], label=TRUTH[:70], checked=POINTS[70:], checked_label=TRUTH[70:], total=70)


def schedule(**changes: Any) -> Schedule:
    base = dict(
        epochs=4, patience=0, batch_size=16, learning_rate=0.05, warmup_epochs=0.0, cosine=False, label_smoothing=0.0
    )
    return Schedule(**base | changes)


def network() -> Any:
    keras = import_keras()
    keras.utils.set_random_seed(3)
    return keras.Sequential([keras.Input((4,)), keras.layers.Dense(8, activation="relu"), keras.layers.Dropout(0.1),
                             keras.layers.Dense(4, activation="softmax")])  # fmt: skip


def as_is(raw: npt.NDArray[Any], rng: np.random.Generator | None = None) -> npt.NDArray[np.float32]:
    return np.asarray(raw, np.float32)


def trained(
    plan: Schedule, state: TrainingState | None = None, *, share: RankData = WHOLE, **more: Any
) -> TrainingState:
    arguments: dict[str, Any] = {"vary": as_is, "ended": lambda state: None, "ranks": SingleProcess(), **more}
    return run_training(network(), share, plan, finish=as_is, seed=0, state=state or TrainingState(), **arguments)


@pytest.mark.parametrize("ranks", [1, 2, 3, 7])
def test_images_are_dealt_out_once_and_evenly(ranks: int) -> None:
    parts = shard_per_rank(WHOLE, ranks)
    assert max(len(part.raw) for part in parts) - min(len(part.raw) for part in parts) <= 1
    dealt = np.concatenate([part.raw for part in parts])
    assert sorted(map(tuple, dealt)) == sorted(map(tuple, WHOLE.raw))
    checked = np.concatenate([part.checked for part in parts])
    assert sorted(map(tuple, checked)) == sorted(map(tuple, WHOLE.checked))
    assert {part.total for part in parts} == {70}


@pytest.mark.parametrize("ranks", [1, 3])
def test_all_ranks_take_the_same_steps_and_learn_of_each_image_once(ranks: int) -> None:
    steps, learned = set(), 0
    for part in shard_per_rank(WHOLE, ranks):
        seen: list[int] = []

        class Counting:
            rank, count = 0, 1

            def total(self, tensors: list[Any], seen: list[int] = seen) -> list[Any]:
                import tensorflow as tf

                if len(tensors) > 1:  # gradients, and the images of the step
                    tf.py_function(lambda images, seen=seen: seen.append(int(images)), [tensors[-1]], [])
                return tensors

            def broadcast(self, variables: Sequence[Any]) -> None:
                pass

        state = trained(schedule(epochs=1), share=part, ranks=Counting())
        steps.add(len(seen))
        learned += sum(seen)
        assert len(state.history) == 1
    assert steps == {5}
    assert learned == 70


def test_it_learns_and_says_what_validation_says() -> None:
    history = trained(schedule(epochs=12)).history
    assert history[-1]["val_accuracy"] > 0.85
    assert history[-1]["loss"] < history[0]["loss"]
    for row in history:
        assert {"precision", "recall", "val_precision", "val_recall", "seconds"} <= set(row)
        assert 0 <= row["val_recall"] <= row["val_accuracy"] + 1e-6  # surer than one half is sure


def test_same_seed_same_curve() -> None:
    first, second = (
        [{key: value for key, value in row.items() if key != "seconds"} for row in trained(schedule()).history]
        for _ in range(2)
    )
    assert first == second


def test_a_stopped_run_goes_on_as_if_it_had_not_stopped() -> None:
    whole = trained(schedule(epochs=5))
    part = trained(schedule(epochs=2))
    rest = trained(schedule(epochs=5), part)
    assert [row["val_loss"] for row in rest.history] == [row["val_loss"] for row in whole.history]
    for mine, theirs in zip(rest.best, whole.best, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_patience_ends_it_and_the_best_epoch_is_kept() -> None:
    state = trained(schedule(epochs=200, patience=3, learning_rate=0.3))
    assert len(state.history) < 200
    assert len(state.history) - state.best_epoch == 3
    losses = [row["val_loss"] for row in state.history]
    assert losses[state.best_epoch - 1] == min(losses)


def test_a_loss_that_is_no_number_ends_it_with_the_last_good_epoch() -> None:
    state = TrainingState()

    def spoilt(raw: npt.NDArray[Any], rng: np.random.Generator) -> npt.NDArray[np.float32]:
        return as_is(raw) * np.float32(np.nan if len(state.history) == 2 else 1)

    with pytest.raises(AslkitError, match="learning rate"):
        trained(schedule(), state, vary=spoilt)
    assert len(state.history) == 2
    assert all(np.isfinite(value).all() for value in state.best)


def test_the_rate_warms_up_and_falls() -> None:
    plan = schedule(warmup_epochs=1.0, cosine=True, epochs=4)
    rates = [plan.rate(step, 10) for step in range(40)]
    assert rates[0] < rates[5] < rates[10] == pytest.approx(0.05)
    assert rates[39] < 0.001
    assert schedule().rate(39, 10) == 0.05
