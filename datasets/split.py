"""Who is trained on and who is tested on: people, then sessions, then blocks of time, never near-duplicates apart."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from aslkit.core.errors import InputError
from aslkit.core.workspace import SYNTHETIC_PREFIX

GAP: Final = "gap"
"""The name of no split: frames that lie between train and test in time."""

By = Literal["signer", "session", "block"]
Names = npt.NDArray[np.str_]
Integers = npt.NDArray[np.int64]

MIN_SIGNERS: Final = 4
"""With so many signers left beside the test, validation takes whole people; with fewer, too few would remain."""

MAX_FOLDS: Final = 5
"""At most a fifth of the signers or sessions is held out."""


_FINER: Final = {
    "signer": "Use --cv session or --cv block, or record another person: aslkit capture --letter A --signer NAME",
    "session": "Use --cv block, or record on another day.",
}


@dataclass(frozen=True, kw_only=True)
class SplitFrames:
    """What decides the split, one entry for each frame, all of length n, in the order the frames were taken.

    Attributes:
        signer, session: str (n,).
        label: int64 (n,), index of the letter.
        group: int64 (n,), near-duplicate cluster.
    """

    signer: Names
    session: Names
    label: Integers
    group: Integers

    def __len__(self) -> int:
        """Number of frames."""
        return len(self.label)

    @classmethod
    def from_table(cls, table: pa.Table) -> "SplitFrames":
        """Of the rows of a table with the columns signer, session, label and group, in their order."""
        return cls(
            signer=np.array(table.column("signer").to_pylist()),
            session=np.array(table.column("session").to_pylist()),
            label=table.column("label").to_numpy(),
            group=table.column("group").to_numpy(),
        )

    def subset(self, taken: npt.NDArray[np.bool_]) -> "SplitFrames":
        """Some of them, bool (n,)."""
        return SplitFrames(
            signer=self.signer[taken], session=self.session[taken], label=self.label[taken], group=self.group[taken]
        )


@dataclass(frozen=True, kw_only=True)
class Split:
    """The outcome: `names`, str (n,), each "train", "validation", "test" or GAP; and what the test was held out by."""

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
    """Split so that the test tells about people, or failing that sessions or times, that are not trained on.

    Signers where there are two or more; else sessions, if those that stay still show every letter; else the last
    frames of each letter in each session. No group is in two splits: one that would be goes to train.

    Args:
        frames: what is to be split.
        test_share: of the frames of each letter and session, 0–1; for a test by block.
        validation_share: of the frames that are not test, 0–1.
        seed: of the choice of signers or sessions.
        hold_out: the signers to test on; chosen where empty.
        gap_share: of the frames of each letter and session, 0–1, left out around a test by block.

    Raises:
        InputError: a signer in `hold_out` is unknown, or nobody would be left to train on.
    """
    check_hold_out(hold_out, frames.signer)
    by, test = _test(frames, test_share, validation_share, seed, hold_out)
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
    """Split what is not in a given test; groups that lie on both sides go to train.

    Args:
        frames: what is to be split.
        test: bool (n,), the frames to test on.
        by: what the test was chosen by.
        validation_share: as in `split_frames`.
        seed: likewise.
        gap_share: likewise.
    """
    names = np.full(len(frames), "train", dtype="<U10")
    names[test] = "test"
    if by == "block":
        names[_beside(frames, test, gap_share)] = GAP
    rest = np.flatnonzero(names == "train")
    names[rest[_validation(_take(frames, rest), validation_share, seed, by)]] = "validation"
    _mend(names, frames.group)
    return Split(names=names, by=by)


def make_folds(frames: SplitFrames, by: By, *, most: int, seed: int) -> list[npt.NDArray[np.bool_]]:
    """Tests that together hold every frame once: each signer (or session, or block of time) is in one of them.

    Args:
        frames: what is to be tested on.
        by: "signer"; "session", of whichever signer; or "block": consecutive frames of each letter in each session,
            cut between groups.
        most: so many tests; where there are no more signers or sessions than that, each has a test of its own.
        seed: of the choice who shares a test, where there are more.

    Returns:
        bool (n,) each, in the order of the names.

    Raises:
        InputError: there is only one signer or session, which cannot be left out.
    """
    if by == "block":
        part = np.zeros(len(frames), np.int64)
        for rows in _letters_of_sessions(frames):
            _, first, group = np.unique(frames.group[rows], return_index=True, return_inverse=True)
            part[rows] = first[group] * most // len(rows)
        return [part == number for number in range(most) if (part == number).any()]
    units = frames.signer if by == "signer" else np.char.add(np.char.add(frames.signer, "/"), frames.session)
    names, index = np.unique(units, return_inverse=True)
    if len(names) < 2:
        raise InputError(f"There is only one {by} ({names[0]}), so none can be left out. {_FINER[by]}")
    order = np.arange(len(names))
    if len(names) > most:
        order = np.random.default_rng(seed).permutation(len(names)) % most
    return [order[index] == number for number in range(min(most, len(names)))]


def random_split(label: Integers, *, share: float, seed: int) -> npt.NDArray[np.bool_]:
    """Draw frames at random, letter by letter, without regard to people or likeness: the split that flatters.

    Returns:
        bool (n,), true for the frames drawn.
    """
    rng = np.random.default_rng(seed)
    test = np.zeros(len(label), bool)
    for letter in np.unique(label):
        rows = rng.permutation(np.flatnonzero(label == letter))
        test[rows[: round(len(rows) * share)]] = True
    return test


def check_hold_out(hold_out: Sequence[str], signers: Iterable[str]) -> None:
    """Check that the signers to hold out are there, and are not all.

    Raises:
        InputError: they are not.
    """
    known = sorted(set(map(str, signers)))
    for name in hold_out:
        if name not in known:
            raise InputError(f"There is no signer {name!r} to hold out. There are: {', '.join(known)}.")
    if hold_out and set(hold_out) == set(known):
        raise InputError(
            f"Holding out {', '.join(sorted(set(hold_out)))} leaves nobody to train on. "
            "Record or import another signer, or leave the signer out of --hold-out."
        )


def _test(
    frames: SplitFrames, share: float, validation_share: float, seed: int, hold_out: Sequence[str]
) -> tuple[By, npt.NDArray[np.bool_]]:
    if hold_out:
        return "signer", np.isin(frames.signer, list(hold_out))
    real = np.array([not name.startswith(SYNTHETIC_PREFIX) for name in frames.signer.tolist()])
    if len(np.unique(frames.signer[real])) > 1:  # a test on drawn hands says nothing of real ones
        test = np.zeros(len(frames), bool)
        test[real] = _one_fold(frames.subset(real), frames.signer[real], MAX_FOLDS, seed)
        return "signer", test
    if len(np.unique(frames.signer)) > 1:
        return "signer", _one_fold(frames, frames.signer, MAX_FOLDS, seed)
    if len(np.unique(frames.session)) > 1:
        test = _one_fold(frames, frames.session, MAX_FOLDS, seed)
        if len(np.unique(frames.label[~test])) == len(np.unique(frames.label)):
            return "session", test
    return "block", _last_groups(frames, share)


def _validation(frames: SplitFrames, share: float, seed: int, by: By) -> npt.NDArray[np.bool_]:
    signers = np.unique(frames.signer)
    if share and by == "signer" and len(signers) >= MIN_SIGNERS:
        validation = _one_fold(frames, frames.signer, max(2, round(1 / share)), seed)
        if len(np.unique(frames.label[~validation])) == len(np.unique(frames.label)):
            return validation
    return _last_groups(frames, share)


def _one_fold(frames: SplitFrames, units: Names, most: int, seed: int) -> npt.NDArray[np.bool_]:
    """Hold out whole units (signers or sessions), letters in balance, by scikit-learn's stratified group folds.

    Of the folds that leave half of the frames to train on, the first that shows most letters; where one unit has more
    than half, the smallest.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    count = min(most, len(np.unique(units)))
    folds = StratifiedGroupKFold(count, shuffle=True, random_state=seed)
    held = [rows for _, rows in folds.split(np.zeros(len(frames)), _common(frames.label, count), units)]
    fits = [rows for rows in held if 2 * len(rows) <= len(frames)] or [min(held, key=len)]
    chosen = np.zeros(len(frames), bool)
    chosen[max(fits, key=lambda rows: len(np.unique(frames.label[rows])))] = True
    return chosen


