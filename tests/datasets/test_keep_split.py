import numpy as np
import pytest

from aslkit.datasets.split import keep_split
from tests.curate.factories import make_frames

FRAMES = make_frames(("ann", "train", "A", 4), ("ann", "valid", "A", 2), ("ben", "test", "A", 3))
NAMES = np.array(["train"] * 4 + ["validation"] * 2 + ["test"] * 3)


def test_split_is_kept() -> None:
    split = keep_split(FRAMES, NAMES, by="signer", validation_share=0.2, seed=0)
    assert split.names.tolist() == NAMES.tolist()
    assert split.by == "signer"


@pytest.mark.parametrize(("rows", "moved"), [((0, 6), (6,)), ((4, 8), (4, 8)), ((6, 7), ())])
def test_groups_in_several_splits_are_moved_to_train(rows: tuple[int, int], moved: tuple[int, ...]) -> None:
    FRAMES.group[:] = np.arange(9)
    FRAMES.group[rows[1]] = rows[0]
    split = keep_split(FRAMES, NAMES, by="signer", validation_share=0.2, seed=0)
    expected = NAMES.copy()
    expected[list(moved)] = "train"
    assert split.names.tolist() == expected.tolist()


def test_validation_is_chosen_if_none_is_given() -> None:
    FRAMES.group[:] = np.arange(9)
    names = np.where(NAMES == "validation", "train", NAMES)
    split = keep_split(FRAMES, names, by="signer", validation_share=0.3, seed=0)
    assert (split.names == "test").tolist() == (names == "test").tolist()
    assert 1 <= (split.names == "validation").sum() <= 3
