"""Blocks of rows: each row is in one block, shares are even, and damaged files are reported."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aslkit.core.errors import AslkitError
from aslkit.train.engine import row_blocks
from aslkit.train.engine.row_blocks import read_rank_data, write_blocks
from aslkit.train.engine.shared_folder import SharedFolder
from aslkit.train.engine.training_rows import Rows, RowStream, TrainingRows, stream_arrays

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (70, 5, 4)).astype(np.uint8)
LABEL = np.arange(70) % 24
WEIGHT = RNG.random(70).astype(np.float32)


def make_rows(images: Any, *, validation: int = 20) -> TrainingRows:
    """Return rows in portions of 16."""

    def portions() -> Iterator[Rows]:
        for start in range(0, max(1, len(images)), 16):
            part = slice(start, start + 16)
            yield Rows(images=images[part], label=LABEL[: len(images)][part], weight=WEIGHT[: len(images)][part])

    return TrainingRows(
        train=RowStream(count=len(images), row_bytes=images[0].nbytes if len(images) else 1, portions=portions),
        validation=stream_arrays(IMAGES[:validation], LABEL[:validation]),
    )


@pytest.fixture(params=["folder", "memory://blocks"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> SharedFolder:
    return SharedFolder(url=str(tmp_path / "b") if request.param == "folder" else f"{request.param}-{tmp_path.name}")


@pytest.mark.parametrize("images", [IMAGES, IMAGES.astype(np.float32) / 7])
@pytest.mark.parametrize(("ranks", "blocks_per_rank"), [(1, 1), (2, 1), (3, 3)])
def test_each_row_is_in_one_block(
    ranks: int, blocks_per_rank: int, images: Any, folder: SharedFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(row_blocks, "BLOCK_BYTES", -(-images.nbytes // (ranks * blocks_per_rank)))
    write_blocks(folder, make_rows(images), ranks=ranks, seed=0)
    shares = [read_rank_data(folder, rank, ranks) for rank in range(ranks)]
    assert [len(share.train) for share in shares] == [blocks_per_rank] * ranks
    assert {share.total for share in shares} == {70}
    sizes = [sum(map(len, share.train)) for share in shares]
    assert max(sizes) - min(sizes) <= blocks_per_rank
    rows = [block.read() for share in shares for block in share.train]
    assert {each.images.dtype for each in rows} == {images.dtype}
    found = [(image.tobytes(), label, weight) for each in rows
             for image, label, weight in zip(each.images, each.label, each.weight, strict=True)]  # fmt: skip
    expected = [(image.tobytes(), label, weight) for image, label, weight in zip(images, LABEL, WEIGHT, strict=True)]
    assert sorted(found) == sorted(expected)
    validation = [block.read() for share in shares for block in share.validation]
    assert sum(map(len, validation)) == 20


def test_blocks_are_random_parts(tmp_path: Path) -> None:
    write_blocks(SharedFolder(url=str(tmp_path)), make_rows(IMAGES), ranks=2, seed=0)
    first = read_rank_data(SharedFolder(url=str(tmp_path)), 0, 2).train[0].read()
    assert 10 < (first.label < 12).sum() < 30  # the rows are sorted by label in runs of 24


def test_more_ranks_than_rows_leaves_empty_blocks(tmp_path: Path) -> None:
    folder = SharedFolder(url=str(tmp_path))
    write_blocks(folder, make_rows(IMAGES[:3], validation=0), ranks=5, seed=0)
    shares = [read_rank_data(folder, rank, 5) for rank in range(5)]
    assert sorted(len(share.train[0].read()) for share in shares) == [0, 0, 1, 1, 1]
    assert all(share.train[0].read().images.shape[1:] == (5, 4) for share in shares)
    assert not any(len(share.validation[0].read()) for share in shares)


def test_missing_and_truncated_blocks_are_reported(tmp_path: Path) -> None:
    folder = SharedFolder(url=str(tmp_path))
    with pytest.raises(AslkitError, match=r"blocks\.json is missing"):
        read_rank_data(folder, 0, 2)
    write_blocks(folder, make_rows(IMAGES), ranks=1, seed=0)
    path = tmp_path / "train-00000-of-00001.parquet"
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(AslkitError, match=r"train-00000-of-00001\.parquet is missing or damaged"):
        read_rank_data(folder, 0, 1).train[0].read()
