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
    """Frames as curation gives them: by signer, session and letter; a group is of one signer and letter."""
    rows = []
    for signer in range(draw(st.integers(*signers))):
        for session in range(draw(st.integers(*sessions))):
            for letter in draw(st.lists(st.integers(0, 23), min_size=1, max_size=4, unique=True)):
                count = draw(st.integers(1, 12))
                likeness = draw(st.integers(1, 6))
                # Groups reach from one session into the next where the number is shared.
                shared = draw(st.booleans())
                for index in range(count):
                    group = (signer, letter, 0 if shared else session, index // likeness)
                    rows.append((f"signer{signer}", f"session{session}", letter, group))
    numbers = {group: index for index, group in enumerate(dict.fromkeys(row[3] for row in rows))}
    return SplitFrames(
        signer=np.array([row[0] for row in rows]),
        session=np.array([row[1] for row in rows]),
        label=np.array([row[2] for row in rows]),
        group=np.array([numbers[row[3]] for row in rows]),
    )


def done(
    frames: SplitFrames, *, test: float = 0.2, validation: float = 0.15, seed: int = 0, hold_out: str = ""
) -> Split:
    result = split_frames(
        frames, test_share=test, validation_share=validation, seed=seed, hold_out=[hold_out] if hold_out else []
    )
    assert len(result.names) == len(frames)
    assert set(result.names.tolist()) <= {"train", "validation", "test"}
    return result


def of(result: Split, name: str, values: npt.NDArray[Any]) -> set[object]:
    return set(values[result.names == name].tolist())


@settings(deadline=None, max_examples=120)
@given(recorded(), SHARES, SHARES, st.integers(0, 2**32 - 1))
def test_a_group_is_never_in_two_splits(frames: SplitFrames, test: float, validation: float, seed: int) -> None:
    result = done(frames, test=test, validation=validation, seed=seed)
    names = [of(result, name, frames.group) for name in ("train", "validation", "test")]
    assert sum(map(len, names)) == len(set.union(*names))
    assert names[0], "nothing to train on"


@settings(deadline=None, max_examples=120)
@given(recorded(signers=(2, 8)), SHARES, SHARES, st.integers(0, 99))
def test_nobody_tested_on_is_trained_on(frames: SplitFrames, test: float, validation: float, seed: int) -> None:
    result = done(frames, test=test, validation=validation, seed=seed)
    tested = of(result, "test", frames.signer)
    assert result.by == "signer"
    assert tested
    assert not tested & (of(result, "train", frames.signer) | of(result, "validation", frames.signer))
    assert len(tested) <= max(1, len(set(frames.signer.tolist())) // 2)


@settings(deadline=None, max_examples=60)
@given(recorded(signers=(2, 6)), st.data())
def test_whom_the_user_holds_out_is_tested_on_and_nobody_else(frames: SplitFrames, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(set(frames.signer.tolist()))))
    result = done(frames, hold_out=name)
    assert result.by == "signer"
    np.testing.assert_array_equal(result.names == "test", frames.signer == name)


@settings(deadline=None, max_examples=60)
@given(recorded(), st.integers(0, 99))
def test_the_same_every_time(frames: SplitFrames, seed: int) -> None:
    np.testing.assert_array_equal(done(frames, seed=seed).names, done(frames, seed=seed).names)


def plain(signers: int, sessions: int, letters: int, count: int, likeness: int = 1) -> SplitFrames:
    """Everybody signs every letter in every session, so many frames of each."""
    index = np.indices((signers, sessions, letters, count)).reshape(4, -1)
    group = np.unique(np.stack([*index[:3], index[3] // likeness]), axis=1, return_inverse=True)[1].ravel()
    return SplitFrames(
        signer=np.char.add("signer", index[0].astype(str)),
        session=np.char.add("session", index[1].astype(str)),
        label=index[2],
        group=group,
    )


def test_one_person_in_two_sittings_is_tested_on_one_of_them() -> None:
    frames = plain(1, 2, 3, 20)
    result = done(frames)
    assert result.by == "session"
    assert len(of(result, "test", frames.session)) == 1
    assert not of(result, "test", frames.session) & of(result, "train", frames.session)
    assert of(result, "train", frames.label) == of(result, "test", frames.label) == {0, 1, 2}


def test_a_sitting_that_alone_shows_a_letter_is_not_held_out() -> None:
    frames = plain(1, 2, 2, 10)
    frames.label[frames.session == "session1"] += 2
    result = done(frames)
    assert result.by == "block"
    assert of(result, "train", frames.label) == of(result, "test", frames.label) == {0, 1, 2, 3}


def test_one_person_in_one_sitting_is_tested_on_the_last_frames_of_each_letter() -> None:
    frames = plain(1, 1, 3, 20)
    result = done(frames)
    assert result.by == "block"
    for letter in range(3):
        of_letter = result.names[frames.label == letter].tolist()
        assert of_letter == ["train"] * 14 + ["validation"] * 2 + ["test"] * 4


def test_a_block_is_cut_between_groups() -> None:
    result = done(plain(1, 1, 1, 20, likeness=5))
    assert result.names.tolist() == ["train"] * 15 + ["test"] * 5


def test_frames_that_are_all_alike_are_all_trained_on() -> None:
    assert done(plain(1, 1, 2, 20, likeness=20)).names.tolist() == ["train"] * 40


def test_with_many_people_validation_is_on_people_too() -> None:
    frames = plain(6, 1, 3, 6)
    result = done(frames)
    parts = [of(result, name, frames.signer) for name in ("train", "validation", "test")]
    assert all(parts)
    assert sum(map(len, parts)) == 6


@pytest.mark.parametrize("signers", [1, 2, 8])
def test_without_a_share_nobody_is_kept_for_validation(signers: int) -> None:
    assert "validation" not in done(plain(signers, 1, 3, 6), validation=0).names


@pytest.mark.parametrize(("share", "people"), [(0.5, 5), (0.34, 3), (0.2, 2), (0.05, 1)])
def test_the_share_says_how_many_people_are_kept_for_validation(share: float, people: int) -> None:
    frames = plain(11, 1, 3, 6)  # one or two are tested on
    kept = of(done(frames, validation=share), "validation", frames.signer)
    assert abs(len(kept) - people) <= 1


def test_few_frames_of_each_of_many_people() -> None:
    """More folds than frames of any letter."""
    frames = plain(8, 1, 2, 1)
    result = done(frames, validation=0.01)
    assert of(result, "test", frames.signer)
    assert of(result, "train", frames.label) == {0, 1}


@pytest.mark.parametrize(
    ("hold_out", "words"),
    [
        (["nobody"], "no signer 'nobody' to hold out. There are: signer0, signer1"),
        (["signer0", "signer1"], "leaves nobody to train on"),
        (["signer1", "signer0", "signer1"], "Holding out signer0, signer1 leaves nobody"),
    ],
)
def test_a_wrong_hold_out(hold_out: list[str], words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        split_frames(plain(2, 1, 1, 2), test_share=0.2, validation_share=0.2, seed=0, hold_out=hold_out)
    assert caught.value.exit_code == 2


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(0, 23), max_size=200), SHARES, st.integers(0, 99))
def test_the_random_split_keeps_letters_in_balance(labels: list[int], share: float, seed: int) -> None:
    label = np.array(labels, np.int64)
    drawn = random_split(label, share=share, seed=seed)
    for letter in set(labels):
        assert drawn[label == letter].sum() == round((label == letter).sum() * share)
    np.testing.assert_array_equal(drawn, random_split(label, share=share, seed=seed))


def test_the_random_split_is_random() -> None:
    label = np.zeros(100, np.int64)
    assert (random_split(label, share=0.5, seed=0) != random_split(label, share=0.5, seed=1)).any()


@settings(deadline=None, max_examples=120)
@given(recorded(signers=(1, 1), sessions=(1, 1)), SHARES, st.sampled_from([0.01, 0.1, 0.3]))
def test_a_gap_keeps_train_away_from_a_test_by_block(frames: SplitFrames, share: float, gap: float) -> None:
    plain_ = split_frames(frames, test_share=share, validation_share=0.15, seed=0)
    result = split_frames(frames, test_share=share, validation_share=0.15, seed=0, gap_share=gap)
    assert ((result.names == "test") <= (plain_.names == "test")).all()
    for letter in np.unique(frames.label):
        names = result.names[frames.label == letter]
        tested, others = np.flatnonzero(names == "test"), np.flatnonzero(np.isin(names, ["train", "validation"]))
        if len(tested) and len(others):
            assert np.abs(tested[:, None] - others[None]).min() > round(len(names) * gap)


def test_people_and_sessions_need_no_gap() -> None:
    for frames in (plain(2, 1, 3, 8), plain(1, 2, 3, 8)):
        assert GAP not in split_frames(frames, test_share=0.2, validation_share=0.15, seed=0, gap_share=0.3).names


def test_without_a_share_there_is_no_gap() -> None:
    assert GAP not in split_frames(plain(1, 1, 3, 20), test_share=0.2, validation_share=0.15, seed=0).names


def test_most_frames_are_trained_on_where_one_person_has_most_of_them() -> None:
    """As after thinning out near-duplicates: two sat still, one moved about."""
    signer = np.repeat(["moving", "still", "calm"], [5760, 48, 48])
    label = np.concatenate([np.arange(5760) % 24, np.arange(48) % 24, np.arange(48) % 24])
    frames = SplitFrames(signer=signer, session=signer, label=label, group=np.arange(len(label)))
    for seed in range(8):
        names = split_frames(frames, test_share=0.2, validation_share=0.15, seed=seed).names
        assert set(signer[names == "test"]) <= {"still", "calm"}


def test_who_showed_one_letter_is_not_tested_on_while_others_showed_all() -> None:
    """As where somebody tried the recorder once: a test on that alone would say nothing of the other letters."""
    signer = np.repeat(["ada", "ben", "cleo", "once"], [240, 240, 240, 60])
    label = np.concatenate([np.arange(720) % 4, np.zeros(60, int)])
    frames = SplitFrames(signer=signer, session=signer, label=label, group=np.arange(len(label)))
    for seed in range(8):
        result = done(frames, seed=seed)
        assert of(result, "test", frames.label) == {0, 1, 2, 3}
        assert "once" not in of(result, "test", frames.signer)


@given(frames=recorded(signers=(2, 8)), by=st.sampled_from(["signer", "session", "block"]), most=st.integers(2, 5))
def test_folds_test_every_frame_once(frames: SplitFrames, by: Any, most: int) -> None:
    tests = make_folds(frames, by, most=most, seed=0)
    assert (np.sum(tests, axis=0) == 1).all()
    assert all(test.any() for test in tests)
    assert len(tests) <= most


@given(frames=recorded(signers=(2, 9)), most=st.integers(2, 5), seed=st.integers(0, 5))
def test_folds_by_signer_keep_people_whole_and_share_them_out_evenly(frames: SplitFrames, most: int, seed: int) -> None:
    tests = make_folds(frames, "signer", most=most, seed=seed)
    people = [set(frames.signer[test].tolist()) for test in tests]
    count = len(set(frames.signer.tolist()))
    assert sum(map(len, people)) == count
    assert len(tests) == min(most, count)
    assert max(map(len, people)) - min(map(len, people)) <= 1
    if count <= most:
        assert [sorted(each) for each in people] == [[name] for name in sorted(set(frames.signer.tolist()))]


def test_who_shares_a_fold_is_drawn_by_the_seed() -> None:
    names = np.array([f"signer{index}" for index in range(8)])
    eight = SplitFrames(signer=names, session=names, label=np.zeros(8, np.int64), group=np.arange(8))
    drawn = {
        tuple(map(tuple, (names[test].tolist() for test in make_folds(eight, "signer", most=4, seed=seed))))
        for seed in range(6)
    }
    assert len(drawn) > 3


def test_folds_by_block_are_consecutive_of_equal_length_and_cut_between_groups() -> None:
    def frames(group: npt.NDArray[np.int64]) -> SplitFrames:
        same = np.repeat("a", len(group))
        return SplitFrames(signer=same, session=same, label=np.zeros(len(group), np.int64), group=group)

    single = make_folds(frames(np.arange(12)), "block", most=4, seed=0)
    assert [np.flatnonzero(test).tolist() for test in single] == [[0, 1, 2], [3, 4, 5], [6, 7, 8], [9, 10, 11]]
    grouped = make_folds(frames(np.array([0, 0, 1, 1, 1, 1, 1, 2, 2, 3])), "block", most=3, seed=0)
    assert [np.flatnonzero(test).tolist() for test in grouped] == [[0, 1, 2, 3, 4, 5, 6], [7, 8, 9]]


def test_one_signer_cannot_be_left_out() -> None:
    zero = np.zeros(1, np.int64)
    one = SplitFrames(signer=np.array(["ada"]), session=np.array(["one"]), label=zero, group=zero)
    with pytest.raises(InputError, match=r"only one signer \(ada\)"):
        make_folds(one, "signer", most=5, seed=0)
    with pytest.raises(InputError, match=r"only one session \(ada/one\)"):
        make_folds(one, "session", most=5, seed=0)


def test_whoever_shows_most_letters_is_tested_on_where_half_is_left_to_train_on() -> None:
    signer = np.repeat(["ada", "ben", "cleo"], [5, 5, 8])
    label = np.array([0] * 5 + [0] * 5 + [0, 1] * 4)
    frames = SplitFrames(signer=signer, session=signer, label=label, group=np.arange(18))
    for seed in range(4):
        result = split_frames(frames, test_share=1 / 3, validation_share=0.15, seed=seed, hold_out=[])
        assert set(signer[result.names == "test"].tolist()) == {"cleo"}


@given(recorded(signers=(2, 5)), st.integers(0, 9))
def test_drawn_hands_are_no_test_where_there_are_real_people(frames: SplitFrames, seed: int) -> None:
    names = frames.signer.copy().astype("<U40")
    names[names == names[0]] = "synthetic-ada"
    mixed = replace(frames, signer=names)
    real = set(names.tolist()) - {"synthetic-ada"}
    parts = done(mixed, seed=seed)
    tested = set(names[parts.names == "test"].tolist())
    assert parts.by == "signer"
    assert len(real) < 2 or tested <= real
