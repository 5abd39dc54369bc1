"""A dataset as training needs it: hands, letters, signers and split."""

import os
import shlex
import zlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryFile
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
from aslkit.train.data.embedding_cache import load_or_embed
from aslkit.train.data.embedding_views import embed_views, join_hands, row_size
from aslkit.vision.images import Frame, ImageError, decode_image
from aslkit.vision.preprocess import Array, PreprocessConfig, canonical_points, pixel_features

GAP_SHARE: Final = 0.05
"""Share of a letter's frames in a session that is dropped around a test block, as curation does."""

_REQUIRED: Final = ("label", "signer", "session", "group", "width", "height")
_COLUMNS: Final = ["label", "signer", "session", "width", "height", "group", "parent", "image.path", "clip"]
_LANDMARK_COLUMNS: Final = ["landmarks", "handedness", "width", "height", "clip"]
_IMAGE_COLUMNS: Final = ["image", "hand_box", "landmarks", "handedness", "width", "height", "clip"]

_MEMORY_BYTES: Final = 256 * 2**20
"""Maximum size of hands in memory: a million as landmarks. More are in a temporary file."""


@dataclass(frozen=True, kw_only=True)
class Samples:
    """The n frames of a dataset that are not part of a clip, sorted by SIGNER/SESSION/LETTER/NAME.

    Attributes:
        hands: what features are computed from, for the whole dataset: landmarks from `canonical_points`, float32
            (N, 21, 3); landmarks and embeddings, float32 (N, n), see `embedding_views`; or crops, float32 (N, size,
            size, 1). Zeros if no hand was found. Large ones are in a temporary file that numpy maps, so read them with
            `read_hands`.
        row: the row of each frame in `hands`, int64 (n,).
        key: SIGNER/SESSION/LETTER/NAME of each frame, object (n,) of str.
        label: index of the letter, int64 (n,).
        signer, session: names, object (n,) of str.
        group: near-duplicate group, int64 (n,).
        hand_found: whether a hand was found, bool (n,).
        is_copy: whether the frame is an augmented copy, bool (n,). Copies are only used for training.
        split: "train", "validation" or "test", str (n,).
        by: unit by which the test set was held out: "signer", "session" or "block"; "random" for a random split.
    """

    hands: Array
    row: npt.NDArray[np.int64]
    key: npt.NDArray[np.object_]
    label: npt.NDArray[np.int64]
    signer: npt.NDArray[np.object_]
    session: npt.NDArray[np.object_]
    group: npt.NDArray[np.int64]
    hand_found: npt.NDArray[np.bool_]
    is_copy: npt.NDArray[np.bool_]
    split: npt.NDArray[np.str_]
    by: str

    def __len__(self) -> int:
        """Number of frames."""
        return len(self.label)

    def read_hands(self, frames: npt.NDArray[np.int64]) -> Array:
        """Return the hands of some frames, float32 (m, …).

        Args:
            frames: their numbers, int64 (m,).
        """
        return np.asarray(self.hands[self.row[frames]])

    @property
    def frames(self) -> SplitFrames:
        """The columns that `aslkit.datasets.split` needs."""
        return SplitFrames(signer=self.signer, session=self.session, label=self.label, group=self.group)


