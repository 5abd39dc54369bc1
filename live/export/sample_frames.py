"""Selects real frames of a dataset to calibrate int8 quantisation and to measure an export."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from aslkit.core.errors import AslkitError, InputError
from aslkit.core.letters import INDEX, LETTERS
from aslkit.datasets import parquet_store, schema
from aslkit.vision.hand_landmarker import Hand
from aslkit.vision.images import ImageError, decode_image
from aslkit.vision.preprocess import Array, PreprocessConfig, canonical_points, landmark_features, model_input

_COLUMNS: Final = [
    "label",
    "signer",
    "handedness",
    "landmarks",
    "hand_box",
    "hand_score",
    "width",
    "height",
    "parent",
    "clip",
]


@dataclass(frozen=True, kw_only=True)
class SampleFrames:
    """The n selected frames, in each of which a hand was found.

    Attributes:
        splits: splits of the dataset that the frames are from, sorted.
        inputs: inputs of the model, float32 (n, *contract.shape).
        label: index of the letter in `contract.letters`, int64 (n,).
        signer: name of the signer, str (n,).
        hands: detected hands.
        sizes: (width, height) of each frame, pixels.
    """

    splits: tuple[str, ...]
    inputs: Array
    label: npt.NDArray[np.int64]
    signer: npt.NDArray[np.str_]
    hands: tuple[Hand, ...]
    sizes: tuple[tuple[int, int], ...]

    def __len__(self) -> int:
        """Number of frames."""
        return len(self.label)


def draw_calibration_frames(
    dataset: Path, contract: PreprocessConfig, *, trained_on: Collection[str], max_frames: int, rng: np.random.Generator
) -> SampleFrames:
    """Draw frames of the train split: of the signers that the model was trained on, or of all signers if it has none.

    Args:
        dataset: folder of the dataset.
        contract: contract of the model.
        trained_on: signers that the model was trained on.
        max_frames: maximum number of frames. They are spread evenly over signers and letters as far as possible.
        rng: draws the frames.

    Raises:
        InputError: there is no dataset, or its train split has no frame with a hand.
        AslkitError: the dataset is damaged, or has other letters than the model.
    """
    table = _read_table(dataset, ("train",), contract)
    known = _is_signer(table, trained_on)
    return _draw(dataset, table.filter(known) if pc.any(known).as_py() else table, contract, max_frames, rng)


def draw_test_frames(
    dataset: Path, contract: PreprocessConfig, *, trained_on: Collection[str], max_frames: int, rng: np.random.Generator
) -> SampleFrames:
    """Draw frames of unseen signers, of all splits. Without unseen signers, draw from the test or validation split.

    See `draw_calibration_frames` for arguments and errors.
    """
    table = _read_table(dataset, schema.SPLITS, contract)
    unseen = pc.invert(_is_signer(table, trained_on))
    if pc.any(unseen).as_py():
        return _draw(dataset, table.filter(unseen), contract, max_frames, rng)
    test, validation = (table.filter(pc.equal(table.column("split"), split)) for split in ("test", "validation"))
    return _draw(dataset, test if len(test) else validation, contract, max_frames, rng)


def _is_signer(table: pa.Table, signers: Collection[str]) -> Any:
    return pc.is_in(table.column("signer"), value_set=pa.array(sorted(signers), pa.string()))


def _draw(
    dataset: Path, table: pa.Table, contract: PreprocessConfig, max_frames: int, rng: np.random.Generator
) -> SampleFrames:
    if not len(table):
        raise InputError(f"{dataset} has no suitable frames with a hand. Curate again, or use another dataset.")
    return _to_samples(table.take(pa.array(_select_rows(table, max_frames, rng))).to_pylist(), contract)


def _read_table(dataset: Path, splits: Sequence[str], contract: PreprocessConfig) -> pa.Table:
    """Return the rows with a hand, without augmented copies and clips, with an additional column "split"."""
    if unknown := [letter for letter in contract.letters if letter not in INDEX]:
        raise AslkitError(f"The model predicts {unknown[0]!r}, which is not a letter of datasets.")
    parts = [
        _read_file(path, contract) for path in parquet_store.list_files(dataset) if path.name.split("-")[0] in splits
    ]
    empty = pa.table({"signer": pa.array([], pa.string()), "split": pa.array([], pa.string())})
    return pa.concat_tables(parts) if parts else empty


def _read_file(path: Path, contract: PreprocessConfig) -> pa.Table:
    columns = _COLUMNS if contract.kind == "landmarks" else [*_COLUMNS, "image"]
    table = pa.concat_tables(parquet_store.iter_file_row_groups(path, columns)).replace_schema_metadata(None)
    usable = pc.and_(table.column("landmarks").is_valid(), pc.invert(table.column("parent").is_valid()))
    table = table.filter(pc.and_(usable, table.column("clip").is_null()))
    return table.append_column("split", pa.array([path.name.split("-")[0]] * len(table), pa.string()))


def _select_rows(table: pa.Table, max_frames: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Return up to `max_frames` random row numbers, sorted.

    One row is selected for each signer and letter, then a second one for each, and so on.
    """
    groups = list(zip(table.column("signer").to_pylist(), table.column("label").to_pylist(), strict=True))
    last_round: dict[Any, int] = {}
    round_of_row = np.zeros(len(groups), np.int64)
    order = rng.permutation(len(groups))
    for row in order:
        round_of_row[row] = last_round[groups[row]] = last_round.get(groups[row], -1) + 1
    # stable keeps the random order within a round.
    return np.sort(order[np.argsort(round_of_row[order], kind="stable")][:max_frames])


