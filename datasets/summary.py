"""Summary of a dataset: counts, and notes for the user."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final

import numpy as np
import pyarrow as pa

from aslkit.core.letters import LETTERS
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
) -> dict[str, Any]:
    """Count the contents of a dataset. The result is deterministic and can be written as JSON.

    Args:
        table: all rows without augmented copies, with the columns label, signer, landmarks and group.
        split: the split of the rows.
        rejected: the reason for each rejected frame.
        flagged: the reason for each warning about an accepted frame.
        reviewed: the action of each decision of a person about a frame.
        left_out: names of the synthetic signers that were excluded.
    """
    label, signer = table.column("label").to_numpy(), np.array(table.column("signer").to_pylist())
    has_hand = table.column("landmarks").is_valid().to_numpy()
    names, frames = np.unique(signer, return_counts=True)
    summary = {
        "frames": len(table),
        "groups": len(np.unique(table.column("group").to_numpy())),
        "split_by": split.by,
        "splits": {name: int((split.names == name).sum()) for name in SPLITS},
        "held_out": sorted(set(signer[split.names == "test"].tolist())) if split.by == "signer" else [],
        "coverage": round(float(has_hand.mean()), 4),
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
    counts = {name: np.bincount(label[split.names == name], minlength=len(LETTERS)) for name in SPLITS}
    return summary | {"notes": _write_notes(summary, counts["train"], counts["test"], sorted(left_out))}


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
    if left_out:
        notes.append(f"Synthetic signers were excluded: {', '.join(left_out)}. Use --with-synthetic to include them.")
    if len(summary["signers"]) == 1 and (test_content := _SAME_SIGNER_TEST.get(summary["split_by"])):
        notes.append(
            f"Only one signer: the test split is {test_content} of the same person, so it says little about unseen "
            "signers. Ask another person to record: `aslkit capture --letter A --signer NAME`."
        )
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