def load_samples(folder: Path, contract: PreprocessConfig, *, views: int = 0, cache: Path | None = None) -> Samples:
    """Read a dataset and preprocess its hands for a feature. The frames of clips are left out.

    Args:
        folder: folder of the dataset.
        contract: preprocessing of the feature.
        views: further views of each hand to embed, for training; see `embedding_views`.
        cache: folder for embeddings, which take minutes; None embeds again.

    Raises:
        InputError: no dataset found.
        AslkitError: the dataset is damaged, incomplete or has other labels.
    """
    table = parquet_store.read_dataset(folder, _COLUMNS)
    clips = table.column("clip").is_valid()
    if len(table) and pc.all(clips).as_py():
        raise AslkitError(
            f"{folder} has only clips, of letters that are signed with a movement. The model of the other letters "
            "needs images of them: aslkit capture --letters A-Y"
        )
    table = table.filter(pc.invert(clips))
    _check_columns(table, folder)
    label = table.column("label").to_numpy()
    if len(table) == 0 or label.min() < 0 or label.max() >= len(LETTERS):
        raise AslkitError(f"{folder} has no rows, or labels outside 0–{len(LETTERS) - 1}. It is not an aslkit dataset.")
    file_schema = pq.read_schema(parquet_store.list_files(folder)[0])
    if not schema.has_known_labels(file_schema):
        names = schema.label_names(file_schema) or []
        raise AslkitError(
            f"{folder} has other labels ({', '.join(names[:6])} …, {len(names)} in total) than the 24 static letters, "
            "J and Z. Import its images again: aslkit import FOLDER --signer NAME"
        )
    keys = pc.struct_field(table.column("image"), "path").to_pylist()
    order = _recording_order(keys)
    position = np.empty(len(order), np.int64)
    position[order] = np.arange(len(order))
    signer, session, split_names = (_read_names(table, name)[order] for name in ("signer", "session", "split"))
    read = partial(_read_hands, folder, contract, position, views)
    if cache is not None and contract.has_embedding:
        hands, hand_found = load_or_embed(cache, folder, row_size(views), read)
    else:
        hands, hand_found = read()
    return Samples(
        hands=hands,
        row=np.arange(len(order)),
        key=np.array(keys, object)[order],
        label=label[order],
        signer=signer,
        session=session,
        group=table.column("group").to_numpy()[order],
        hand_found=hand_found,
        is_copy=table.column("parent").is_valid().to_numpy()[order],
        split=split_names.astype("U10"),
        by=parquet_store.read_facts(folder).get("summary", {}).get("split_by", "signer"),
    )


def _recording_order(keys: Sequence[str]) -> npt.NDArray[np.int64]:
    """Return the order of SIGNER/SESSION/LETTER/NAME, on which blocks of time depend; a dataset is sorted by split.

    One session is sorted at a time, because a sort key takes a kilobyte.
    """
    sessions: dict[str, list[int]] = {}
    for index, key in enumerate(keys):
        sessions.setdefault(key.rsplit("/", 2)[0], []).append(index)
    order: list[int] = []
    for name in sorted(sessions, key=natural_key):
        order += sorted(sessions[name], key=lambda index: natural_key(keys[index]))
    return np.array(order, np.int64)


def _read_names(table: pa.Table, name: str) -> npt.NDArray[np.object_]:
    """Return a column of names, object (n,) of str. Rows of the same name share one string."""
    encoded = pc.dictionary_encode(table.column(name)).combine_chunks()
    names: npt.NDArray[np.object_] = np.array(encoded.dictionary.to_pylist(), object)[encoded.indices.to_numpy()]
    return names


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
    names = [field.name for field in fields(samples) if field.name not in ("hands", "by")]
    return replace(samples, **{name: getattr(samples, name)[selected] for name in names})


def concat_samples(parts: Sequence[Samples]) -> Samples:
    """Return the samples of several datasets, with their splits. Near-duplicate groups stay distinct."""
    arrays = {
        field.name: np.concatenate([getattr(part, field.name) for part in parts])
        for field in fields(Samples)
        if field.name not in ("group", "hands", "row", "by")
    }
    starts = np.cumsum([0, *(int(part.group.max(initial=-1)) + 1 for part in parts[:-1])])
    groups = [part.group + start for part, start in zip(parts, starts, strict=True)]
    hands = np.concatenate([part.read_hands(np.arange(len(part))) for part in parts])
    return Samples(**arrays, hands=hands, row=np.arange(len(hands)), group=np.concatenate(groups), by=parts[0].by)


