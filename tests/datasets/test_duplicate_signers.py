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
    DuplicateSigners,
    duplicate_signer_warnings,
    find_duplicate_signers,
)
from aslkit.datasets.merging.merge import MergeConfig, merge_datasets
from tests.datasets.merging import test_merge as merging

Hashes = npt.NDArray[np.uint64]


def random_hashes(rng: np.random.Generator, count: int) -> Hashes:
    return rng.integers(0, 2**64, count, np.uint64)


def flip_bits(hashes: Hashes, bits: int) -> Hashes:
    """Flip the same number of bits in each hash."""
    return hashes ^ np.uint64(2**bits - 1)


def table(signer: Sequence[str | None], phash: Hashes | Sequence[int | None], **columns: Any) -> pa.Table:
    values = {"signer": signer, "phash": phash, "parent": [None] * len(signer)} | columns
    return pa.table(values, pa.schema([("signer", pa.string()), ("phash", pa.uint64()), ("parent", pa.string())]))


def test_signer_with_two_names_is_found(rng: np.random.Generator) -> None:
    ada, ben, cleo = random_hashes(rng, 200), random_hashes(rng, 100), random_hashes(rng, 100)
    maria = np.concatenate([flip_bits(ben[:50], MAX_DISTANCE), random_hashes(rng, 50)])
    signer = np.repeat(["ada", "ben", "cleo", "maria"], [200, 100, 100, 100])
    found = find_duplicate_signers(signer, np.concatenate([ada, ben, cleo, maria]))
    assert found == [
        DuplicateSigners(signer="ben", other="maria", share=0.5),
        DuplicateSigners(signer="maria", other="ben", share=0.5),
    ]
    (text,) = duplicate_signer_warnings(table(signer.tolist(), np.concatenate([ada, ben, cleo, maria])))
    assert text.startswith("50% of the frames of ben are near-duplicates of frames of maria.")


@pytest.mark.parametrize(
    ("copies", "bits", "found"), [(2, MAX_DISTANCE, True), (1, MAX_DISTANCE, False), (100, MAX_DISTANCE + 1, False)]
)
def test_few_or_distant_matches_are_ignored(rng: np.random.Generator, copies: int, bits: int, found: bool) -> None:
    ada = random_hashes(rng, 100)
    ben = np.concatenate([flip_bits(ada[:copies], bits), random_hashes(rng, 100 - copies)])
    assert bool(find_duplicate_signers(np.repeat(["ada", "ben"], 100), np.concatenate([ada, ben]))) is found


def test_each_pair_is_reported_once_with_larger_share(rng: np.random.Generator) -> None:
    ada = random_hashes(rng, 300)
    (text,) = duplicate_signer_warnings(table(["ada"] * 300 + ["ben"] * 30, np.concatenate([ada, ada[:30]])))
    assert text.startswith("100% of the frames of ben are near-duplicates of frames of ada.")


def test_rows_without_signer_hash_or_original_are_ignored(rng: np.random.Generator) -> None:
    same = np.repeat(random_hashes(rng, 1), 6)
    assert duplicate_signer_warnings(table(["ada"] * 6, same)) == []
    assert duplicate_signer_warnings(table(["ada", "ada", None, None, None, None], same)) == []
    assert duplicate_signer_warnings(table(["ada"] * 3 + ["ben"] * 3, [None] * 3 + same.tolist()[:3])) == []
    assert duplicate_signer_warnings(table(["ada"] * 3 + ["ben"] * 3, same, parent=["x"] * 6)) == []
    assert duplicate_signer_warnings(table([], same[:0])) == []


def test_frames_are_sampled_from_every_signer(rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aslkit.datasets.duplicate_signers.MAX_FRAMES", MAX_FRAMES // 20)
    all_hashes = random_hashes(rng, 5_000)
    all_hashes[4_900:] = all_hashes[:100]  # the last of fifty signers is the first one
    found = find_duplicate_signers(np.repeat([f"s{number:02}" for number in range(50)], 100), all_hashes)
    assert [(each.signer, each.other, each.share) for each in found] == [("s00", "s49", 1.0), ("s49", "s00", 1.0)]


def test_merge_reports_duplicate_signers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = merging.Row.values
    monkeypatch.setattr(merging.Row, "values", lambda row: plain(row) | {"phash": 2 ** (row.number % 50) - 1})
    a = merging.write(tmp_path / "a", merging.numbers(0, "ada"))
    b = merging.write(tmp_path / "b", merging.numbers(50, "ben"))
    result = merge_datasets([a, b], tmp_path / "m", MergeConfig(test_share=0.2, validation_share=0.15, seed=0))
    assert any("near-duplicates of frames of" in note for note in result.summary["notes"])
