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

ENGINE = Local(processes=1)
OPTIONS = MeasureOptions(min_confidence=0.3, second_try=False)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return five plain images, which are fast to measure."""
    folder = tmp_path_factory.mktemp("images")
    for index in range(5):
        (folder / f"{index}.png").write_bytes(encode_png(np.full((32, 32, 3), 40 * index, np.uint8)))
    return {file_hash(path): path for path in sorted(folder.iterdir())}


def load_known(folder: Path, options: MeasureOptions = OPTIONS) -> set[str]:
    return set(MeasurementCache(folder=folder, options=options).known.column("content").to_pylist())


def test_no_image_is_measured_twice(tmp_path: Path, files: dict[str, Path], measured_files: list[str]) -> None:
    first = dict(list(files.items())[:2])
    assert MeasurementCache(folder=tmp_path, options=OPTIONS).fill(first, ENGINE) == 2
    cache_again = MeasurementCache(folder=tmp_path, options=OPTIONS)
    assert cache_again.fill(first, ENGINE) == 0
    assert cache_again.fill(files, ENGINE) == 3
    assert cache_again.fill(files, ENGINE) == 0
    assert sorted(measured_files) == sorted(files)
    assert load_known(tmp_path) == set(files)


def test_other_options_have_a_separate_cache(tmp_path: Path, files: dict[str, Path], measured_files: list[str]) -> None:
    MeasurementCache(folder=tmp_path, options=OPTIONS).fill(files, ENGINE)
    assert load_known(tmp_path, MeasureOptions(min_confidence=0.5, second_try=False)) == set()
    assert load_known(tmp_path, MeasureOptions(min_confidence=0.3, second_try=True)) == set()


@pytest.mark.parametrize("damage", ["truncated", "garbage", "empty", "other columns"])
def test_damaged_file_is_measured_again(
    tmp_path: Path, files: dict[str, Path], measured_files: list[str], damage: str
) -> None:
    MeasurementCache(folder=tmp_path, options=OPTIONS).fill(files, ENGINE)
    path = next(tmp_path.rglob("*.parquet"))
    content = path.read_bytes()
    if damage == "other columns":
        pq.write_table(pa.table({"content": ["x"]}), path)
    else:
        path.write_bytes({"truncated": content[:-20], "garbage": b"PAR1" + bytes(100) + b"PAR1", "empty": b""}[damage])
    assert load_known(tmp_path) == set()
    measured_files.clear()
    assert MeasurementCache(folder=tmp_path, options=OPTIONS).fill(files, ENGINE) == 5
    assert sorted(measured_files) == sorted(files)
    assert load_known(tmp_path) == set(files)


@pytest.mark.parametrize("error", [KeyboardInterrupt, AslkitError])
def test_interrupted_run_keeps_what_was_measured(
    tmp_path: Path, files: dict[str, Path], error: type[BaseException]
) -> None:
    class StoppingEngine(Local):
        def measure(self, files: Mapping[str, Path], options: MeasureOptions) -> Iterator[pa.RecordBatch]:
            yield from islice(map(partial(measure_files, options=options), file_batches(files, 2)), 2)
            raise error("stop")

    with pytest.raises(error):
        MeasurementCache(folder=tmp_path, options=OPTIONS).fill(files, StoppingEngine())
    assert load_known(tmp_path) == set(list(files)[:4])


def test_many_files_are_merged(
    tmp_path: Path, files: dict[str, Path], measured_files: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for content, path in files.items():
        MeasurementCache(folder=tmp_path, options=OPTIONS).fill({content: path}, ENGINE)
    assert len(list(tmp_path.rglob("*.parquet"))) == 5
    before = MeasurementCache(folder=tmp_path, options=OPTIONS).known
    monkeypatch.setattr(cache, "MAX_FILES", 4)
    assert MeasurementCache(folder=tmp_path, options=OPTIONS).known.equals(before)
    assert len(list(tmp_path.rglob("*.parquet"))) == 1
    assert load_known(tmp_path) == set(files)


def test_missing_image_is_named_in_the_error(tmp_path: Path, measured_files: list[str]) -> None:
    with pytest.raises(FileNotFoundError, match=r"gone\.png"):
        MeasurementCache(folder=tmp_path, options=OPTIONS).fill({"x": tmp_path / "gone.png"}, ENGINE)
