from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest

from aslkit.datasets.duplicate_signers import (
    MAX_DISTANCE,
    MAX_FRAMES,
    ComparedHands,
    DuplicateSigners,
    duplicate_signer_warnings,
    find_duplicate_signers,
)
from aslkit.datasets.merging.merge import MergeConfig, merge_datasets
from tests.datasets.merging import test_merge as merging

Hashes = npt.NDArray[np.uint64]

POSE = np.random.default_rng(0).uniform(0.3, 0.6, (21, 3)).astype(np.float32)
PALM = float(np.linalg.norm(POSE[9, :2] - POSE[0, :2]))


def random_hashes(rng: np.random.Generator, count: int) -> Hashes:
    return rng.integers(0, 2**64, count, np.uint64)


def flip_bits(hashes: Hashes, bits: int) -> Hashes:
    """Flip the same number of bits in each hash."""
    return hashes ^ np.uint64(2**bits - 1)


def find(signer: npt.NDArray[np.str_], phash: Hashes, moved: npt.NDArray[Any] | float = 0.0) -> list[DuplicateSigners]:
    """Find duplicate signers, given how far each hand is from the others, in palm lengths."""
    shift = np.broadcast_to(np.asarray(moved) * PALM, len(phash))
    joints = np.repeat(POSE[None, :, :2], len(phash), axis=0)
    joints[..., 0] += shift[:, None]
    return find_duplicate_signers(ComparedHands(signer=signer, phash=phash, joints=joints))


def table(signer: Sequence[str | None], phash: Hashes | Sequence[int | None], **columns: Any) -> pa.Table:
    count = len(signer)
    values = {
        "signer": signer, "phash": phash, "landmarks": [POSE.ravel().tolist()] * count, "width": [320] * count,
        "height": [240] * count, "parent": [None] * count, "clip": [None] * count,
    }  # fmt: skip
    types = {
        "signer": pa.string(), "phash": pa.uint64(), "landmarks": pa.list_(pa.float32()), "width": pa.int32(),
        "height": pa.int32(), "parent": pa.string(), "clip": pa.string(),
    }  # fmt: skip
    return pa.table(values | columns, pa.schema(list(types.items())))


def test_signer_with_two_names_is_found(rng: np.random.Generator) -> None:
    ada, ben, cleo = random_hashes(rng, 200), random_hashes(rng, 100), random_hashes(rng, 100)
    maria = np.concatenate([flip_bits(ben[:50], MAX_DISTANCE), random_hashes(rng, 50)])
    signer = np.repeat(["ada", "ben", "cleo", "maria"], [200, 100, 100, 100])
    assert find(signer, np.concatenate([ada, ben, cleo, maria])) == [
        DuplicateSigners(signer="ben", other="maria", share=0.5),
        DuplicateSigners(signer="maria", other="ben", share=0.5),
    ]
    (text,) = duplicate_signer_warnings([table(signer.tolist(), np.concatenate([ada, ben, cleo, maria]))])
    assert text.startswith("50% of the frames of ben are near-duplicates of frames of maria.")


@pytest.mark.parametrize(
    ("copies", "bits", "found"), [(2, MAX_DISTANCE, True), (1, MAX_DISTANCE, False), (100, MAX_DISTANCE + 1, False)]
)
def test_few_or_distant_matches_are_ignored(rng: np.random.Generator, copies: int, bits: int, found: bool) -> None:
    ada = random_hashes(rng, 100)
    ben = np.concatenate([flip_bits(ada[:copies], bits), random_hashes(rng, 100 - copies)])
    assert bool(find(np.repeat(["ada", "ben"], 100), np.concatenate([ada, ben]))) is found


def test_same_background_with_another_hand_is_ignored(rng: np.random.Generator) -> None:
    same = np.repeat(random_hashes(rng, 1), 200)
    signer = np.repeat(["ada", "ben"], 100)
    assert find(signer, same, np.repeat([0.0, 0.1], 100)) == []
    assert len(find(signer, same, np.repeat([0.0, 0.04], 100))) == 2


def test_frames_without_a_hand_are_ignored(rng: np.random.Generator) -> None:
    same = np.repeat(random_hashes(rng, 1), 6)
    assert duplicate_signer_warnings([table(["ada"] * 3 + ["ben"] * 3, same, landmarks=[None] * 6)]) == []


def test_scaled_copies_are_found(rng: np.random.Generator) -> None:
    same = np.repeat(random_hashes(rng, 1), 6)
    sizes = {"width": [320] * 3 + [160] * 3, "height": [240] * 3 + [120] * 3}
    assert len(duplicate_signer_warnings([table(["ada"] * 3 + ["ben"] * 3, same, **sizes)])) == 1


def test_each_pair_is_reported_once_with_larger_share(rng: np.random.Generator) -> None:
    ada = random_hashes(rng, 300)
    (text,) = duplicate_signer_warnings([table(["ada"] * 300 + ["ben"] * 30, np.concatenate([ada, ada[:30]]))])
    assert text.startswith("100% of the frames of ben are near-duplicates of frames of ada.")


def test_rows_without_signer_hash_or_original_are_ignored(rng: np.random.Generator) -> None:
    same = np.repeat(random_hashes(rng, 1), 6)
    assert duplicate_signer_warnings([table(["ada"] * 6, same)]) == []
    assert duplicate_signer_warnings([table(["ada", "ada", None, None, None, None], same)]) == []
    assert duplicate_signer_warnings([table(["ada"] * 3 + ["ben"] * 3, [None] * 3 + same.tolist()[:3])]) == []
    assert duplicate_signer_warnings([table(["ada"] * 3 + ["ben"] * 3, same, parent=["x"] * 6)]) == []
    assert duplicate_signer_warnings([table([], same[:0])]) == []


def test_frames_are_sampled_from_every_signer(rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aslkit.datasets.duplicate_signers.MAX_FRAMES", MAX_FRAMES // 20)
    all_hashes = random_hashes(rng, 5_000)
    all_hashes[4_900:] = all_hashes[:100]  # the last of fifty signers is the first one
    found = find(np.repeat([f"s{number:02}" for number in range(50)], 100), all_hashes)
    assert [(each.signer, each.other, each.share) for each in found] == [("s00", "s49", 1.0), ("s49", "s00", 1.0)]


def test_merge_reports_duplicate_signers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = merging.Row.values

    def repeated(row: merging.Row) -> dict[str, Any]:
        number = row.number % 50
        return plain(row) | {"phash": 2**number - 1, "landmarks": [number + i / 7 for i in range(63)]}

    monkeypatch.setattr(merging.Row, "values", repeated)
    a = merging.write(tmp_path / "a", merging.numbers(0, "ada"))
    b = merging.write(tmp_path / "b", merging.numbers(50, "ben"))
    result = merge_datasets([a, b], tmp_path / "m", MergeConfig(test_share=0.2, validation_share=0.15, seed=0))
    assert any("near-duplicates of frames of" in note for note in result.summary["notes"])


def test_frames_of_clips_are_ignored(rng: np.random.Generator) -> None:
    same = np.tile(random_hashes(rng, 3), 2)
    signer = ["ada"] * 3 + ["ben"] * 3
    assert duplicate_signer_warnings([table(signer, same)])
    assert duplicate_signer_warnings([table(signer, same, clip=["ada/one/J/1"] * 6)]) == []
