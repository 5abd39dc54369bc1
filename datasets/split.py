"""Split frames into train, validation and test: by signer, by session or by block of time.

Near-duplicates are never in different splits.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from aslkit.core.errors import InputError
from aslkit.core.letters import LETTERS
from aslkit.core.workspace import SYNTHETIC_PREFIX

GAP: Final = "gap"
"""Marks frames between train and test in time that belong to no split."""

By = Literal["signer", "session", "block"]
"""Unit that is held out as a whole; a block is a range of consecutive frames."""

Names = npt.NDArray[np.str_]
Integers = npt.NDArray[np.int64]

MIN_SIGNERS: Final = 4
"""Minimum number of signers outside the test split for validation to hold out whole signers. With fewer, too few would
remain for training."""

MAX_FOLDS: Final = 5
"""Maximum number of folds. One of them is the test split: a fifth of the signers or sessions if there are many."""


_FINER_SPLIT_HINT: Final = {
    "signer": "Use --cv session or --cv block, or record another person: aslkit capture --letter A --signer NAME",
    "session": "Use --cv block, or record on another day.",
}


@dataclass(frozen=True, kw_only=True)
class SplitFrames:
    """The columns that decide the split: one entry for each of n frames, in the order they were recorded.

    Attributes:
        signer, session: names, str (n,), or object (n,) of str.
        label: index of the letter, int64 (n,).
        group: number of the near-duplicate cluster, int64 (n,).
    """

    signer: Names | npt.NDArray[np.object_]
    session: Names | npt.NDArray[np.object_]
    label: Integers
    group: Integers

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self.label)

    @classmethod
    def from_table(cls, table: pa.Table) -> "SplitFrames":
        """Read the columns signer, session, label and group of a table."""
        return cls(
            signer=np.array(table.column("signer").to_pylist()),
            session=np.array(table.column("session").to_pylist()),
            label=table.column("label").to_numpy(),
            group=table.column("group").to_numpy(),
        )

    def subset(self, rows: npt.NDArray[Any]) -> "SplitFrames":
        """Return some of the frames, selected by a mask, bool (n,), or by indices."""
        return SplitFrames(
            signer=self.signer[rows], session=self.session[rows], label=self.label[rows], group=self.group[rows]
        )


@dataclass(frozen=True, kw_only=True)
class Split:
    """Result of a split.

    Attributes:
        names: "train", "validation", "test" or GAP for each frame, str (n,).
        by: the unit by which the test split was held out.
    """

    names: Names
    by: By


def split_frames(
    frames: SplitFrames,
    *,
    test_share: float,
    validation_share: float,
    seed: int,
    hold_out: Sequence[str] = (),
    gap_share: float = 0.0,
) -> Split:
    """Split frames so that the test split measures accuracy on unseen signers, if possible.

    With two or more signers, whole signers are held out. Otherwise whole sessions are held out if the remaining ones
    contain every letter. Otherwise the last frames of each letter in each session are held out. A near-duplicate group
    that would be in two splits is moved to train.

    Args:
        frames: the frames to split.
        test_share: share of the frames of each letter and session, 0–1, for a test split by block.
        validation_share: share of the frames outside the test split, 0–1.
        seed: random seed for the choice of signers or sessions.
        hold_out: the signers of the test split. If empty, they are chosen.
        gap_share: share of the frames of each letter and session, 0–1, dropped around a test split by block.

    Raises:
        InputError: a signer in `hold_out` is unknown, or no signer would be left for training.
    """
    check_hold_out(hold_out, frames.signer)
    by, test = _choose_test(frames, test_share, validation_share, seed, hold_out)
    return split_around_test(
        frames, test, by=by, validation_share=validation_share, seed=seed, gap_share=gap_share
    )  # fmt: skip


def split_around_test(
    frames: SplitFrames,
    test: npt.NDArray[np.bool_],
    *,
    by: By,
    validation_share: float,
    seed: int,
    gap_share: float = 0.0,
) -> Split:
    """Split the frames outside a given test split. Groups that are on both sides are moved to train.

    Args:
        frames: the frames to split.
        test: mask of the test frames, bool (n,).
        by: the unit by which the test split was chosen.
        validation_share: see `split_frames`.
        seed: see `split_frames`.
        gap_share: see `split_frames`.
    """
    names = np.full(len(frames), "train", dtype="<U10")
    names[test] = "test"
    if by == "block":
        names[_near_test(frames, test, gap_share)] = GAP
    # Test first, then validation from the rest, so that validation has no influence on the test split.
    rest = np.flatnonzero(names == "train")
    names[rest[_choose_validation(frames.subset(rest), validation_share, seed, by)]] = "validation"
    move_shared_groups_to_train(names, frames.group)
    return Split(names=names, by=by)


def keep_split(frames: SplitFrames, names: Names, *, by: By, validation_share: float, seed: int) -> Split:
    """Keep a given split, except for groups in several splits, which are moved to train.

    Args:
        frames: the frames.
        names: "train", "validation" or "test" for each frame, str (n,).
        by: the unit that the test split holds out: "signer" if its signers are in no other split.
        validation_share: share of the frames outside the test split, 0–1, for a validation split if none is given.
        seed: see `split_frames`.
    """
    if not (names == "validation").any():
        return split_around_test(frames, names == "test", by=by, validation_share=validation_share, seed=seed)
    kept = names.astype("<U10")
    move_shared_groups_to_train(kept, frames.group)
    return Split(names=kept, by=by)


def make_folds(frames: SplitFrames, by: By, *, max_folds: int, seed: int) -> list[npt.NDArray[np.bool_]]:
    """Make test folds for cross-validation: each frame is in exactly one fold.

    Args:
        frames: the frames to divide.
        by: "signer"; "session", of any signer; or "block", consecutive frames of each letter in each session, cut
            between near-duplicate groups.
        max_folds: maximum number of folds. If there are no more signers or sessions than this, each one is a fold.
        seed: random seed for the choice of the signers or sessions that share a fold.

    Returns:
        A mask for each fold, bool (n,). Folds of one signer or session are sorted by name.

    Raises:
        InputError: there is only one signer or session.
    """
    if by == "block":
        part = np.zeros(len(frames), np.int64)
        for rows in _iter_letter_sessions(frames):
            _, first, group = np.unique(frames.group[rows], return_index=True, return_inverse=True)
            # By the first frame of the group, so that a group is never cut.
            part[rows] = first[group] * max_folds // len(rows)
        return [part == number for number in range(max_folds) if (part == number).any()]
    units = frames.signer if by == "signer" else frames.signer.astype(object) + "/" + frames.session.astype(object)
    names, index = np.unique(units, return_inverse=True)
    if len(names) < 2:
        raise InputError(f"There is only one {by} ({names[0]}), so none can be held out. {_FINER_SPLIT_HINT[by]}")
    order = np.arange(len(names))
    if len(names) > max_folds:
        order = np.random.default_rng(seed).permutation(len(names)) % max_folds
    return [order[index] == number for number in range(min(max_folds, len(names)))]


def random_split(label: Integers, *, share: float, seed: int) -> npt.NDArray[np.bool_]:
    """Choose test frames at random, stratified by letter.

    The split ignores signers and near-duplicates, so accuracy measured on it is optimistic.

    Args:
        label: index of the letter, int64 (n,).
        share: share of the frames of each letter to choose, 0–1.
        seed: random seed.

    Returns:
        Mask of the chosen frames, bool (n,).
    """
    rng = np.random.default_rng(seed)
    test = np.zeros(len(label), bool)
    for letter in np.unique(label):
        rows = rng.permutation(np.flatnonzero(label == letter))
        test[rows[: round(len(rows) * share)]] = True
    return test


def check_hold_out(hold_out: Sequence[str], signers: Iterable[str]) -> None:
    """Check that the signers to hold out exist and are not all signers.

    Raises:
        InputError: a signer is unknown, or no signer would be left for training.
    """
    known = sorted(set(map(str, signers)))
    for name in hold_out:
        if name not in known:
            raise InputError(f"No signer {name!r} to hold out. Known signers: {', '.join(known)}.")
    if hold_out and set(hold_out) == set(known):
        raise InputError(
            f"Holding out {', '.join(sorted(set(hold_out)))} leaves no signer for training. "
            "Record or import another signer, or remove a signer from --hold-out."
        )


def _choose_test(
    frames: SplitFrames, share: float, validation_share: float, seed: int, hold_out: Sequence[str]
) -> tuple[By, npt.NDArray[np.bool_]]:
    if hold_out:
        return "signer", np.isin(frames.signer, list(hold_out))
    real = np.array([not name.startswith(SYNTHETIC_PREFIX) for name in frames.signer.tolist()])
    if len(np.unique(frames.signer[real])) > 1:  # accuracy on synthetic hands says nothing about real ones
        test = np.zeros(len(frames), bool)
        test[real] = _choose_fold(frames.subset(real), frames.signer[real], MAX_FOLDS, seed)
        return "signer", test
    if len(np.unique(frames.signer)) > 1:
        return "signer", _choose_fold(frames, frames.signer, MAX_FOLDS, seed)
    if len(np.unique(frames.session)) > 1:
        test = _choose_fold(frames, frames.session, MAX_FOLDS, seed)
        if len(np.unique(frames.label[~test])) == len(np.unique(frames.label)):
            return "session", test
    return "block", choose_last_groups(frames, share)


def _choose_validation(frames: SplitFrames, share: float, seed: int, by: By) -> npt.NDArray[np.bool_]:
    signers = np.unique(frames.signer)
    if share and by == "signer" and len(signers) >= MIN_SIGNERS:
        validation = _choose_fold(frames, frames.signer, max(2, round(1 / share)), seed)
        if len(np.unique(frames.label[~validation])) == len(np.unique(frames.label)):
            return validation
    return choose_last_groups(frames, share)


def _choose_fold(frames: SplitFrames, units: npt.NDArray[Any], max_folds: int, seed: int) -> npt.NDArray[np.bool_]:
    """Choose whole units (signers or sessions) to hold out, stratified by letter.

    Of the folds that leave at least half of the frames for training, the first one with the most letters is chosen. If
    there is none, because one unit has more than half of the frames, the smallest fold is chosen. A fold that leaves
    clips of J and Z for training comes before one that does not: often, only one of several signers recorded any.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    count = min(max_folds, len(np.unique(units)))
    folds = StratifiedGroupKFold(count, shuffle=True, random_state=seed)
    held_out = [rows for _, rows in folds.split(np.zeros(len(frames)), _merge_rare_labels(frames.label, count), units)]
    # scikit-learn balances letters, not sizes, so a fold can be larger than the rest.
    candidates = [rows for rows in held_out if 2 * len(rows) <= len(frames)] or [min(held_out, key=len)]
    chosen = np.zeros(len(frames), bool)
    chosen[max(candidates, key=lambda rows: _rate_fold(frames.label, rows))] = True
    return chosen