def _to_samples(rows: list[dict[str, Any]], contract: PreprocessConfig) -> SampleFrames:
    hands = tuple(map(_to_hand, rows))
    sizes = tuple((int(row["width"]), int(row["height"])) for row in rows)
    letters = [LETTERS[row["label"]] if 0 <= row["label"] < len(LETTERS) else "?" for row in rows]
    if unknown := sorted(set(letters) - set(contract.letters)):
        raise AslkitError(f"The dataset has letters that the model does not predict: {' '.join(unknown)}")
    is_landmarks = contract.kind == "landmarks"
    inputs = _landmark_inputs(hands, sizes, contract) if is_landmarks else _pixel_inputs(rows, hands, contract)
    return SampleFrames(
        splits=tuple(sorted({row["split"] for row in rows})),
        inputs=inputs,
        label=np.array([contract.letters.index(letter) for letter in letters]),
        signer=np.array([row["signer"] for row in rows]),
        hands=hands,
        sizes=sizes,
    )


def _to_hand(row: dict[str, Any]) -> Hand:
    landmarks = np.array(row["landmarks"], np.float32).reshape(21, 3)
    if not np.isfinite(landmarks).all():
        raise AslkitError("The dataset has infinite or undefined landmarks. Curate it again, or ask its author.")
    side = "left" if row["handedness"] == "left" else "right"
    return Hand(landmarks=landmarks, handedness=side, score=row["hand_score"] or 0.5)  # type: ignore[arg-type]


def _landmark_inputs(hands: tuple[Hand, ...], sizes: tuple[tuple[int, int], ...], contract: PreprocessConfig) -> Array:
    points = canonical_points(
        np.stack([hand.landmarks for hand in hands]),
        widths=np.array([width for width, _ in sizes]),
        heights=np.array([height for _, height in sizes]),
        left=np.array([hand.handedness == "left" for hand in hands]),
        mirror_left=contract.mirror_left,
    )
    return landmark_features(points)


def _pixel_inputs(rows: list[dict[str, Any]], hands: tuple[Hand, ...], contract: PreprocessConfig) -> Array:
    return np.stack([_pixel_input(row, hand, contract) for row, hand in zip(rows, hands, strict=True)])


def _pixel_input(row: dict[str, Any], hand: Hand, contract: PreprocessConfig) -> Array:
    if row["image"]["bytes"] is None:
        raise AslkitError("The dataset has no images, only landmarks, but this model needs images.")
    try:
        frame = decode_image(row["image"]["bytes"])
    except ImageError as error:
        raise AslkitError(f"The dataset's image {row['image']['path']!r} is {error.message}.") from error
    return model_input(frame, hand, contract)
