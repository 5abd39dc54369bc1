"""A dataset as training needs it: hands, letters, signers and split."""

import shlex
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from aslkit.core.errors import AslkitError
from aslkit.core.files import natural_key
from aslkit.core.letters import LETTERS
from aslkit.core.progress import progress_bar
from aslkit.core.sanitize import sanitize_text
from aslkit.datasets import parquet_store, schema, split
from aslkit.datasets.split import SplitFrames
from aslkit.train.config import TrainConfig
from aslkit.vision.images import ImageError, decode_image
from aslkit.vision.preprocess import Array, PreprocessConfig, canonical_points, pixel_features

GAP_SHARE: Final = 0.05
"""Share of a letter's frames in a session that is dropped around a test block, as curation does."""

_REQUIRED: Final = ("label", "signer", "session", "group", "width", "height")
_COLUMNS: Final = [
    "label", "signer", "session", "handedness", "landmarks", "width", "height", "group", "parent", "image.path",
]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Samples:
    """The n frames of a dataset, sorted by SIGNER/SESSION/LETTER/NAME.

    Attributes:
        hands: what features are computed from: landmarks from `canonical_points`, float32 (n, 21, 3), or crops,
            float32 (n, size, size, 1). Zeros if no hand was found.
        key: SIGNER/SESSION/LETTER/NAME of each frame, str (n,).
        label: index of the letter, int64 (n,).
        signer, session: names, str (n,).
        group: near-duplicate group, int64 (n,).
        hand_found: whether a hand was found, bool (n,).
        is_copy: whether the frame is an augmented copy, bool (n,). Copies are only used for training.
        split: "train", "validation" or "test", str (n,).
        by: unit by which the test set was held out: "signer", "session" or "block"; "random" for a random split.
    """

    hands: Array
    key: npt.NDArray[np.str_]
    label: npt.NDArray[np.int64]
    signer: npt.NDArray[np.str_]
    session: npt.NDArray[np.str_]
    group: npt.NDArray[np.int64]
    hand_found: npt.NDArray[np.bool_]
    is_copy: npt.NDArray[np.bool_]
    split: npt.NDArray[np.str_]
    by: str

    def __len__(self) -> int:
        """Number of frames."""
        return len(self.label)

    @property
    def frames(self) -> SplitFrames:
        """The columns that `aslkit.datasets.split` needs."""
        return SplitFrames(signer=self.signer, session=self.session, label=self.label, group=self.group)


def load_samples(folder: Path, contract: PreprocessConfig) -> Samples:
    """Read a dataset and preprocess its hands for a feature.

    Args:
        folder: folder of the dataset.
        contract: preprocessing of the feature.

    Raises:
        InputError: no dataset found.
        AslkitError: the dataset is damaged, incomplete or has other labels.
    """
    table = parquet_store.read_dataset(folder, _COLUMNS)
    _check_columns(table, folder)
    label = table.column("label").to_numpy()
    if len(table) == 0 or label.min() < 0 or label.max() >= len(LETTERS):
        raise AslkitError(f"{folder} has no rows, or labels outside 0–{len(LETTERS) - 1}. It is not an aslkit dataset.")
    names = schema.label_names(pq.read_schema(parquet_store.list_files(folder)[0]))
    if names is not None and names != list(LETTERS):
        raise AslkitError(
            f"{folder} has other labels ({', '.join(names[:6])} …, {len(names)} in total) than the 24 static letters. "
            "Import its images again: aslkit import FOLDER --signer NAME"
        )
    if contract.kind == "landmarks":
        hands = _canonical_landmarks(table, contract)
    else:
        hands = _crop_hands(folder, contract, len(table))
    keys = [row["path"] for row in table.column("image").to_pylist()]
    # The recording order, on which blocks of time depend; a dataset is sorted by split first.
    order = np.array(sorted(range(len(keys)), key=lambda i: natural_key(keys[i])))
    return Samples(
        hands=hands[order],
        key=np.array(keys)[order],
        label=label[order],
        signer=np.array(table.column("signer").to_pylist())[order],
        session=np.array(table.column("session").to_pylist())[order],
        group=table.column("group").to_numpy()[order],
        hand_found=table.column("landmarks").is_valid().to_numpy()[order],
        is_copy=table.column("parent").is_valid().to_numpy()[order],
        split=np.array(table.column("split").to_pylist())[order],
        by=parquet_store.read_facts(folder).get("summary", {}).get("split_by", "signer"),
    )


def _check_columns(table: pa.Table, folder: Path) -> None:
    """Raise AslkitError if a required value is null, or a name has control characters, which could alter a terminal."""
    nulls = {name: table.column(name).null_count for name in _REQUIRED}
    nulls["image.path"] = pc.struct_field(table.column("image"), "path").null_count
    if missing := {name: count for name, count in nulls.items() if count}:
        name, count = next(iter(missing.items()))
        raise AslkitError(
            f"{folder} cannot be used for training or evaluation: {count:,} of its {len(table):,} rows have no {name}. "
            f"`aslkit dataset verify {shlex.quote(sanitize_text(folder, most=4096))}` lists all problems."
        )
    for name in ("signer", "session"):
        if unprintable := [each for each in pc.unique(table.column(name)).to_pylist() if not each.isprintable()]:
            raise AslkitError(
                f"{folder} has a {name} named {sanitize_text(unprintable[0])}, which contains control characters. "
                "Ask the sender to rename it."
            )


def hold_out_signers(samples: Samples, signers: Sequence[str], config: TrainConfig) -> Samples:
    """Split again with exactly these signers as the test set.

    Raises:
        InputError: a signer is unknown, or no signer would be left for training.
    """
    parts = split.split_frames(
        samples.frames,
        test_share=config.test_share,
        validation_share=config.validation_share,
        seed=config.seed,
        hold_out=signers,
    )
    return _apply_split(samples, parts)


