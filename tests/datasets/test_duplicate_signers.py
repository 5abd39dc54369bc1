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


def hashes(rng: np.random.Generator, count: int) -> Hashes:
    return rng.integers(0, 2**64, count, np.uint64)


def turned(found: Hashes, bits: int) -> Hashes:
    """With so many bits turned, the same in each."""
    return found ^ np.uint64(2**bits - 1)


def table(signer: Sequence[str | None], phash: Hashes | Sequence[int | None], **columns: Any) -> pa.Table:
    about = {"signer": signer, "phash": phash, "parent": [None] * len(signer)} | columns
    return pa.table(about, pa.schema([("signer", pa.string()), ("phash", pa.uint64()), ("parent", pa.string())]))


def test_one_person_under_two_names_is_told_with_whose_pictures_they_are(rng: np.random.Generator) -> None:
    ada, ben, cleo = hashes(rng, 200), hashes(rng, 100), hashes(rng, 100)
    maria = np.concatenate([turned(ben[:50], MAX_DISTANCE), hashes(rng, 50)])
    signer = np.repeat(["ada", "ben", "cleo", "maria"], [200, 100, 100, 100])
    found = find_duplicate_signers(signer, np.concatenate([ada, ben, cleo, maria]))
    assert found == [
        DuplicateSigners(signer="ben", other="maria", share=0.5),
        DuplicateSigners(signer="maria", other="ben", share=0.5),
    ]
    (text,) = duplicate_signer_warnings(table(signer.tolist(), np.concatenate([ada, ben, cleo, maria])))
    assert text.startswith("50% of the frames of ben are near-copies of frames of maria.")


@pytest.mark.parametrize(
    ("copies", "bits", "told"), [(2, MAX_DISTANCE, True), (1, MAX_DISTANCE, False), (100, MAX_DISTANCE + 1, False)]
)
def test_a_chance_copy_is_no_person(rng: np.random.Generator, copies: int, bits: int, told: bool) -> None:
    ada = hashes(rng, 100)
    ben = np.concatenate([turned(ada[:copies], bits), hashes(rng, 100 - copies)])
    assert bool(find_duplicate_signers(np.repeat(["ada", "ben"], 100), np.concatenate([ada, ben]))) is told


def test_a_pair_is_told_once_by_the_larger_share(rng: np.random.Generator) -> None:
    ada = hashes(rng, 300)
    (text,) = duplicate_signer_warnings(table(["ada"] * 300 + ["ben"] * 30, np.concatenate([ada, ada[:30]])))
    assert text.startswith("100% of the frames of ben are near-copies of frames of ada.")


def test_what_says_nothing_of_people_is_passed_over(rng: np.random.Generator) -> None:
    same = np.repeat(hashes(rng, 1), 6)
    assert duplicate_signer_warnings(table(["ada"] * 6, same)) == []
    assert duplicate_signer_warnings(table(["ada", "ada", None, None, None, None], same)) == []
    assert duplicate_signer_warnings(table(["ada"] * 3 + ["ben"] * 3, [None] * 3 + same.tolist()[:3])) == []
    assert duplicate_signer_warnings(table(["ada"] * 3 + ["ben"] * 3, same, parent=["x"] * 6)) == []
    assert duplicate_signer_warnings(table([], same[:0])) == []


def test_of_many_frames_some_are_compared_but_those_of_every_signer(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aslkit.datasets.duplicate_signers.MAX_FRAMES", MAX_FRAMES // 20)
    everybody = hashes(rng, 5_000)
    everybody[4_900:] = everybody[:100]  # the last of fifty signers is the first
    found = find_duplicate_signers(np.repeat([f"s{number:02}" for number in range(50)], 100), everybody)
    assert [(each.signer, each.other, each.share) for each in found] == [("s00", "s49", 1.0), ("s49", "s00", 1.0)]


def test_a_merge_says_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = merging.Row.values
    monkeypatch.setattr(merging.Row, "values", lambda row: plain(row) | {"phash": 2 ** (row.number % 50) - 1})
    a = merging.write(tmp_path / "a", merging.numbers(0, "ada"))
    b = merging.write(tmp_path / "b", merging.numbers(50, "ben"))
    done = merge_datasets([a, b], tmp_path / "m", MergeConfig(test_share=0.2, validation_share=0.15, seed=0))
    assert any("near-copies of frames of" in note for note in done.summary["notes"])
