"""A dataset as training needs it: who, which letter, which split, and the raw material of a feature."""

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
"""Of a letter's frames in a session, left out around a test by block: as curation does."""

_NEVER_NULL: Final = ("label", "signer", "session", "group", "width", "height")
_ABOUT: Final = [
    "label", "signer", "session", "handedness", "landmarks", "width", "height", "group", "parent", "image.path",
]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Samples:
    """The frames of a dataset, n of them, in the order of SIGNER/SESSION/LETTER/NAME.

    Attributes:
        raw: what a feature is computed from. float32 (n, 21, 3) hands as `canonical_points` gives them, or
            (n, size, size, 1) crops. Zeros where no hand was found.
        key: str (n,), SIGNER/SESSION/LETTER/NAME of the frame.
        label: int64 (n,), index of the letter.
        signer, session: str (n,).
        group: int64 (n,), near-duplicate cluster.
        found: bool (n,), whether a hand was.
        copy: bool (n,), whether it is a varied copy, which is only ever trained on.
        split: str (n,), "train", "validation" or "test".
        by: what the test was held out by: "signer", "session" or "block".
    """

    raw: Array
    key: npt.NDArray[np.str_]
    label: npt.NDArray[np.int64]
    signer: npt.NDArray[np.str_]
    session: npt.NDArray[np.str_]
    group: npt.NDArray[np.int64]
    found: npt.NDArray[np.bool_]
    copy: npt.NDArray[np.bool_]
    split: npt.NDArray[np.str_]
    by: str

    def __len__(self) -> int:
        """Number of frames."""
        return len(self.label)

    @property
    def frames(self) -> SplitFrames:
        """What decides a split of them."""
        return SplitFrames(signer=self.signer, session=self.session, label=self.label, group=self.group)


def load_samples(folder: Path, contract: PreprocessConfig) -> Samples:
    """Read a dataset and prepare the raw material of the contract's feature.

    Raises:
        InputError: no dataset there.
        AslkitError: it is damaged or hostile.
    """
    table = parquet_store.read_dataset(folder, _ABOUT)
    _check_told(table, folder)
    label = table.column("label").to_numpy()
    if len(table) == 0 or label.min() < 0 or label.max() >= len(LETTERS):
        raise AslkitError(f"{folder} has no rows, or labels outside 0–{len(LETTERS) - 1}. It is not an aslkit dataset.")
    names = schema.label_names(pq.read_schema(parquet_store.list_files(folder)[0]))
    if names is not None and names != list(LETTERS):
        raise AslkitError(
            f"{folder} has other labels ({', '.join(names[:6])} … {len(names)} of them) than the 24 still letters. "
            "Bring its images in anew: aslkit import FOLDER --signer NAME"
        )
    raw = _points(table, contract) if contract.kind == "landmarks" else _crops(folder, contract, len(table))
    keys = [row["path"] for row in table.column("image").to_pylist()]
    order = np.array(sorted(range(len(keys)), key=lambda i: natural_key(keys[i])))
    return Samples(
        raw=raw[order],
        key=np.array(keys)[order],
        label=label[order],
        signer=np.array(table.column("signer").to_pylist())[order],
        session=np.array(table.column("session").to_pylist())[order],
        group=table.column("group").to_numpy()[order],
        found=table.column("landmarks").is_valid().to_numpy()[order],
        copy=table.column("parent").is_valid().to_numpy()[order],
        split=np.array(table.column("split").to_pylist())[order],
        by=parquet_store.read_facts(folder).get("summary", {}).get("split_by", "signer"),
    )


def _check_told(table: pa.Table, folder: Path) -> None:
    """Raise AslkitError where rows lack what training goes by, or name people in words that no screen should show."""
    lacking = {name: table.column(name).null_count for name in _NEVER_NULL}
    lacking["image.path"] = pc.struct_field(table.column("image"), "path").null_count
    if missing := {name: count for name, count in lacking.items() if count}:
        name, count = next(iter(missing.items()))
        raise AslkitError(
            f"{folder} cannot be trained or measured on: {count:,} of its {len(table):,} rows have no {name}. "
            f"`aslkit dataset verify {shlex.quote(sanitize_text(folder, most=4096))}` says all that is wrong."
        )
    for name in ("signer", "session"):
        if odd := [each for each in pc.unique(table.column(name)).to_pylist() if not each.isprintable()]:
            raise AslkitError(
                f"{folder} names a {name} {sanitize_text(odd[0])}, which holds control characters. Ask its sender to rename it."
            )


def hold_out_signers(samples: Samples, signers: Sequence[str], config: TrainConfig) -> Samples:
    """Split again so that the test is just these signers.

    Raises:
        InputError: a signer is unknown, or nobody would be left to train on.
    """
    parts = split.split_frames(
        samples.frames,
        test_share=config.test_share,
        validation_share=config.validation_share,
        seed=config.seed,
        hold_out=signers,
    )
    return _split_as(samples, parts)


