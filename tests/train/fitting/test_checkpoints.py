"""What ranks exchange through files: it comes back as it was, and damage is told of."""

from pathlib import Path

import numpy as np
import pytest

from aslkit.core.errors import AslkitError
from aslkit.train.fitting.checkpoints import CheckpointStore
from aslkit.train.fitting.training_loop import RankData, TrainingState

RNG = np.random.default_rng(0)
SHARE = RankData(
    raw=RNG.integers(0, 256, (7, 5, 5)).astype(np.uint8),
    label=np.arange(7),
    checked=RNG.integers(0, 256, (3, 5, 5)).astype(np.uint8),
    checked_label=np.arange(3),
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


def test_shards_come_back_as_they_were(store: CheckpointStore) -> None:
    empty = RankData(
        raw=SHARE.raw[:0], label=SHARE.label[:0], checked=SHARE.checked, checked_label=SHARE.checked_label, total=20
    )
    store.write_shards([SHARE, empty])
    for rank, written in enumerate([SHARE, empty]):
        read = store.shard(rank, 2)
        for name in ("raw", "label", "checked", "checked_label"):
            np.testing.assert_array_equal(getattr(read, name), getattr(written, name))
        assert read.raw.dtype == np.uint8
        assert read.total == 20


def test_a_state_comes_back_to_the_bit(store: CheckpointStore) -> None:
    assert store.state() == TrainingState()
    assert store.epochs() == 0
    store.save(STATE)
    read = store.state()
    assert read.history == STATE.history
    assert store.epochs() == 1
    for name in ("best", "variables"):
        for mine, theirs in zip(getattr(read, name), getattr(STATE, name), strict=True):
            np.testing.assert_array_equal(mine, theirs)
            assert mine.dtype == theirs.dtype


def test_failures_are_read_once(store: CheckpointStore) -> None:
    store.note_failure(1, "Traceback: ö")
    assert store.failures(3) == {1: "Traceback: ö"}
    assert store.failures(3) == {}


def test_a_damaged_checkpoint_is_told_of(tmp_path: Path) -> None:
    store = CheckpointStore(url=str(tmp_path))
    store.save(STATE)
    path = tmp_path / "checkpoint.npz"
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(AslkitError, match=r"checkpoint.npz is damaged .* Delete it"):
        store.state()


def test_a_missing_or_cut_shard_is_told_of(tmp_path: Path) -> None:
    store = CheckpointStore(url=str(tmp_path))
    with pytest.raises(AslkitError, match=r"shard-00000-of-00002\.parquet is missing"):
        store.shard(0, 2)
    store.write_shards([SHARE])
    path = tmp_path / "shard-00000-of-00001.parquet"
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(AslkitError, match="damaged"):
        store.shard(0, 1)


def test_nothing_half_written_is_left(tmp_path: Path) -> None:
    store = CheckpointStore(url=str(tmp_path))
    store.save(STATE)
    store.save(STATE)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint.npz", "history.json"]
