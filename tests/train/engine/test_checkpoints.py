"""Checkpoints: round trips and damaged files."""

from pathlib import Path

import numpy as np
import pytest

from aslkit.core.errors import AslkitError
from aslkit.train.engine.checkpoints import CheckpointStore, RankFailure
from aslkit.train.engine.training_state import TrainingState

RNG = np.random.default_rng(0)
STATE = TrainingState(
    history=[{"epoch": 1, "loss": 0.5, "val_loss": 0.25}],
    best=[RNG.normal(0, 1, (3, 2)).astype(np.float32), np.float32(2) * np.ones(2, np.float32)],
    variables=[np.array(7, np.int64), RNG.normal(0, 1, 12).astype(np.float32)],
)


@pytest.fixture(params=["folder", "memory://store"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> CheckpointStore:
    return CheckpointStore(
        url=str(tmp_path / "store") if request.param == "folder" else f"{request.param}-{tmp_path.name}"
    )


def test_checkpoint_round_trips_exactly(store: CheckpointStore) -> None:
    assert store.load() == TrainingState()
    assert store.read_history() == []
    store.save(STATE)
    loaded = store.load()
    assert loaded.history == STATE.history
    assert store.read_history() == STATE.history
    for name in ("best", "variables"):
        for actual, expected in zip(getattr(loaded, name), getattr(STATE, name), strict=True):
            np.testing.assert_array_equal(actual, expected)
            assert actual.dtype == expected.dtype


def test_pop_failures_deletes_them(store: CheckpointStore) -> None:
    failure = RankFailure(error="ValueError", message="", traceback="Traceback: ö")
    store.write_failure(1, failure)
    assert store.pop_failures(3) == {1: failure}
    assert store.pop_failures(3) == {}


def test_damaged_checkpoint_is_reported(tmp_path: Path) -> None:
    store = CheckpointStore(url=str(tmp_path))
    store.save(STATE)
    path = tmp_path / "checkpoint.npz"
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(AslkitError, match=r"checkpoint.npz is damaged .* Delete it"):
        store.load()


def test_save_leaves_no_temporary_files(tmp_path: Path) -> None:
    store = CheckpointStore(url=str(tmp_path))
    store.save(STATE)
    store.save(STATE)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint.npz", "history.json"]
