"""Loading and splitting the samples of a dataset."""

import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from aslkit.core.config import load_settings
from aslkit.core.errors import AslkitError, InputError
from aslkit.train.config import TrainConfig
from aslkit.train.data import samples as data
from aslkit.vision.preprocess import PreprocessConfig

CONFIG = load_settings("train", TrainConfig)


def test_load_samples_sorts_frames_independently_of_the_split(dataset: Path) -> None:
    samples = data.load_samples(dataset, PreprocessConfig(kind="landmarks"))
    assert samples.signer.tolist() == sorted(samples.signer.tolist())
    assert len(samples) == 4 * 4 * 6
    assert samples.by == "signer"
    assert (samples.hand_found == ~(samples.hands == 0).all(axis=(1, 2))).all()


@pytest.mark.parametrize("contract", [PreprocessConfig(kind="landmarks"), PreprocessConfig(kind="pixels", size=28)])
def test_large_hands_are_read_from_a_file(
    contract: PreprocessConfig, dataset: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_memory = data.load_samples(dataset, contract)
    monkeypatch.setattr(data, "_MEMORY_BYTES", 0)
    mapped = data.load_samples(dataset, contract)
    assert isinstance(mapped.hands, np.memmap)
    some = np.array([5, 0, 40])
    part = data.subset(mapped, mapped.label == mapped.label[0])
    assert part.hands is mapped.hands  # not copied
    np.testing.assert_array_equal(
        part.read_hands(np.arange(3)), in_memory.read_hands(np.flatnonzero(part.label[0] == in_memory.label)[:3])
    )
    np.testing.assert_array_equal(mapped.read_hands(some), in_memory.hands[some])
    np.testing.assert_array_equal(mapped.hand_found, in_memory.hand_found)


def test_load_samples_crops_hands(dataset: Path) -> None:
    samples = data.load_samples(dataset, PreprocessConfig(kind="pixels", size=28))
    assert samples.hands.shape == (96, 28, 28, 1)
    assert (samples.hands[samples.hand_found].std(axis=(1, 2, 3)) > 0.03).all()
    assert (samples.hands[~samples.hand_found] == 0).all()


def test_load_samples_cuts_out_hands(dataset: Path) -> None:
    plain, cut = (
        data.load_samples(dataset, PreprocessConfig(kind="pixels", size=28, cut_out=each)) for each in (False, True)
    )
    black = (cut.hands[cut.hand_found] == 0).mean(axis=(1, 2, 3))
    assert (black > 0.3).all()
    assert (black < 0.97).all()
    assert (cut.hands[cut.hand_found].max(axis=(1, 2, 3)) == 1).all()  # the range is stretched over the hand only
    assert (plain.hands[plain.hand_found] == 0).mean() < 0.1


def test_hold_out_signers_moves_only_these_signers(dataset: Path) -> None:
    samples = data.hold_out_signers(
        data.load_samples(dataset, PreprocessConfig(kind="landmarks")), ["synthetic-ada"], CONFIG
    )
    assert set(samples.signer[samples.split == "test"]) == {"synthetic-ada"}
    assert "synthetic-ada" not in set(samples.signer[samples.split != "test"])


def test_hold_out_signers_rejects_unknown_and_all_signers(dataset: Path) -> None:
    samples = data.load_samples(dataset, PreprocessConfig(kind="landmarks"))
    with pytest.raises(InputError, match=r"No signer 'eve'.*synthetic-ada"):
        data.hold_out_signers(samples, ["eve"], CONFIG)
    with pytest.raises(InputError, match="leaves no signer"):
        data.hold_out_signers(samples, sorted(set(samples.signer)), CONFIG)


def test_random_split_has_signers_in_train_and_test(dataset: Path) -> None:
    samples = data.random_split(data.load_samples(dataset, PreprocessConfig(kind="landmarks")), CONFIG)
    assert set(samples.signer[samples.split == "test"]) & set(samples.signer[samples.split == "train"])
    assert (samples.split == "test").mean() == pytest.approx(0.2, abs=0.05)


@pytest.mark.parametrize("kind", ["landmarks", "pixels"])
def test_load_samples_reports_damaged_files(kind: str, dataset: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(dataset, tmp_path / "copy")
    path = next(copy.glob("data/test-*.parquet"))
    content = bytearray(path.read_bytes())
    content[100:-4000] = bytes(len(content) - 4100)
    path.write_bytes(content)
    with pytest.raises(AslkitError, match=r"test-00000-of-00001\.parquet is damaged.*curate"):
        data.load_samples(copy, PreprocessConfig(kind=kind, size=28 if kind == "pixels" else 0))  # type: ignore[arg-type]


def test_load_samples_rejects_invalid_labels_and_coordinates(dataset: Path, tmp_path: Path) -> None:
    for number, (column, value, message, kind) in enumerate(
        (
            ("label", 24, "labels outside", "landmarks"),
            ("landmarks", [np.nan] * 63, "not numbers", "landmarks"),
            ("landmarks", [1e30] * 63, "far outside", "landmarks"),
            ("landmarks", [1e30] * 63, "far outside", "pixels"),
            ("hand_box", [0.0, 0.0, 1e30, 1e30], "far outside", "pixels"),
        )
    ):
        copy = shutil.copytree(dataset, tmp_path / str(number))
        path = next(copy.glob("data/test-*.parquet"))
        table = pq.read_table(path)
        index = table.schema.get_field_index(column)
        values = pa.array([value] * len(table), table.schema.field(index).type)
        pq.write_table(table.set_column(index, table.schema.field(index), values), path)
        with pytest.raises(AslkitError, match=message):
            data.load_samples(copy, PreprocessConfig(kind=kind, size=28 if kind == "pixels" else 0))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("label", None, r"of its 96 rows have no label.*aslkit dataset verify"),
        ("signer", None, "have no signer"),
        ("group", None, "have no group"),
        ("width", None, "have no width"),
        ("image", None, r"have no image\.path"),
        ("signer", "bob\x1b[31m", "bob\ufffd.*contains control characters"),
    ],
)
@pytest.mark.parametrize("kind", ["landmarks", "pixels"])
def test_load_samples_rejects_missing_and_unprintable_values(
    column: str, value: object, message: str, kind: str, dataset: Path, tmp_path: Path
) -> None:
    copy = shutil.copytree(dataset, tmp_path / "copy")
    path = next(copy.glob("data/test-*.parquet"))
    table = pq.read_table(path)
    index = table.schema.get_field_index(column)
    values = pa.array([value, *table.column(column).to_pylist()[1:]], table.schema.field(index).type)
    pq.write_table(table.set_column(index, table.schema.field(index), values), path)
    with pytest.raises(AslkitError, match=message):
        data.load_samples(copy, PreprocessConfig(kind=kind, size=28 if kind == "pixels" else 0))  # type: ignore[arg-type]


def test_load_samples_rejects_other_labels(dataset: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(dataset, tmp_path / "digits")
    for path in copy.glob("data/*.parquet"):
        table = pq.read_table(path)
        info = json.loads(table.schema.metadata[b"huggingface"])
        info["info"]["features"]["label"]["names"] = [str(number) for number in range(10)]
        metadata = table.schema.metadata | {b"huggingface": json.dumps(info).encode()}
        pq.write_table(table.replace_schema_metadata(metadata), path)
    with pytest.raises(AslkitError, match=r"other labels \(0, 1, 2.*24 static letters"):
        data.load_samples(copy, PreprocessConfig(kind="landmarks"))
