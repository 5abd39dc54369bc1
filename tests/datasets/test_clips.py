"""Clips are read from a dataset as training needs them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from aslkit.core.errors import AslkitError
from aslkit.datasets import parquet_store, schema
from aslkit.datasets.clips import load_clips
from aslkit.live.export.sample_frames import draw_calibration_frames, draw_test_frames
from aslkit.train.data.samples import load_samples
from aslkit.vision.preprocess import PreprocessConfig
from tests.datasets import factories


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return factories.dataset_with_clips(tmp_path / "moving")


def test_clips_have_the_landmarks_of_their_rows(folder: Path) -> None:
    clips = load_clips(folder)
    assert [(clip.name.split("/")[0], clip.letter, clip.split) for clip in clips] == [
        ("ada", "J", "train"), ("ada", "Z", "train"), ("ben", "J", "validation"), ("ben", "Z", "validation"),
        ("cleo", "J", "test"), ("cleo", "Z", "test"),
    ]  # fmt: skip
    rows = {(row["clip"], row["time_ms"]): row for row in parquet_store.read_dataset(folder).to_pylist() if row["clip"]}
    for clip in clips:
        assert clip.time_ms.tolist() == [0, 33, 66, 99]
        assert clip.landmarks.dtype == np.float32
        assert clip.landmarks.shape == (4, 21, 3)
        for at, time in enumerate(clip.time_ms.tolist()):
            row = rows[clip.name, time]
            assert (clip.width[at], clip.height[at]) == (row["width"], row["height"])
            if row["landmarks"] is None:
                assert np.isnan(clip.landmarks[at]).all()
                assert not clip.left[at]
            else:
                assert clip.landmarks[at].ravel().tolist() == row["landmarks"]
                assert clip.left[at] == (row["handedness"] == "left")


def test_frames_are_sorted_by_time(folder: Path) -> None:
    before = load_clips(folder)
    factories.change(folder, "train", lambda table: table.take(list(reversed(range(len(table))))))
    for one, other in zip(before, load_clips(folder), strict=True):
        np.testing.assert_array_equal(one.time_ms, other.time_ms)
        np.testing.assert_array_equal(one.landmarks, other.landmarks)


def test_dataset_without_clips_has_none(tmp_path: Path) -> None:
    folder = factories.dataset(tmp_path / "still", train=8, validation=2, test=4)
    assert load_clips(folder) == []
    assert load_clips(factories.to_version_1(folder)) == []


def _edit(column: str, value: Any) -> Callable[[pa.Table], pa.Table]:
    return lambda table: factories.with_cell(table, column, 13, value)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (_edit("signer", "ben"), "several values of signer"),
        (_edit("label", 3), "several values of label"),
        (_edit("time_ms", None), "no value of time_ms"),
        (_edit("time_ms", 66), "times that do not increase"),
        (_edit("landmarks", [float("nan")] * 63), "landmarks that are not numbers"),
    ],
)
def test_inconsistent_clip_is_an_error(folder: Path, edit: Callable[[pa.Table], pa.Table], message: str) -> None:
    factories.change(folder, "train", edit)
    with pytest.raises(AslkitError, match=rf"The clip ada/one/J/\S+ of .* has {message}"):
        load_clips(folder)


def test_model_of_still_letters_ignores_clips(tmp_path: Path) -> None:
    """The same dataset with and without clips gives the same samples, from landmarks and from pixels."""
    splits = {name: factories.rows_of(name, 12) for name in schema.SPLITS}
    stills = factories.write(tmp_path / "stills", splits)
    moving = factories.dataset_with_clips(tmp_path / "moving")
    for kind in ("landmarks", "pixels"):
        contract = PreprocessConfig(kind=kind, size=32 if kind == "pixels" else 0)
        expected, found = (load_samples(folder, contract) for folder in (stills, moving))
        assert len(found) == 36
        for name in ("key", "label", "signer", "split", "group", "hand_found"):
            np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
        np.testing.assert_array_equal(found.hands, expected.hands)


def test_version_1_gives_the_same_samples(tmp_path: Path) -> None:
    folder = factories.dataset(tmp_path / "old", train=12, validation=2, test=4)
    contract = PreprocessConfig(kind="landmarks")
    before = load_samples(folder, contract)
    after = load_samples(factories.to_version_1(folder), contract)
    np.testing.assert_array_equal(before.hands, after.hands)
    np.testing.assert_array_equal(before.key, after.key)


def test_only_clips_cannot_train_the_model_of_still_letters(tmp_path: Path) -> None:
    folder = factories.write(tmp_path / "clips", {"train": factories.clip_rows(0, "ada", "1")})
    with pytest.raises(AslkitError, match=r"has only clips.*needs images of them: aslkit capture --letters A-Y"):
        load_samples(folder, PreprocessConfig(kind="landmarks"))


def test_exports_are_measured_on_stills(folder: Path) -> None:
    contract = PreprocessConfig(kind="landmarks")
    options = {"trained_on": ["ada"], "max_frames": 1000, "rng": np.random.default_rng(0)}
    frames = draw_calibration_frames(folder, contract, **options)  # type: ignore[arg-type]
    rows = [
        row
        for row in parquet_store.read_dataset(folder).to_pylist()
        if row["clip"] is None and row["landmarks"] and (row["split"], row["signer"]) == ("train", "ada")
    ]
    assert len(frames) == len(rows) > 0
    unseen = draw_test_frames(folder, contract, **options)  # type: ignore[arg-type]
    assert set(unseen.label.tolist()) <= set(range(24))