def _common(label: Integers, folds: int) -> Integers:
    """Labels for stratification into so many folds; one too rare for it does not count."""
    values, counts = np.unique(label, return_counts=True)
    rare = values[counts < folds]
    return np.where(np.isin(label, rare), values[counts.argmax()], label)


def _last_groups(frames: SplitFrames, share: float) -> npt.NDArray[np.bool_]:
    """Choose the last frames of each letter of each session, cut between groups; never all of them."""
    chosen = np.zeros(len(frames), bool)
    for rows in _letters_of_sessions(frames):
        _, first, group = np.unique(frames.group[rows], return_index=True, return_inverse=True)
        begins = first[group]  # where in time the frame's group begins
        # Between two groups, or at the very end, whichever is nearest to the share.
        cuts = np.append(np.unique(first[first > 0]), len(rows))
        cut = cuts[np.abs(cuts - len(rows) * (1 - share)).argmin()]
        chosen[rows[begins >= cut]] = True
    return chosen


def _beside(frames: SplitFrames, test: npt.NDArray[np.bool_], share: float) -> npt.NDArray[np.bool_]:
    """Choose the frames that lie less than a share of a letter's frames in a session away from one of its test."""
    chosen = np.zeros(len(frames), bool)
    for rows in _letters_of_sessions(frames):
        places = np.flatnonzero(test[rows])
        after = np.searchsorted(places, np.arange(len(rows)))
        around = np.concatenate([[-np.inf], places, [np.inf]])
        apart = np.minimum(around[after + 1] - np.arange(len(rows)), np.arange(len(rows)) - around[after])
        chosen[rows] = apart <= round(len(rows) * share)
    return chosen & ~test


def _letters_of_sessions(frames: SplitFrames) -> Iterator[Integers]:
    """Yield the frames of each letter in each session, in order."""
    keys = np.stack([np.unique(x, return_inverse=True)[1] for x in (frames.signer, frames.session, frames.label)])
    _, part = np.unique(keys, axis=1, return_inverse=True)
    order = np.argsort(part.ravel(), kind="stable")
    yield from np.split(order, np.flatnonzero(np.diff(part.ravel()[order])) + 1)


def _mend(names: Names, group: Integers) -> None:
    """Bring groups that lie in several splits to train, in place."""
    _, index = np.unique(group, return_inverse=True)
    count = int(index.max()) + 1 if len(index) else 0
    present = np.stack(
        [np.bincount(index[names == name], minlength=count) > 0 for name in ("train", "validation", "test")]
    )
    names[(present.sum(axis=0) > 1)[index]] = "train"


def _take(frames: SplitFrames, rows: npt.NDArray[Any]) -> SplitFrames:
    return SplitFrames(
        signer=frames.signer[rows], session=frames.session[rows], label=frames.label[rows], group=frames.group[rows]
    )
