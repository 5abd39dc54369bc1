"""Real frames to calibrate and measure an export with: model inputs and letters out of a dataset."""

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
from aslkit.vision.preprocess import Array, PreprocessConfig, canonical_points, landmark_features, pixel_features

_NEEDED: Final = ["label", "signer", "handedness", "landmarks", "hand_box", "hand_score", "width", "height", "parent"]


@dataclass(frozen=True, kw_only=True)
class SampleFrames:
    """Frames in which a hand was found, n of them, spread over signers and letters.

    Attributes:
        splits: of the dataset, where they are from.
        inputs: float32 (n, *contract.shape), as the model takes them.
        label: int64 (n,), index of the letter among the contract's.
        signer: str (n,).
        hands: as they were found.
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
    dataset: Path, contract: PreprocessConfig, *, trained_on: Collection[str], most: int, rng: np.random.Generator
) -> SampleFrames:
    """Draw frames of the train split, of people that the model learned from, or of anybody where it has none of them.

    Args:
        dataset: its folder.
        contract: of the model.
        trained_on: signers that the model learned from.
        most: how many frames at most, as evenly over signers and letters as there are.
        rng: draws them.

    Raises:
        InputError: no dataset there, or no frame with a hand in its train split.
        AslkitError: the dataset is damaged, or model and dataset have other letters.
    """
    table = _table(dataset, ("train",), contract)
    known = _of(table, trained_on)
    return _drawn(dataset, table.filter(known) if pc.any(known).as_py() else table, contract, most, rng)


def draw_test_frames(
    dataset: Path, contract: PreprocessConfig, *, trained_on: Collection[str], most: int, rng: np.random.Generator
) -> SampleFrames:
    """Draw frames of people that the model did not learn from; where all are known, of the test, or the validation.

    Args, raises: as `draw_calibration_frames`.
    """
    table = _table(dataset, schema.SPLITS, contract)
    strangers = pc.invert(_of(table, trained_on))
    if pc.any(strangers).as_py():
        return _drawn(dataset, table.filter(strangers), contract, most, rng)
    test, check = (table.filter(pc.equal(table.column("split"), split)) for split in ("test", "validation"))
    return _drawn(dataset, test if len(test) else check, contract, most, rng)


def _of(table: pa.Table, signers: Collection[str]) -> Any:
    return pc.is_in(table.column("signer"), value_set=pa.array(sorted(signers), pa.string()))


def _drawn(
    dataset: Path, table: pa.Table, contract: PreprocessConfig, most: int, rng: np.random.Generator
) -> SampleFrames:
    if not len(table):
        raise InputError(f"{dataset} has no frames with a hand to take. Curate again, or give another dataset.")
    return _frames(table.take(pa.array(_spread(table, most, rng))).to_pylist(), contract)


def _table(dataset: Path, splits: Sequence[str], contract: PreprocessConfig) -> pa.Table:
    """The rows in which a hand was found, without varied copies, with a column `split`."""
    if strange := [each for each in contract.letters if each not in INDEX]:
        raise AslkitError(f"The model knows {strange[0]!r}, which is no letter of a dataset.")
    parts = [
        _of_file(path, contract) for path in parquet_store.list_files(dataset) if path.name.split("-")[0] in splits
    ]
    empty = pa.table({"signer": pa.array([], pa.string()), "split": pa.array([], pa.string())})
    return pa.concat_tables(parts) if parts else empty


def _of_file(path: Path, contract: PreprocessConfig) -> pa.Table:
    columns = [*_NEEDED, "image"] if contract.kind == "pixels" else _NEEDED
    table = pa.concat_tables(parquet_store.iter_file_row_groups(path, columns)).replace_schema_metadata(None)
    taken = pc.and_(table.column("landmarks").is_valid(), pc.invert(table.column("parent").is_valid()))
    table = table.filter(taken)
    return table.append_column("split", pa.array([path.name.split("-")[0]] * len(table), pa.string()))


def _spread(table: pa.Table, most: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Rows to take, in their order: of each signer and letter the first drawn, then the second, and so on."""
    whose = list(zip(table.column("signer").to_pylist(), table.column("label").to_pylist(), strict=True))
    seen: dict[Any, int] = {}
    turn = np.zeros(len(whose), np.int64)
    order = rng.permutation(len(whose))
    for row in order:
        turn[row] = seen[whose[row]] = seen.get(whose[row], -1) + 1
    return np.sort(order[np.argsort(turn[order], kind="stable")][:most])


def _frames(rows: list[dict[str, Any]], contract: PreprocessConfig) -> SampleFrames:
    hands = tuple(map(_hand, rows))
    sizes = tuple((int(row["width"]), int(row["height"])) for row in rows)
    letters = [LETTERS[row["label"]] if 0 <= row["label"] < len(LETTERS) else "?" for row in rows]
    if strange := sorted(set(letters) - set(contract.letters)):
        raise AslkitError(f"The dataset has {' '.join(strange)}, which the model does not know.")
    inputs = _points(hands, sizes, contract) if contract.kind == "landmarks" else _crops(rows, hands, contract)
    return SampleFrames(
        splits=tuple(sorted({row["split"] for row in rows})),
        inputs=inputs,
        label=np.array([contract.letters.index(letter) for letter in letters]),
        signer=np.array([row["signer"] for row in rows]),
        hands=hands,
        sizes=sizes,
    )


def _hand(row: dict[str, Any]) -> Hand:
    landmarks = np.array(row["landmarks"], np.float32).reshape(21, 3)
    if not np.isfinite(landmarks).all():
        raise AslkitError("The dataset has landmarks that are not numbers. Curate again, or ask its sender.")
    side = "left" if row["handedness"] == "left" else "right"
    return Hand(landmarks=landmarks, handedness=side, score=row["hand_score"] or 0.5)  # type: ignore[arg-type]


def _points(hands: tuple[Hand, ...], sizes: tuple[tuple[int, int], ...], contract: PreprocessConfig) -> Array:
    points = canonical_points(
        np.stack([hand.landmarks for hand in hands]),
        widths=np.array([width for width, _ in sizes]),
        heights=np.array([height for _, height in sizes]),
        left=np.array([hand.handedness == "left" for hand in hands]),
        mirror_left=contract.mirror_left,
    )
    return landmark_features(points)


def _crops(rows: list[dict[str, Any]], hands: tuple[Hand, ...], contract: PreprocessConfig) -> Array:
    return np.stack([_crop(row, hand, contract) for row, hand in zip(rows, hands, strict=True)])


def _crop(row: dict[str, Any], hand: Hand, contract: PreprocessConfig) -> Array:
    if row["image"]["bytes"] is None:
        raise AslkitError("The dataset has no pictures, only landmarks; this model needs pictures.")
    try:
        frame = decode_image(row["image"]["bytes"])
    except ImageError as error:
        raise AslkitError(f"The dataset's image {row['image']['path']!r} is {error.message}.") from error
    return pixel_features(
        frame,
        np.array(row["hand_box"], np.float32),
        left=hand.handedness == "left",
        contract=contract,
        landmarks=hand.landmarks,
    )
