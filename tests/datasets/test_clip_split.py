"""A clip is one unit of the split."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aslkit.core.letters import LABEL_INDEX, LETTERS
from aslkit.datasets.clip_split import Clips, keep_split_of_rows, split_rows
from aslkit.datasets.split import GAP, Split, SplitFrames, split_frames

Mask = npt.NDArray[np.bool_]

SHARES = {"test_share": 0.2, "validation_share": 0.15, "seed": 0}


class Rows:
    """Builds frames and their clips."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, str, int, int, str | None]] = []

    def stills(self, signer: str, session: str, letters: Sequence[str] = LETTERS, *, each: int = 10) -> None:
        for letter in letters:
            for _ in range(each):
                self.rows.append((signer, session, LABEL_INDEX[letter], len(self.rows), None))

    def clips(self, signer: str, session: str, *, each: int = 10, letters: str = "JZ", frames: int = 3) -> None:
        for letter in letters:
            for _ in range(each):
                group = len(self.rows)
                name = f"{signer}/{session}/{letter}/{group}"
                self.rows += [(signer, session, LABEL_INDEX[letter], group, name)] * frames

    def build(self) -> tuple[SplitFrames, Clips]:
        signer, session, label, group, clip = (np.array(each, object) for each in zip(*self.rows, strict=True))
        frames = SplitFrames(signer=signer, session=session, label=label.astype(np.int64), group=group.astype(np.int64))
        return frames, clip

    def split(self, **options: object) -> tuple[Split, SplitFrames, Clips]:
        frames, clip = self.build()
        split = split_rows(frames, clip, **(SHARES | {"gap_share": 0.05} | options))  # type: ignore[arg-type]
        return split, frames, clip


def splits_of(split: Split, mask: Mask) -> set[str]:
    return set(split.names[mask].tolist())


@st.composite
def any_rows(draw: st.DrawFn) -> tuple[SplitFrames, Clips]:
    """Frames of a few signers and sessions, some of them in clips, with groups that join some of them."""
    units = draw(
        st.lists(
            st.tuples(st.sampled_from("abcde"), st.sampled_from("xyz"), st.integers(0, 25), st.integers(1, 4)),
            min_size=2, max_size=60,
        )
    )  # fmt: skip
    rows, groups = [], draw(st.integers(1, len(units)))
    for number, (signer, session, label, length) in enumerate(units):
        name = f"clip {number}" if label >= len(LETTERS) else None
        rows += [(signer, session, label, number % groups, name)] * (length if name else 1)
    order = draw(st.permutations(range(len(rows))))
    signer_, session_, label_, group_, clip = (np.array([rows[i][k] for i in order], object) for k in range(5))
    frames = SplitFrames(signer=signer_, session=session_, label=label_.astype(np.int64), group=group_.astype(np.int64))
    return frames, clip


@settings(deadline=None, max_examples=150)
@given(any_rows())
@pytest.mark.filterwarnings("ignore:The least populated class")
def test_clip_is_never_in_two_splits(rows: tuple[SplitFrames, Clips]) -> None:
    frames, clip = rows
    split = split_rows(frames, clip, **SHARES, gap_share=0.05)  # type: ignore[arg-type]
    for name in {name for name in clip.tolist() if name is not None}:
        names = splits_of(split, clip == name)
        assert len(names) == 1
        assert GAP not in names
    for group in np.unique(frames.group):
        assert len(splits_of(split, frames.group == group) - {GAP}) == 1
    if split.by == "signer":
        test, train = (set(frames.signer[split.names == name].tolist()) for name in ("test", "train"))
        shared = test & train  # only because of a group that several signers share
        assert not shared or len(np.unique(frames.group)) < len(frames)


def test_without_clips_the_split_is_that_of_stills() -> None:
    rows = Rows()
    for signer in ("ada", "ben", "cleo"):
        rows.stills(signer, "one", each=4)
    split, frames, _ = rows.split()
    expected = split_frames(frames, **SHARES, gap_share=0.05)  # type: ignore[arg-type]
    assert split.by == expected.by
    np.testing.assert_array_equal(split.names, expected.names)