def _read_hands(
    folder: Path, contract: PreprocessConfig, position: npt.NDArray[np.int64], views: int
) -> tuple[Array, npt.NDArray[np.bool_]]:
    """Read the hands of a dataset, and whether a hand was found in each frame.

    Args:
        folder: folder of the dataset.
        contract: preprocessing of the feature.
        position: place of each frame in the result, int64 (n,), in the order of the files.
        views: see `load_samples`.
    """
    shape = (len(position), *_hand_shape(contract, views))
    hands = np.zeros(shape, np.float32) if 4 * np.prod(shape) <= _MEMORY_BYTES else _map_temporary_file(shape)
    found = np.zeros(len(position), bool)
    needs_images = contract.kind != "landmarks"
    columns = _IMAGE_COLUMNS if needs_images else _LANDMARK_COLUMNS
    read_hand = partial(_embed_hand, views=views) if contract.has_embedding else _crop_hand
    done = 0
    # Pillow, OpenCV and MediaPipe release the GIL, so threads use all cores.
    with ThreadPoolExecutor(os.cpu_count()) as pool, progress_bar("Reading hands", len(position)) as advance:
        for row_group in parquet_store.iter_row_groups(folder, columns):
            table = row_group.filter(row_group.column("clip").is_null())
            if needs_images:
                part = np.zeros((len(table), *shape[1:]), np.float32)
                for number, hand in enumerate(pool.map(partial(read_hand, contract=contract), table.to_pylist())):
                    if hand is not None:
                        part[number] = hand
                    advance(1)
            else:
                part = _canonical_landmarks(table, contract)
                advance(len(table))
            rows = position[done : done + len(table)]
            hands[rows], found[rows] = part, table.column("landmarks").is_valid().to_numpy()
            done += len(table)
    return hands, found


def _map_temporary_file(shape: tuple[int, ...]) -> Array:
    """Return zeros, float32 of this shape, in a file that is deleted with the array."""
    with TemporaryFile(prefix="aslkit-hands-") as file:
        return np.memmap(file, np.float32, "w+", shape=shape)


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


def _hand_shape(contract: PreprocessConfig, views: int) -> tuple[int, ...]:
    if contract.has_embedding:
        return (row_size(views),)
    return (21, 3) if contract.kind == "landmarks" else contract.shape


def _crop_hand(row: dict[str, Any], contract: PreprocessConfig) -> Array | None:
    if row["hand_box"] is None or row["landmarks"] is None:
        return None
    frame, points = _read_frame(row)
    box = np.array(row["hand_box"], np.float32)
    _check_coordinates(box)
    return pixel_features(frame, box, left=row["handedness"] == "left", contract=contract, landmarks=points)


def _embed_hand(row: dict[str, Any], contract: PreprocessConfig, views: int) -> Array | None:
    if row["landmarks"] is None:
        return None
    frame, points = _read_frame(row)
    left = row["handedness"] == "left"
    canonical = canonical_points(
        points[None], widths=np.array([row["width"]]), heights=np.array([row["height"]]), left=np.array([left]),
        mirror_left=contract.mirror_left,
    )  # fmt: skip
    # The same views for the same image, whichever thread embeds it.
    rng = np.random.default_rng(zlib.crc32(row["image"]["bytes"]))
    embeddings = embed_views(frame, points, mirror=contract.mirror_left and left, views=views, rng=rng)
    return np.asarray(join_hands(canonical, embeddings[None])[0])


def _read_frame(row: dict[str, Any]) -> tuple[Frame, Array]:
    """Return the image of a row, BGR, and its landmarks, float32 (21, 3).

    Raises:
        AslkitError: the image is missing or damaged, or the landmarks are not numbers.
    """
    if row["image"]["bytes"] is None:
        raise AslkitError("The dataset has landmarks but no images. Train on the landmarks: --feature landmarks.")
    try:
        frame = decode_image(row["image"]["bytes"])
    except ImageError as error:
        raise AslkitError(f"The dataset's image {row['image']['path']!r} is {error.message}.") from error
    points = np.array(row["landmarks"], np.float32).reshape(21, 3)
    _check_coordinates(points)
    return frame, points