def cross_validation_splits(samples: Samples, by: split.By, config: TrainConfig, *, max_folds: int) -> list[Samples]:
    """Split once per fold, so that each signer, session or block is in the test set of exactly one fold.

    Raises:
        InputError: there is only one signer or session.
    """
    return [
        _apply_split(
            samples,
            split.split_around_test(
                samples.frames,
                test,
                by=by,
                validation_share=config.validation_share,
                seed=config.seed,
                gap_share=GAP_SHARE,
            ),
        )
        for test in split.make_folds(samples.frames, by, max_folds=max_folds, seed=config.seed)
    ]


def train_on_all(samples: Samples, config: TrainConfig) -> Samples:
    """Split without a test set: the last frames of each recording are for validation, all others for training."""
    no_test = np.zeros(len(samples), bool)
    parts = split.split_around_test(
        samples.frames, no_test, by="block", validation_share=config.validation_share, seed=config.seed
    )
    return _apply_split(samples, parts)


def drop_test(samples: Samples) -> Samples:
    """Return the samples outside the test set, which may be used for model selection and calibration."""
    return subset(samples, samples.split != "test")


def _apply_split(samples: Samples, parts: split.Split) -> Samples:
    """Return the samples with another split, without its gaps and without copies outside the training set."""
    resplit = replace(samples, split=parts.names, by=parts.by)
    return subset(resplit, (~resplit.is_copy | (resplit.split == "train")) & (resplit.split != split.GAP))


def random_split(samples: Samples, config: TrainConfig) -> Samples:
    """Split at random, ignoring signers and near-duplicates, as most published results do. Copies are dropped."""
    samples = subset(samples, ~samples.is_copy)
    names = np.full(len(samples), "train", dtype="<U10")
    test = split.random_split(samples.label, share=config.test_share, seed=config.seed)
    names[test] = "test"
    rest = np.flatnonzero(~test)
    names[rest[split.random_split(samples.label[rest], share=config.validation_share, seed=config.seed + 1)]] = (
        "validation"
    )
    return replace(samples, split=names, by="random")


def subset(samples: Samples, selected: npt.NDArray[np.bool_]) -> Samples:
    """Return the samples selected by a mask, bool (n,)."""
    arrays = {field.name: getattr(samples, field.name) for field in fields(samples) if field.name != "by"}
    return Samples(**{name: values[selected] for name, values in arrays.items()}, by=samples.by)


def concat_samples(parts: Sequence[Samples]) -> Samples:
    """Return the samples of several datasets, with their splits. Near-duplicate groups stay distinct."""
    arrays = {
        field.name: np.concatenate([getattr(part, field.name) for part in parts])
        for field in fields(Samples)
        if field.name not in ("group", "by")
    }
    starts = np.cumsum([0, *(int(part.group.max(initial=-1)) + 1 for part in parts[:-1])])
    groups = [part.group + start for part, start in zip(parts, starts, strict=True)]
    return Samples(**arrays, group=np.concatenate(groups), by=parts[0].by)


def _canonical_landmarks(table: pa.Table, contract: PreprocessConfig) -> Array:
    hand_found = table.column("landmarks").is_valid().to_numpy()
    points = np.zeros((len(table), 21, 3), np.float32)
    # flatten skips null lists, so the values belong to the rows with a hand only.
    values = table.column("landmarks").combine_chunks().flatten().to_numpy(zero_copy_only=False)
    _check_coordinates(values)
    with_hand = table.filter(pa.array(hand_found))
    points[hand_found] = canonical_points(
        values.reshape(-1, 21, 3),
        widths=with_hand.column("width").to_numpy(),
        heights=with_hand.column("height").to_numpy(),
        left=np.array(with_hand.column("handedness").to_pylist()) == "left",
        mirror_left=contract.mirror_left,
    )
    return points


def _check_coordinates(values: Array) -> None:
    """Raise AslkitError if landmarks or boxes are NaN or far outside of the image."""
    if not (np.abs(values) <= schema.MAX_COORDINATE).all():  # also False for NaN
        raise AslkitError(
            "The dataset has landmarks or boxes that are not numbers, or far outside of their images. Ask the sender "
            "for a corrected dataset, or curate again."
        )


def _crop_hands(folder: Path, contract: PreprocessConfig, rows: int) -> Array:
    crops = np.zeros((rows, contract.size, contract.size, 1), np.float32)
    done = 0
    # Pillow and OpenCV release the GIL, so threads use all cores.
    with ThreadPoolExecutor() as pool, progress_bar("Cropping hands", rows) as advance:
        for table in parquet_store.iter_row_groups(folder, ["image", "hand_box", "landmarks", "handedness"]):
            crops[done : done + len(table)] = list(pool.map(lambda row: _crop_hand(row, contract), table.to_pylist()))
            done += len(table)
            advance(len(table))
    return crops


def _crop_hand(row: dict[str, Any], contract: PreprocessConfig) -> Array:
    if row["hand_box"] is None or row["landmarks"] is None:
        return np.zeros(contract.shape, np.float32)
    if row["image"]["bytes"] is None:
        raise AslkitError("The dataset has landmarks but no images. Train on the landmarks: --feature landmarks.")
    try:
        frame = decode_image(row["image"]["bytes"])
    except ImageError as error:
        raise AslkitError(f"The dataset's image {row['image']['path']!r} is {error.message}.") from error
    box = np.array(row["hand_box"], np.float32)
    points = np.array(row["landmarks"], np.float32).reshape(21, 3)
    _check_coordinates(box)
    _check_coordinates(points)
    return pixel_features(frame, box, left=row["handedness"] == "left", contract=contract, landmarks=points)
