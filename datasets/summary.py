"""What a dataset holds, in figures and in a few sentences a person should know."""

from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

import numpy as np
import pyarrow as pa

from aslkit.core.letters import LETTERS
from aslkit.datasets.schema import SPLITS
from aslkit.datasets.split import Split

FEW: Final = 20
"""Distinct frames of a letter in train, below which it is named as one to record."""

_SAME_PERSON: Final = {"session": "another sitting", "block": "a later moment of the same sitting"}
"""What is tested on where there is one signer."""


def summarise_dataset(
    table: pa.Table,
    parts: Split,
    *,
    rejected: Iterable[str] = (),
    flagged: Iterable[str] = (),
    left_out: Iterable[str] = (),
) -> dict[str, Any]:
    """Count a dataset: ready for JSON, the same for the same input.

    Args:
        table: all rows but varied copies: the columns label, signer, landmarks and group.
        parts: their split.
        rejected: of each frame that was not taken, the reason.
        flagged: of each thing to be known of a frame that was taken, likewise.
        left_out: synthetic signers that were not taken.
    """
    label, signer = table.column("label").to_numpy(), np.array(table.column("signer").to_pylist())
    found = table.column("landmarks").is_valid().to_numpy()
    names, frames = np.unique(signer, return_counts=True)
    summary = {
        "frames": len(table),
        "groups": len(np.unique(table.column("group").to_numpy())),
        "split_by": parts.by,
        "splits": {name: int((parts.names == name).sum()) for name in SPLITS},
        "held_out": sorted(set(signer[parts.names == "test"].tolist())) if parts.by == "signer" else [],
        "coverage": round(float(found.mean()), 4),
        "signers": {
            str(name): {"frames": int(count), "coverage": round(float(found[signer == name].mean()), 4)}
            for name, count in zip(names, frames, strict=True)
        },
        "letters": {letter: int((label == index).sum()) for index, letter in enumerate(LETTERS)},
        "rejected": dict(sorted(Counter(rejected).items())),
        "flagged": dict(sorted(Counter(flagged).items())),
    }
    labels = {name: np.bincount(label[parts.names == name], minlength=len(LETTERS)) for name in SPLITS}
    return summary | {"notes": _notes(summary, labels["train"], labels["test"], sorted(left_out))}


def _notes(summary: dict[str, Any], trained: Any, tested: Any, left_out: list[str]) -> list[str]:
    notes = []
    if left_out:
        notes.append(f"Synthetic signers were left out: {', '.join(left_out)}. --with-synthetic takes them.")
    if what := _SAME_PERSON.get(summary["split_by"]):
        notes.append(
            f"Only one signer: the test is {what} of the same person, which tells little about strangers. "
            "Ask one more person to record: `aslkit capture --letter A --signer NAME`."
        )
    if missing := [letter for letter, count in zip(LETTERS, trained, strict=True) if count == 0]:
        notes.append(f"No frames to train on for {' '.join(missing)}. Record: `aslkit capture --letter {missing[0]}`.")
    if few := [letter for letter, count in zip(LETTERS, trained, strict=True) if 0 < count < FEW]:
        notes.append(f"Fewer than {FEW} frames to train on for {' '.join(few)}.")
    if empty := [name for name in ("test", "validation") if not summary["splits"][name]]:
        notes.append(
            f"Too many frames are near-copies of one another to hold any out for {' or '.join(empty)}. "
            "Record another session, or with more movement."
        )
    elif untested := [
        letter for letter, count in zip(LETTERS, tested, strict=True) if not count and letter not in missing
    ]:
        notes.append(
            f"Nothing of {' '.join(untested)} could be held out: all their frames are near-copies of one another. "
            "Record another session, or with more movement."
        )
    return notes
