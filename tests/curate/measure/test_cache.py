from collections.abc import Iterator, Mapping
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from aslkit.core.errors import AslkitError
from aslkit.core.files import file_hash
from aslkit.curate.measure import cache
from aslkit.curate.measure.cache import MeasurementCache
from aslkit.curate.measure.engine import Local
from aslkit.curate.measure.measure import MeasureOptions, file_batches, measure_files
from aslkit.vision.images import encode_png

HERE = Local(processes=1)
LOOKING = MeasureOptions(min_confidence=0.3, second_try=False)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Five empty rooms: quick to look at."""
    folder = tmp_path_factory.mktemp("rooms")
    for index in range(5):
        (folder / f"{index}.png").write_bytes(encode_png(np.full((32, 32, 3), 40 * index, np.uint8)))
    return {file_hash(path): path for path in sorted(folder.iterdir())}


def known(folder: Path, looking: MeasureOptions = LOOKING) -> set[str]:
    return set(MeasurementCache(folder=folder, options=looking).known.column("content").to_pylist())


def test_no_image_is_looked_at_twice(tmp_path: Path, files: dict[str, Path], looked_at: list[str]) -> None:
    first, rest = dict(list(files.items())[:2]), files
    assert MeasurementCache(folder=tmp_path, options=LOOKING).fill(first, HERE) == 2
    again = MeasurementCache(folder=tmp_path, options=LOOKING)
    assert again.fill(first, HERE) == 0
    assert again.fill(rest, HERE) == 3
    assert again.fill(rest, HERE) == 0
    assert sorted(looked_at) == sorted(files)
    assert known(tmp_path) == set(files)


def test_another_way_of_looking_has_other_descriptions(
    tmp_path: Path, files: dict[str, Path], looked_at: list[str]
) -> None:
    MeasurementCache(folder=tmp_path, options=LOOKING).fill(files, HERE)
    assert known(tmp_path, MeasureOptions(min_confidence=0.5, second_try=False)) == set()
    assert known(tmp_path, MeasureOptions(min_confidence=0.3, second_try=True)) == set()


@pytest.mark.parametrize("damage", ["cut", "rubbish", "empty", "other columns"])
def test_a_damaged_part_is_measured_again(
    tmp_path: Path, files: dict[str, Path], looked_at: list[str], damage: str
) -> None:
    MeasurementCache(folder=tmp_path, options=LOOKING).fill(files, HERE)
    part = next(tmp_path.rglob("*.parquet"))
    good = part.read_bytes()
    if damage == "other columns":
        pq.write_table(pa.table({"content": ["x"]}), part)
    else:
        part.write_bytes({"cut": good[:-20], "rubbish": b"PAR1" + bytes(100) + b"PAR1", "empty": b""}[damage])
    assert known(tmp_path) == set()
    looked_at.clear()
    assert MeasurementCache(folder=tmp_path, options=LOOKING).fill(files, HERE) == 5
    assert sorted(looked_at) == sorted(files)
    assert known(tmp_path) == set(files)


@pytest.mark.parametrize("error", [KeyboardInterrupt, AslkitError])
def test_what_was_measured_before_the_end_is_kept(
    tmp_path: Path, files: dict[str, Path], error: type[BaseException]
) -> None:
    class Stops(Local):
        def describe(self, files: Mapping[str, Path], looking: MeasureOptions) -> Iterator[pa.RecordBatch]:
            yield from islice(map(partial(measure_files, looking=looking), file_batches(files, 2)), 2)
            raise error("stop")

    with pytest.raises(error):
        MeasurementCache(folder=tmp_path, options=LOOKING).fill(files, Stops())
    assert known(tmp_path) == set(list(files)[:4])


def test_many_parts_become_one(
    tmp_path: Path, files: dict[str, Path], looked_at: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for content, path in files.items():
        MeasurementCache(folder=tmp_path, options=LOOKING).fill({content: path}, HERE)
    assert len(list(tmp_path.rglob("*.parquet"))) == 5
    before = MeasurementCache(folder=tmp_path, options=LOOKING).known
    monkeypatch.setattr(cache, "MANY_PARTS", 4)
    assert MeasurementCache(folder=tmp_path, options=LOOKING).known.equals(before)
    assert [path.name for path in tmp_path.rglob("*.parquet")] == ["all.parquet"]
    assert known(tmp_path) == set(files)


def test_an_image_that_is_gone_meanwhile_is_named(tmp_path: Path, looked_at: list[str]) -> None:
    with pytest.raises(FileNotFoundError, match=r"gone\.png"):
        MeasurementCache(folder=tmp_path, options=LOOKING).fill({"x": tmp_path / "gone.png"}, HERE)