def test_clips_of_held_out_signer_are_test_clips() -> None:
    rows = Rows()
    for signer in ("ada", "ben", "cleo"):
        rows.stills(signer, "one", each=4)
        rows.clips(signer, "two")
    split, frames, clip = rows.split(hold_out=["ben"])
    is_clip = np.array([name is not None for name in clip])
    assert splits_of(split, is_clip & (frames.signer == "ben")) == {"test"}
    assert splits_of(split, is_clip & (frames.signer != "ben")) == {"train", "validation"}
    automatic, _, _ = rows.split()
    assert "test" in splits_of(automatic, is_clip)


def test_only_signer_with_clips_is_not_held_out() -> None:
    for with_clips in ("ada", "ben", "cleo", "dora"):
        rows = Rows()
        for signer in ("ada", "ben", "cleo", "dora"):
            rows.stills(signer, "one", each=4)
        rows.clips(with_clips, "one")
        split, _, clip = rows.split()
        assert "test" not in splits_of(split, np.array([name is not None for name in clip]))
        assert "test" in splits_of(split, np.array([name is None for name in clip]))


@pytest.mark.parametrize("clip_session", ["one", "three"])
def test_clips_of_one_signer_do_not_change_the_split_of_stills(clip_session: str) -> None:
    rows = Rows()
    rows.stills("ada", "one")
    rows.stills("ada", "two")
    stills_alone, _, _ = rows.split()
    assert stills_alone.by == "session"
    rows.clips("ada", clip_session)
    split, frames, clip = rows.split()
    is_clip = np.array([name is not None for name in clip])
    assert split.by == "session"
    np.testing.assert_array_equal(split.names[~is_clip], stills_alone.names)
    for letter in "JZ":
        assert {"train", "test"} <= splits_of(split, is_clip & (frames.label == LABEL_INDEX[letter]))


def test_clips_of_a_test_session_are_test_clips() -> None:
    rows = Rows()
    for session in ("one", "two"):
        rows.stills("ada", session)
        rows.clips("ada", session)
    split, frames, clip = rows.split()
    is_clip = np.array([name is not None for name in clip])
    test_session = set(frames.session[~is_clip & (split.names == "test")].tolist())
    assert set(frames.session[is_clip & (split.names == "test")].tolist()) == test_session


@pytest.mark.parametrize("with_stills", [True, False])
def test_one_session_has_clips_in_train_and_test_and_loses_none(with_stills: bool) -> None:
    rows = Rows()
    if with_stills:
        rows.stills("ada", "one", each=40)
    rows.clips("ada", "one", each=25)
    split, frames, clip = rows.split()
    is_clip = np.array([name is not None for name in clip])
    assert split.by == "block"
    assert (GAP in splits_of(split, ~is_clip)) == with_stills
    for letter in "JZ":
        mask = is_clip & (frames.label == LABEL_INDEX[letter])
        assert splits_of(split, mask) == {"train", "validation", "test"}
        assert len(set(clip[mask & (split.names == "test")].tolist())) == 5


def test_given_split_is_kept() -> None:
    rows = Rows()
    for signer in ("ada", "ben"):
        rows.stills(signer, "one", each=4)
        rows.clips(signer, "one", each=6)
    frames, clip = rows.build()
    given_names = np.where(frames.signer == "ben", "test", "train").astype(np.str_)
    split = keep_split_of_rows(frames, clip, given_names, by="signer", validation_share=0.15, seed=0)
    assert splits_of(split, frames.signer == "ben") == {"test"}
    is_clip = np.array([name is not None for name in clip])
    assert splits_of(split, is_clip & (frames.signer == "ada")) == {"train", "validation"}
    for name in set(clip[is_clip].tolist()):
        assert len(splits_of(split, clip == name)) == 1
