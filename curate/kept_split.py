"""The split of a published dataset, kept from `aslkit import --keep-split`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from aslkit.core.sanitize import format_count
from aslkit.curate.config import CurateConfig
from aslkit.datasets.clip_split import Clips, keep_split_of_rows
from aslkit.datasets.split import By, Split, SplitFrames
from aslkit.formats.captures import SessionInfo


@dataclass(frozen=True, kw_only=True)
class KeptSplit:
    """A split that was kept.

    Attributes:
        split: the split, without data leakage.
        notes: what is wrong with the split as it was published.
    """

    split: Split
    notes: Sequence[str]


def unused_split_note(sessions: Mapping[tuple[str, str], SessionInfo]) -> str | None:
    """Return a note if some sessions have a kept split that is not used, because others have none."""
    kept = sorted(name for name, info in sessions.items() if info.split)
    without = sorted(name for name, info in sessions.items() if not info.split)
    if not kept or not without:
        return None
    return (
        f"The published split of {'/'.join(kept[0])} is not used, because session {'/'.join(without[0])} has none. "
        "To use it, remove or re-import the sessions without a split."
    )


def apply_kept_split(
    frames: SplitFrames, clip: Clips, sessions: Mapping[tuple[str, str], SessionInfo], config: CurateConfig
) -> KeptSplit | None:
    """Return the kept split of the sessions; None if a session has none, or train or test is missing.

    Frames of the test or validation split that have near-duplicates or copies elsewhere are moved to train.

    Args:
        frames: n frames.
        clip: their clips, as in `clip_split.split_rows`.
        sessions: by signer and session.
        config: settings of curation; without a kept validation split, one is chosen.
    """
    names = zip(frames.signer.tolist(), frames.session.tolist(), strict=True)
    given = np.array([sessions[name].split or "" for name in names])
    if not {"train", "test"} <= set(given.tolist()) or "" in given:
        return None
    test = set(frames.signer[given == "test"].tolist())
    shared = sorted(test & set(frames.signer[given != "test"].tolist()))
    by: By = "session" if shared else "signer"
    split = keep_split_of_rows(frames, clip, given, by=by, validation_share=config.validation_share, seed=config.seed)
    notes = [
        f"The published split leaks: {int(leaking.sum()):,} of {format_count(int(part.sum()), f'{name} image')} "
        "had near-duplicates or copies in another split, and were moved to train."
        for name in ("validation", "test")
        if (part := given == name).any() and (leaking := part & (split.names != name)).any()
    ]
    if shared:
        notes.append(
            f"The published test split shows signers who also appear in train: {', '.join(shared)}. Accuracy on it "
            "says little about unseen signers. Without --keep-split, whole signers are held out."
        )
    return KeptSplit(split=split, notes=notes)