def _rate_fold(label: Integers, rows: Integers) -> tuple[int, int]:
    """Return how many letters of clips remain outside a fold, and the number of letters in it."""
    remaining = np.unique(np.delete(label, rows))
    return int((remaining >= len(LETTERS)).sum()), len(np.unique(label[rows]))


def _merge_rare_labels(label: Integers, folds: int) -> Integers:
    """Replace labels with fewer frames than folds by the most common one, so that scikit-learn can stratify."""
    values, counts = np.unique(label, return_counts=True)
    rare = values[counts < folds]
    return np.where(np.isin(label, rare), values[counts.argmax()], label)


def choose_last_groups(frames: SplitFrames, share: float) -> npt.NDArray[np.bool_]:
    """Choose the last frames of each letter in each session, cut between groups, but never all of them.

    Args:
        frames: the n frames.
        share: share of the frames of each letter and session to choose, 0–1.

    Returns:
        Mask of the chosen frames, bool (n,).
    """
    chosen = np.zeros(len(frames), bool)
    for rows in _iter_letter_sessions(frames):
        _, first, group = np.unique(frames.group[rows], return_index=True, return_inverse=True)
        group_start = first[group]  # position of the first frame of each frame's group
        # Cut between two groups or at the very end, whichever is closest to the share.
        cuts = np.append(np.unique(first[first > 0]), len(rows))
        cut = cuts[np.abs(cuts - len(rows) * (1 - share)).argmin()]
        chosen[rows[group_start >= cut]] = True
    return chosen


