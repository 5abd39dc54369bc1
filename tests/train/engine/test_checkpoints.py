"""Shards and checkpoints: round trips and damaged files."""

from pathlib import Path

import numpy as np
import pytest

from aslkit.core.errors import AslkitError
from aslkit.train.engine.checkpoints import CheckpointStore
from aslkit.train.engine.epoch_batches import RankData
from aslkit.train.engine.training_state import TrainingState

RNG = np.random.default_rng(0)
SHARD = RankData(
    images=RNG.integers(0, 256, (7, 5, 5)).astype(np.uint8),
    label=np.arange(7),
    validation_images=RNG.integers(0, 256, (3, 5, 5)).astype(np.uint8),
    validation_label=np.arange(3),
    total=20,
)
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


def test_shards_round_trip(store: CheckpointStore) -> None:
    empty = RankData(
        images=SHARD.images[:0],
        label=SHARD.label[:0],
        validation_images=SHARD.validation_images,
        validation_label=SHARD.validation_label,
        total=20,
    )
    store.write_shards([SHARD, empty])
    for rank, written in enumerate([SHARD, empty]):
        read = store.read_shard(rank, 2)
        for name in ("images", "label", "validation_images", "validation_label"):
            np.testing.assert_array_equal(getattr(read, name), getattr(written, name))
        assert read.images.dtype == np.uint8
        assert read.total == 20


def test_checkpoint_round_trips_exactly(store: CheckpointStore) -> None:
    assert store.load() == TrainingState()
    assert store.count_epochs() == 0
    store.save(STATE)
    loaded = store.load()
    assert loaded.history == STATE.history
    assert store.count_epochs() == 1
    for name in ("best", "variables"):
        for actual, expected in zip(getattr(loaded, name), getattr(STATE, name), strict=True):
            np.testing.assert_array_equal(actual, expected)
            assert actual.dtype == expected.dtype


def test_pop_failures_deletes_them(store: CheckpointStore) -> None:
    store.write_failure(1, "Traceback: ö")
    assert store.pop_failures(3) == {1: "Traceback: ö"}
    assert store.pop_failures(3) == {}


def test_damaged_checkpoint_is_reported(tmp_path: Path) -> None:
    store = CheckpointStore(url=str(tmp_path))
    store.save(STATE)
    path = tmp_path / "checkpoint.npz"
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(AslkitError, match=r"checkpoint.npz is damaged .* Delete it"):
        store.load()


def test_missing_and_truncated_shards_are_reported(tmp_path: Path) -> None:
    store = CheckpointStore(url=str(tmp_path))
    with pytest.raises(AslkitError, match=r"shard-00000-of-00002\.parquet is missing"):
        store.read_shard(0, 2)
    store.write_shards([SHARD])
    path = tmp_path / "shard-00000-of-00001.parquet"
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(AslkitError, match="damaged"):
        store.read_shard(0, 1)


def test_save_leaves_no_temporary_files(tmp_path: Path) -> None:
    store = CheckpointStore(url=str(tmp_path))
    store.save(STATE)
    store.save(STATE)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint.npz", "history.json"]
