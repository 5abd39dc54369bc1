"""Known datasets, fetched and written as Parquet, so that every command takes them like one's own."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from aslkit import __version__
from aslkit.core.errors import AslkitError, InputError
from aslkit.core.files import atomic_write
from aslkit.core.letters import LETTERS
from aslkit.core.progress import iterate_with_progress
from aslkit.datasets import card, parquet_store
from aslkit.datasets.sign_mnist import kaggle, read_csv, to_rows

SPLIT_BY: Final = "official"
"""In the summary: the split is the published one, and by whom it was held out nobody knows."""

MADE_BY: Final = "aslkit dataset get sign-mnist"
"""In the facts: another run may take the dataset's place."""

_NOTE: Final = (
    "Who is seen in which image is not known: the official test may be of people trained on, so a figure measured on "
    "it says little about strangers."
)


@dataclass(frozen=True, kw_only=True)
class SignMnistResult:
    """What was written: where, rows of each split, whether they are all as published, and what should be known."""

    folder: Path
    rows: dict[str, int]
    whole: bool
    notes: tuple[str, ...]


def fetch_sign_mnist(
    folder: Path, *, source: Path | None = None, renumbered: bool = False, partial: bool = False
) -> SignMnistResult:
    """Write Sign Language MNIST as a dataset.

    Args:
        folder: of the dataset.
        source: the zip file, a folder with the CSV files, or one of them; from Kaggle where None.
        renumbered: the labels are 0–23 without the gap where J would be.
        partial: take files that have not the published number of rows.

    Raises:
        InputError: no such file; labels that may mean two things; or rows that lack or are too many.
        AslkitError: damaged, not to be fetched, or something else lies in the folder.
    """
    _check_free(folder)
    images = read_csv.read_sign_mnist(source or kaggle.download_from_kaggle(kaggle.SIGN_MNIST), renumbered=renumbered)
    rows = {split: len(images[split].labels) for split in read_csv.COUNTS if split in images}
    notes = (_NOTE, *_other_counts(rows))
    whole = len(notes) == 1
    if not whole and not partial:
        raise InputError(f"{notes[1]} If that is meant, say --partial.")
    facts = {
        "source": read_csv.SOURCE if whole else f"Other rows, in the form of {read_csv.SOURCE}",
        "made_by": MADE_BY,
        "summary": _summary(images, rows, notes),
        "versions": {"aslkit": __version__},
    }
    with atomic_write(folder) as new:
        for split in rows:
            tables = iterate_with_progress(
                f"Writing {split}", rows[split], to_rows.iter_tables(images[split], split), size=len
            )
            parquet_store.write_split(new, split, tables, facts=facts)
        parquet_store.write_findings(new / parquet_store.REJECTED_FILE, [])
        card.write_card(new, name=folder.name, facts=facts)
    return SignMnistResult(folder=folder, rows=rows, whole=whole, notes=notes)


def _check_free(folder: Path) -> None:
    """Raise AslkitError where something lies that this command did not write: it would be lost."""
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    try:
        own = parquet_store.read_facts(folder).get("made_by") == MADE_BY
    except AslkitError:
        own = False
    if not own:
        raise AslkitError(f"{folder} holds something else. Move it away, or choose another --name.")


def _other_counts(rows: Mapping[str, int]) -> list[str]:
    """What differs from the published numbers of rows, in a sentence."""
    other = [
        f"{split} has {rows.get(split, 0):,} rows, the published one {count:,}"
        for split, count in read_csv.COUNTS.items()
        if rows.get(split, 0) != count
    ]
    return [f"These are not all rows, or not the published ones: {'; '.join(other)}."] if other else []


def _summary(
    images: Mapping[str, read_csv.SignMnistImages], rows: Mapping[str, int], notes: tuple[str, ...]
) -> dict[str, Any]:
    counts = np.bincount(np.concatenate([each.labels for each in images.values()]), minlength=len(LETTERS))
    return {
        "frames": sum(rows.values()),
        "groups": None,
        "split_by": SPLIT_BY,
        "splits": {"train": rows.get("train", 0), "validation": 0, "test": rows.get("test", 0)},
        "held_out": [],
        "coverage": 0.0,
        "signers": {},
        "letters": dict(zip(LETTERS, counts.tolist(), strict=True)),
        "rejected": {},
        "flagged": {},
        "notes": list(notes),
        "augmented": 0,
    }
