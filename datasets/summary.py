"""Summary of a dataset: counts, and notes for the user."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from aslkit.core.letters import LABELS, LETTERS, MOTION_LETTERS
from aslkit.core.sanitize import format_count
from aslkit.datasets.schema import SPLITS
from aslkit.datasets.split import Split

MIN_TRAIN_FRAMES: Final = 20
"""Number of distinct frames of a letter in train below which a note recommends to record more."""

MIN_TRAINABLE_FRAMES: Final = 10
"""Minimum number of frames in train that show a hand, without which a dataset cannot be trained on."""

_PAST: Final = {"keep": "kept", "drop": "dropped", "relabel": "relabelled"}

_SAME_SIGNER_TEST: Final = {"session": "another session", "block": "a later part of the same session"}
"""What the test split contains if there is only one signer, by the kind of split."""


def summarise_dataset(
    table: pa.Table,
    split: Split,
    *,
    rejected: Iterable[str] = (),
    flagged: Iterable[str] = (),
    reviewed: Iterable[str] = (),
    left_out: Iterable[str] = (),
    rejected_clips: Iterable[str] = (),
) -> dict[str, Any]:
    """Count the contents of a dataset. The result is deterministic and can be written as JSON.

    All counts are of stills, except those of `clips`, which is missing if there are none.

    Args:
        table: all rows without augmented copies, with the columns label, signer, landmarks and group, and clip if there
            are clips.
        split: the split of the rows.
        rejected: the reason for each rejected frame.
        flagged: the reason for each warning about an accepted frame.
        reviewed: the action of each decision of a person about a frame.
        left_out: names of the synthetic signers that were excluded.
        rejected_clips: the reason for each rejected clip.
    """
    clips = summarise_clips(table, split.names, rejected_clips)
    signer = np.array(table.column("signer").to_pylist(), str)
    held_out = sorted(set(signer[split.names == "test"].tolist())) if split.by == "signer" else []
    if "clip" in table.column_names:
        stills = table.column("clip").is_null().to_numpy()
        table, signer = table.filter(pa.array(stills)), signer[stills]
        split = Split(names=split.names[stills], by=split.by)
    label = table.column("label").to_numpy()
    has_hand = table.column("landmarks").is_valid().to_numpy()
    names, frames = np.unique(signer, return_counts=True)
    summary = {
        "frames": len(table),
        "groups": len(np.unique(table.column("group").to_numpy())),
        "split_by": split.by,
        "splits": {name: int((split.names == name).sum()) for name in SPLITS},
        "held_out": held_out,
        "coverage": round(float(has_hand.mean()), 4) if len(table) else 0.0,
        "signers": {
            str(name): {"frames": int(count), "coverage": round(float(has_hand[signer == name].mean()), 4)}
            for name, count in zip(names, frames, strict=True)
        },
        "letters": {letter: int((label == index).sum()) for index, letter in enumerate(LETTERS)},
        "train_letters": len(set(label[(split.names == "train") & has_hand].tolist())),
        "train_hands": int(((split.names == "train") & has_hand).sum()),
        "rejected": dict(sorted(Counter(rejected).items())),
        "flagged": dict(sorted(Counter(flagged).items())),
        "reviewed": dict(sorted(Counter(reviewed).items())),
    }
    summary |= {"clips": clips} if clips else {}
    counts = {name: np.bincount(label[split.names == name], minlength=len(LETTERS)) for name in SPLITS}
    return summary | {"notes": _write_notes(summary, counts["train"], counts["test"], sorted(left_out))}


def summarise_clips(
    table: pa.Table, names: npt.NDArray[np.str_], rejected: Iterable[str] = ()
) -> dict[str, Any] | None:
    """Count the clips of a dataset; None if there are none, and none was rejected.

    Args:
        table: n rows with the columns label, signer and clip.
        names: name of the split of each row, str (n,).
        rejected: the reason for each rejected clip.

    Returns:
        `count`, the number of clips; `letters`, clips by letter; `signers`, clips by signer and letter; `splits`, clips
        by split and letter; `frames`, rows by split; and `rejected`, clips by reason.
    """
    reasons = dict(sorted(Counter(rejected).items()))
    clips: dict[str, tuple[str, str, str]] = {}
    frames = dict.fromkeys(SPLITS, 0)
    if "clip" in table.column_names:
        in_clip = table.column("clip").is_valid().to_numpy()
        rows = table.filter(pa.array(in_clip)).select(["clip", "signer", "label"]).to_pylist()
        for row, split in zip(rows, names[in_clip].tolist(), strict=True):
            letter = LABELS[row["label"]] if row["label"] in range(len(LABELS)) else ""
            clips[row["clip"]] = (letter, row["signer"] or "unknown", split)
            frames[split] += 1
    if not clips and not reasons:
        return None
    signers = sorted({signer for _, signer, _ in clips.values()})

    def count(position: int, value: str) -> dict[str, int]:
        found = Counter(clip[0] for clip in clips.values() if clip[position] == value)
        return {letter: found[letter] for letter in MOTION_LETTERS}

    return {
        "count": len(clips),
        "letters": {letter: sum(clip[0] == letter for clip in clips.values()) for letter in MOTION_LETTERS},
        "signers": {signer: count(1, signer) for signer in signers},
        "splits": {split: count(2, split) for split in SPLITS},
        "frames": frames,
        "rejected": reasons,
    }


def describe_clips(clips: Mapping[str, Any]) -> str:
    """Return the number of clips and of those of each letter, such as "12 clips (J 8, Z 4)".

    Args:
        clips: the value `clips` of a summary, which is untrusted in a dataset from elsewhere.
    """
    letters = clips.get("letters")
    letters = letters if isinstance(letters, dict) else {}
    counts = {each: letters[each] for each in MOTION_LETTERS if isinstance(letters.get(each), int)}
    shown = ", ".join(f"{letter} {count:,}" for letter, count in counts.items())
    return format_count(sum(counts.values()), "clip") + (f" ({shown})" if shown else "")


def count_rows(summary: Mapping[str, Any]) -> int:
    """Return the number of rows of a dataset, with augmented copies and frames of clips, according to its summary.

    Raises:
        KeyError, TypeError: the summary is from another program.
    """
    clips: dict[str, Any] = summary.get("clips") or {"frames": {}}
    return int(summary["frames"] + summary["augmented"] + sum(clips["frames"].values()))


def describe_reviewed(counts: Mapping[str, Any]) -> str:
    """Return how many frames people kept, dropped and relabelled, such as "kept 3, dropped 1"; empty without any.

    Args:
        counts: number of decisions by action, from a summary.
    """
    return ", ".join(
        f"{past} {counts[action]:,}" for action, past in _PAST.items() if isinstance(counts.get(action), int)
    )


def _write_notes(summary: dict[str, Any], train_counts: Any, test_counts: Any, left_out: list[str]) -> list[str]:
    notes = []
    signers = {*summary["signers"], *summary.get("clips", {}).get("signers", {})}
    if left_out:
        notes.append(f"Synthetic signers were excluded: {', '.join(left_out)}. Use --with-synthetic to include them.")
    if len(signers) == 1 and (test_content := _SAME_SIGNER_TEST.get(summary["split_by"])):
        notes.append(
            f"Only one signer: the test split is {test_content} of the same person, so it says little about unseen "
            "signers. Ask another person to record: `aslkit capture --letter A --signer NAME`."
        )
    notes += _write_clip_notes(summary)
    if not summary["frames"]:
        return notes
    if missing := [letter for letter, count in zip(LETTERS, train_counts, strict=True) if count == 0]:
        notes.append(
            f"No training frames for {' '.join(missing)}. Record some: `aslkit capture --letter {missing[0]}`."
        )
    if scarce := [letter for letter, count in zip(LETTERS, train_counts, strict=True) if 0 < count < MIN_TRAIN_FRAMES]:
        notes.append(f"Fewer than {MIN_TRAIN_FRAMES} training frames for {' '.join(scarce)}.")
    if empty := [name for name in ("test", "validation") if not summary["splits"][name]]:
        notes.append(
            f"Too many frames are near-duplicates of each other to hold any out for {' or '.join(empty)}. "
            "Record another session, or move your hand more."
        )
    elif untested := [
        letter for letter, count in zip(LETTERS, test_counts, strict=True) if not count and letter not in missing
    ]:
        why = (
            f"because {' and '.join(summary['held_out'])} has no accepted frames of them."
            if summary["held_out"]
            else "because all their frames are near-duplicates of each other. Record another session, or move your "
            "hand more."
        )
        notes.append(f"No test frames for {' '.join(untested)}, {why}")
    return notes


def _write_clip_notes(summary: dict[str, Any]) -> list[str]:
    """Return notes about letters without clips for training or testing."""
    if not (clips := summary.get("clips")) or not clips["count"]:
        return []
    notes = []
    train, test = ([letter for letter, n in clips["splits"][name].items() if n] for name in ("train", "test"))
    if missing := [letter for letter in MOTION_LETTERS if letter not in train]:
        notes.append(f"No training clips for {' '.join(missing)}. Record some: `aslkit capture --letter {missing[0]}`.")
    if untested := [letter for letter in train if letter not in test]:
        why = f"{' and '.join(summary['held_out'])} recorded none" if summary["held_out"] else "there are too few clips"
        notes.append(f"No test clips for {' '.join(untested)}, because {why}.")
    return notes