def _near_test(frames: SplitFrames, test: npt.NDArray[np.bool_], share: float) -> npt.NDArray[np.bool_]:
    """Choose the frames within a distance of `share` of the letter's frames in the session from a test frame."""
    chosen = np.zeros(len(frames), bool)
    for rows in _iter_letter_sessions(frames):
        test_positions = np.flatnonzero(test[rows])
        following = np.searchsorted(test_positions, np.arange(len(rows)))
        padded = np.concatenate([[-np.inf], test_positions, [np.inf]])
        distance = np.minimum(padded[following + 1] - np.arange(len(rows)), np.arange(len(rows)) - padded[following])
        chosen[rows] = distance <= round(len(rows) * share)
    return chosen & ~test


def _iter_letter_sessions(frames: SplitFrames) -> Iterator[Integers]:
    """Yield the indices of the frames of each letter in each session, in recording order."""
    # (3, n) of small integers, because np.unique over columns needs one numeric type.
    keys = np.stack([np.unique(x, return_inverse=True)[1] for x in (frames.signer, frames.session, frames.label)])
    _, part = np.unique(keys, axis=1, return_inverse=True)
    # stable keeps the recording order within each part.
    order = np.argsort(part.ravel(), kind="stable")
    yield from np.split(order, np.flatnonzero(np.diff(part.ravel()[order])) + 1)


def move_shared_groups_to_train(names: Names, group: Integers) -> None:
    """Move the groups that are in several splits to train, in place."""
    _, index = np.unique(group, return_inverse=True)
    count = int(index.max()) + 1 if len(index) else 0
    present = np.stack(
        [np.bincount(index[names == name], minlength=count) > 0 for name in ("train", "validation", "test")]
    )
    names[(present.sum(axis=0) > 1)[index]] = "train"
