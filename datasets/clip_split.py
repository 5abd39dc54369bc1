"""Split datasets that contain clips: a clip is one unit, which is in exactly one split."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from aslkit.datasets.split import (
    GAP,
    By,
    Integers,
    Names,
    Split,
    SplitFrames,
    choose_last_groups,
    keep_split,
    move_shared_groups_to_train,
    split_frames,
)

Clips = npt.NDArray[np.object_]
"""Name of the clip of each of n frames, object (n,) of str; None for a still."""


def split_rows(
    frames: SplitFrames,
    clip: Clips,
    *,
    test_share: float,
    validation_share: float,
    seed: int,
    hold_out: Sequence[str] = (),
    gap_share: float = 0.0,
) -> Split:
    """Split stills and clips, as `split.split_frames` splits stills.

    A clip counts as one frame, however long it is. No clip is in a gap, because its movement is a repetition of its
    own. With one signer, the stills are split as if there were no clips, and the clips follow: those of sessions in the
    test split are test clips if clips of their letter remain for training, or else the last ones of each letter are.

    Args:
        frames: the n frames to split.
        clip: their clips.
        test_share: see `split.split_frames`, like the following ones.
        validation_share: share of the clips and stills outside the test split.
        seed: random seed.
        hold_out: signers of the test split.
        gap_share: share of stills dropped around a test split by block.

    Raises:
        InputError: see `split.split_frames`.
    """
    shares: dict[str, Any] = {"test_share": test_share, "validation_share": validation_share, "seed": seed}
    if all(name is None for name in clip.tolist()):
        return split_frames(frames, **shares, hold_out=hold_out, gap_share=gap_share)
    units, row_unit = _list_units(clip)
    unit_frames, is_clip = frames.subset(units), np.array([name is not None for name in clip[units]], bool)
    split = split_frames(unit_frames, **shares, hold_out=hold_out, gap_share=gap_share)
    if split.by != "signer" and is_clip.any() and not is_clip.all():
        stills = split_frames(unit_frames.subset(~is_clip), **shares, gap_share=gap_share)
        names = np.full(len(units), "train", dtype="<U10")
        names[~is_clip] = stills.names
        names[is_clip] = _split_clips_of_one_signer(unit_frames, is_clip, stills, test_share, validation_share)
        move_shared_groups_to_train(names, unit_frames.group)
        split = Split(names=names, by=stills.by)
    split.names[is_clip & (split.names == GAP)] = "train"
    return Split(names=split.names[row_unit], by=split.by)


def keep_split_of_rows(
    frames: SplitFrames, clip: Clips, names: Names, *, by: By, validation_share: float, seed: int
) -> Split:
    """Keep a given split of stills and clips, as `split.keep_split` does for stills.

    Args:
        frames: the n frames.
        clip: their clips.
        names: "train", "validation" or "test" for each frame, str (n,), equal for all frames of a clip.
        by: see `split.keep_split`, like the following ones.
        validation_share: share of the clips and stills outside the test split.
        seed: random seed.
    """
    units, row_unit = _list_units(clip)
    split = keep_split(frames.subset(units), names[units], by=by, validation_share=validation_share, seed=seed)
    return Split(names=split.names[row_unit], by=split.by)


def _list_units(clip: Clips) -> tuple[Integers, Integers]:
    """Return the first row of each unit, a still or a clip, int64 (units,), and the unit of each row, int64 (n,)."""
    first: dict[str, int] = {}
    units: list[int] = []
    row_unit = np.zeros(len(clip), np.int64)
    for row, name in enumerate(clip.tolist()):
        if name is None or name not in first:
            if name is not None:
                first[name] = len(units)
            row_unit[row] = len(units)
            units.append(row)
        else:
            row_unit[row] = first[name]
    return np.array(units, np.int64), row_unit


def _split_clips_of_one_signer(
    units: SplitFrames, is_clip: npt.NDArray[np.bool_], stills: Split, test_share: float, validation_share: float
) -> Names:
    """Return the split of the clips, str (clips,), given that of the stills."""
    clips = units.subset(is_clip)
    sessions = units.session[~is_clip]
    test_sessions = np.unique(sessions[stills.names == "test"]) if stills.by == "session" else sessions[:0]
    test = np.isin(clips.session, test_sessions)
    for letter in np.unique(clips.label):
        rows = np.flatnonzero(clips.label == letter)
        if test[rows].all() or not test[rows].any():
            test[rows] = choose_last_groups(clips.subset(rows), test_share)
    names = np.where(test, "test", "train").astype("<U10")
    rest = np.flatnonzero(~test)
    names[rest[choose_last_groups(clips.subset(rest), validation_share)]] = "validation"
    return names