def leave_out_splits(samples: Samples, by: split.By, config: TrainConfig, *, most: int) -> list[Samples]:
    """Split several times, so that each signer, session or block of time is tested on once, by most in so many turns.

    Raises:
        InputError: there is only one of them.
    """
    return [
        _split_as(
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
        for test in split.make_folds(samples.frames, by, max_folds=most, seed=config.seed)
    ]


def train_on_all(samples: Samples, config: TrainConfig) -> Samples:
    """Split so that nothing is tested on: all signers are trained on, but for the last frames, which validate."""
    nothing = np.zeros(len(samples), bool)
    parts = split.split_around_test(
        samples.frames, nothing, by="block", validation_share=config.validation_share, seed=config.seed
    )
    return _split_as(samples, parts)


def drop_test(samples: Samples) -> Samples:
    """What may be looked at to choose a model: all but the test."""
    return subset(samples, samples.split != "test")


def _split_as(samples: Samples, parts: split.Split) -> Samples:
    again = replace(samples, split=parts.names, by=parts.by)
    return subset(again, (~again.copy | (again.split == "train")) & (again.split != split.GAP))


def random_split(samples: Samples, config: TrainConfig) -> Samples:
    """Split at random, without regard to people or likeness, as most published figures are; without varied copies."""
    samples = subset(samples, ~samples.copy)
    names = np.full(len(samples), "train", dtype="<U10")
    test = split.random_split(samples.label, share=config.test_share, seed=config.seed)
    names[test] = "test"
    rest = np.flatnonzero(~test)
    names[rest[split.random_split(samples.label[rest], share=config.validation_share, seed=config.seed + 1)]] = (
        "validation"
    )
    return replace(samples, split=names, by="random")


def subset(samples: Samples, taken: npt.NDArray[np.bool_]) -> Samples:
    """Some of the frames, with all that is known of them."""
    arrays = {field.name: getattr(samples, field.name) for field in fields(samples) if field.name != "by"}
    return Samples(**{name: values[taken] for name, values in arrays.items()}, by=samples.by)


def _points(table: pa.Table, contract: PreprocessConfig) -> Array:
    found = table.column("landmarks").is_valid().to_numpy()
    points = np.zeros((len(table), 21, 3), np.float32)
    values = table.column("landmarks").combine_chunks().flatten().to_numpy(zero_copy_only=False)
    _check_places(values)
    kept = table.filter(pa.array(found))
    points[found] = canonical_points(
        values.reshape(-1, 21, 3),
        widths=kept.column("width").to_numpy(),
        heights=kept.column("height").to_numpy(),
        left=np.array(kept.column("handedness").to_pylist()) == "left",
        mirror_left=contract.mirror_left,
    )
    return points


def _check_places(values: Array) -> None:
    """Raise AslkitError where landmarks or boxes are no numbers, or lie nowhere near their frames."""
    if not (np.abs(values) <= schema.MAX_COORDINATE).all():  # NaN is not
        raise AslkitError(
            "The dataset has landmarks or boxes that are not numbers, or lie far outside of their pictures. Ask its "
            "sender for another, or curate again."
        )


def _crops(folder: Path, contract: PreprocessConfig, rows: int) -> Array:
    crops = np.zeros((rows, contract.size, contract.size, 1), np.float32)
    done = 0
    # Pillow and OpenCV let go of the interpreter while they work, so threads use all cores.
    with ThreadPoolExecutor() as pool, progress_bar("Cropping hands", rows) as advance:
        for table in parquet_store.iter_row_groups(folder, ["image", "hand_box", "landmarks", "handedness"]):
            crops[done : done + len(table)] = list(pool.map(lambda row: _crop(row, contract), table.to_pylist()))
            done += len(table)
            advance(len(table))
    return crops


def _crop(row: dict[str, Any], contract: PreprocessConfig) -> Array:
    if row["hand_box"] is None or row["landmarks"] is None:
        return np.zeros(contract.shape, np.float32)
    if row["image"]["bytes"] is None:
        raise AslkitError("The dataset has no pictures, only landmarks. Train on those: --feature landmarks.")
    try:
        frame = decode_image(row["image"]["bytes"])
    except ImageError as error:
        raise AslkitError(f"The dataset's image {row['image']['path']!r} is {error.message}.") from error
    box = np.array(row["hand_box"], np.float32)
    points = np.array(row["landmarks"], np.float32).reshape(21, 3)
    _check_places(box)
    _check_places(points)
    return pixel_features(frame, box, left=row["handedness"] == "left", contract=contract, landmarks=points)
