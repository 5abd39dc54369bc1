from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aslkit.core.errors import InputError
from aslkit.datasets.split import GAP, Split, SplitFrames, make_folds, random_split, split_frames

SHARES = st.sampled_from([0.01, 0.15, 0.2, 0.5, 0.9])


@st.composite
def recorded(draw: st.DrawFn, signers: tuple[int, int] = (1, 8), sessions: tuple[int, int] = (1, 3)) -> SplitFrames:
    """Frames as in curation, sorted by signer, session and letter. A group has one signer and one letter."""
    rows = []
    for signer in range(draw(st.integers(*signers))):
        for session in range(draw(st.integers(*sessions))):
            for letter in draw(st.lists(st.integers(0, 23), min_size=1, max_size=4, unique=True)):
                count = draw(st.integers(1, 12))
                group_size = draw(st.integers(1, 6))
                spans_sessions = draw(st.booleans())
                for index in range(count):
                    group = (signer, letter, 0 if spans_sessions else session, index // group_size)
                    rows.append((f"signer{signer}", f"session{session}", letter, group))
    numbers = {group: index for index, group in enumerate(dict.fromkeys(row[3] for row in rows))}
    return SplitFrames(
        signer=np.array([row[0] for row in rows]),
        session=np.array([row[1] for row in rows]),
        label=np.array([row[2] for row in rows]),
        group=np.array([numbers[row[3]] for row in rows]),
    )


def split(
    frames: SplitFrames, *, test: float = 0.2, validation: float = 0.15, seed: int = 0, hold_out: str = ""
) -> Split:
    result = split_frames(
        frames, test_share=test, validation_share=validation, seed=seed, hold_out=[hold_out] if hold_out else []
    )
    assert len(result.names) == len(frames)
    assert set(result.names.tolist()) <= {"train", "validation", "test"}
    return result


def values_in(result: Split, name: str, values: npt.NDArray[Any]) -> set[object]:
    return set(values[result.names == name].tolist())


@settings(deadline=None, max_examples=120)
@given(recorded(), SHARES, SHARES, st.integers(0, 2**32 - 1))
def test_group_is_never_in_two_splits(frames: SplitFrames, test: float, validation: float, seed: int) -> None:
    result = split(frames, test=test, validation=validation, seed=seed)
    names = [values_in(result, name, frames.group) for name in ("train", "validation", "test")]
    assert sum(map(len, names)) == len(set.union(*names))
    assert names[0], "train is empty"


@settings(deadline=None, max_examples=120)
@given(recorded(signers=(2, 8)), SHARES, SHARES, st.integers(0, 99))
def test_test_signers_are_not_in_train(frames: SplitFrames, test: float, validation: float, seed: int) -> None:
    result = split(frames, test=test, validation=validation, seed=seed)
    tested = values_in(result, "test", frames.signer)
    assert result.by == "signer"
    assert tested
    assert not tested & (values_in(result, "train", frames.signer) | values_in(result, "validation", frames.signer))
    assert len(tested) <= max(1, len(set(frames.signer.tolist())) // 2)


@settings(deadline=None, max_examples=60)
@given(recorded(signers=(2, 6)), st.data())
def test_only_held_out_signer_is_in_test(frames: SplitFrames, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(set(frames.signer.tolist()))))
    result = split(frames, hold_out=name)
    assert result.by == "signer"
    np.testing.assert_array_equal(result.names == "test", frames.signer == name)


@settings(deadline=None, max_examples=60)
@given(recorded(), st.integers(0, 99))
def test_split_is_deterministic(frames: SplitFrames, seed: int) -> None:
    np.testing.assert_array_equal(split(frames, seed=seed).names, split(frames, seed=seed).names)


def balanced(signers: int, sessions: int, letters: int, count: int, group_size: int = 1) -> SplitFrames:
    """Make `count` frames of every letter in every session of every signer."""
    index = np.indices((signers, sessions, letters, count)).reshape(4, -1)
    group = np.unique(np.stack([*index[:3], index[3] // group_size]), axis=1, return_inverse=True)[1].ravel()
    return SplitFrames(
        signer=np.char.add("signer", index[0].astype(str)),
        session=np.char.add("session", index[1].astype(str)),
        label=index[2],
        group=group,
    )


def test_one_signer_with_two_sessions_is_split_by_session() -> None:
    frames = balanced(1, 2, 3, 20)
    result = split(frames)
    assert result.by == "session"
    assert len(values_in(result, "test", frames.session)) == 1
    assert not values_in(result, "test", frames.session) & values_in(result, "train", frames.session)
    assert values_in(result, "train", frames.label) == values_in(result, "test", frames.label) == {0, 1, 2}


def test_only_session_with_a_letter_is_not_held_out() -> None:
    frames = balanced(1, 2, 2, 10)
    frames.label[frames.session == "session1"] += 2
    result = split(frames)
    assert result.by == "block"
    assert values_in(result, "train", frames.label) == values_in(result, "test", frames.label) == {0, 1, 2, 3}


def test_one_session_is_split_by_block_within_each_letter() -> None:
    frames = balanced(1, 1, 3, 20)
    result = split(frames)
    assert result.by == "block"
    for letter in range(3):
        names = result.names[frames.label == letter].tolist()
        assert names == ["train"] * 14 + ["validation"] * 2 + ["test"] * 4


def test_block_is_cut_between_groups() -> None:
    result = split(balanced(1, 1, 1, 20, group_size=5))
    assert result.names.tolist() == ["train"] * 15 + ["test"] * 5


def test_frames_in_one_group_are_all_in_train() -> None:
    assert split(balanced(1, 1, 2, 20, group_size=20)).names.tolist() == ["train"] * 40


def test_validation_holds_out_signers_if_there_are_many() -> None:
    frames = balanced(6, 1, 3, 6)
    result = split(frames)
    parts = [values_in(result, name, frames.signer) for name in ("train", "validation", "test")]
    assert all(parts)
    assert sum(map(len, parts)) == 6


@pytest.mark.parametrize("signers", [1, 2, 8])
def test_validation_is_empty_without_share(signers: int) -> None:
    assert "validation" not in split(balanced(signers, 1, 3, 6), validation=0).names


@pytest.mark.parametrize(("share", "expected"), [(0.5, 5), (0.34, 3), (0.2, 2), (0.05, 1)])
def test_validation_share_sets_number_of_signers(share: float, expected: int) -> None:
    frames = balanced(11, 1, 3, 6)  # one or two are in test
    signers = values_in(split(frames, validation=share), "validation", frames.signer)
    assert abs(len(signers) - expected) <= 1


def test_more_folds_than_frames_of_a_letter() -> None:
    frames = balanced(8, 1, 2, 1)
    result = split(frames, validation=0.01)
    assert values_in(result, "test", frames.signer)
    assert values_in(result, "train", frames.label) == {0, 1}


@pytest.mark.parametrize(
    ("hold_out", "message"),
    [
        (["nobody"], "No signer 'nobody' to hold out. Known signers: signer0, signer1"),
        (["signer0", "signer1"], "leaves no signer for training"),
        (["signer1", "signer0", "signer1"], "Holding out signer0, signer1 leaves no signer"),
    ],
)
def test_invalid_hold_out_is_reported(hold_out: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        split_frames(balanced(2, 1, 1, 2), test_share=0.2, validation_share=0.2, seed=0, hold_out=hold_out)
    assert caught.value.exit_code == 2


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(0, 23), max_size=200), SHARES, st.integers(0, 99))
def test_random_split_is_stratified_by_letter(labels: list[int], share: float, seed: int) -> None:
    label = np.array(labels, np.int64)
    test = random_split(label, share=share, seed=seed)
    for letter in set(labels):
        assert test[label == letter].sum() == round((label == letter).sum() * share)
    np.testing.assert_array_equal(test, random_split(label, share=share, seed=seed))


def test_random_split_depends_on_seed() -> None:
    label = np.zeros(100, np.int64)
    assert (random_split(label, share=0.5, seed=0) != random_split(label, share=0.5, seed=1)).any()


@settings(deadline=None, max_examples=120)
@given(recorded(signers=(1, 1), sessions=(1, 1)), SHARES, st.sampled_from([0.01, 0.1, 0.3]))
def test_gap_separates_train_from_block_test(frames: SplitFrames, share: float, gap: float) -> None:
    without_gap = split_frames(frames, test_share=share, validation_share=0.15, seed=0)
    result = split_frames(frames, test_share=share, validation_share=0.15, seed=0, gap_share=gap)
    assert ((result.names == "test") <= (without_gap.names == "test")).all()
    for letter in np.unique(frames.label):
        names = result.names[frames.label == letter]
        test, others = np.flatnonzero(names == "test"), np.flatnonzero(np.isin(names, ["train", "validation"]))
        if len(test) and len(others):
            assert np.abs(test[:, None] - others[None]).min() > round(len(names) * gap)


def test_split_by_signer_or_session_has_no_gap() -> None:
    for frames in (balanced(2, 1, 3, 8), balanced(1, 2, 3, 8)):
        assert GAP not in split_frames(frames, test_share=0.2, validation_share=0.15, seed=0, gap_share=0.3).names


def test_no_gap_without_gap_share() -> None:
    assert GAP not in split_frames(balanced(1, 1, 3, 20), test_share=0.2, validation_share=0.15, seed=0).names


def test_signer_with_most_frames_stays_in_train() -> None:
    """As after removing near-duplicates, if two signers did not move and one did."""
    signer = np.repeat(["moving", "still", "calm"], [5760, 48, 48])
    label = np.concatenate([np.arange(5760) % 24, np.arange(48) % 24, np.arange(48) % 24])
    frames = SplitFrames(signer=signer, session=signer, label=label, group=np.arange(len(label)))
    for seed in range(8):
        names = split_frames(frames, test_share=0.2, validation_share=0.15, seed=seed).names
        assert set(signer[names == "test"]) <= {"still", "calm"}


def test_signer_with_one_letter_is_not_held_out() -> None:
    """A test split with one letter would say nothing about the others."""
    signer = np.repeat(["ada", "ben", "cleo", "once"], [240, 240, 240, 60])
    label = np.concatenate([np.arange(720) % 4, np.zeros(60, int)])
    frames = SplitFrames(signer=signer, session=signer, label=label, group=np.arange(len(label)))
    for seed in range(8):
        result = split(frames, seed=seed)
        assert values_in(result, "test", frames.label) == {0, 1, 2, 3}
        assert "once" not in values_in(result, "test", frames.signer)


@given(frames=recorded(signers=(2, 8)), by=st.sampled_from(["signer", "session", "block"]), max_folds=st.integers(2, 5))
def test_folds_contain_every_frame_once(frames: SplitFrames, by: Any, max_folds: int) -> None:
    folds = make_folds(frames, by, max_folds=max_folds, seed=0)
    assert (np.sum(folds, axis=0) == 1).all()
    assert all(fold.any() for fold in folds)
    assert len(folds) <= max_folds


@given(frames=recorded(signers=(2, 9)), max_folds=st.integers(2, 5), seed=st.integers(0, 5))
def test_folds_by_signer_are_balanced(frames: SplitFrames, max_folds: int, seed: int) -> None:
    folds = make_folds(frames, "signer", max_folds=max_folds, seed=seed)
    signers = [set(frames.signer[fold].tolist()) for fold in folds]
    count = len(set(frames.signer.tolist()))
    assert sum(map(len, signers)) == count
    assert len(folds) == min(max_folds, count)
    assert max(map(len, signers)) - min(map(len, signers)) <= 1
    if count <= max_folds:
        assert [sorted(each) for each in signers] == [[name] for name in sorted(set(frames.signer.tolist()))]


def test_folds_depend_on_seed() -> None:
    names = np.array([f"signer{index}" for index in range(8)])
    eight = SplitFrames(signer=names, session=names, label=np.zeros(8, np.int64), group=np.arange(8))
    assignments = {
        tuple(map(tuple, (names[fold].tolist() for fold in make_folds(eight, "signer", max_folds=4, seed=seed))))
        for seed in range(6)
    }
    assert len(assignments) > 3


def test_folds_by_block_are_consecutive_and_cut_between_groups() -> None:
    def frames(group: npt.NDArray[np.int64]) -> SplitFrames:
        same = np.repeat("a", len(group))
        return SplitFrames(signer=same, session=same, label=np.zeros(len(group), np.int64), group=group)

    single = make_folds(frames(np.arange(12)), "block", max_folds=4, seed=0)
    assert [np.flatnonzero(fold).tolist() for fold in single] == [[0, 1, 2], [3, 4, 5], [6, 7, 8], [9, 10, 11]]
    grouped = make_folds(frames(np.array([0, 0, 1, 1, 1, 1, 1, 2, 2, 3])), "block", max_folds=3, seed=0)
    assert [np.flatnonzero(fold).tolist() for fold in grouped] == [[0, 1, 2, 3, 4, 5, 6], [7, 8, 9]]


def test_folds_need_two_signers_or_sessions() -> None:
    zero = np.zeros(1, np.int64)
    one = SplitFrames(signer=np.array(["ada"]), session=np.array(["one"]), label=zero, group=zero)
    with pytest.raises(InputError, match=r"only one signer \(ada\)"):
        make_folds(one, "signer", max_folds=5, seed=0)
    with pytest.raises(InputError, match=r"only one session \(ada/one\)"):
        make_folds(one, "session", max_folds=5, seed=0)


def test_signer_with_most_letters_is_in_test() -> None:
    signer = np.repeat(["ada", "ben", "cleo"], [5, 5, 8])
    label = np.array([0] * 5 + [0] * 5 + [0, 1] * 4)
    frames = SplitFrames(signer=signer, session=signer, label=label, group=np.arange(18))
    for seed in range(4):
        result = split_frames(frames, test_share=1 / 3, validation_share=0.15, seed=seed, hold_out=[])
        assert set(signer[result.names == "test"].tolist()) == {"cleo"}


@given(recorded(signers=(2, 5)), st.integers(0, 9))
def test_synthetic_signer_is_not_in_test_with_real_signers(frames: SplitFrames, seed: int) -> None:
    names = frames.signer.copy().astype("<U40")
    names[names == names[0]] = "synthetic-ada"
    mixed = replace(frames, signer=names)
    real = set(names.tolist()) - {"synthetic-ada"}
    result = split(mixed, seed=seed)
    tested = set(names[result.names == "test"].tolist())
    assert result.by == "signer"
    assert len(real) < 2 or tested <= real
