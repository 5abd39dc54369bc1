"""Fetch Sign Language MNIST and write it as a dataset, so that all commands accept it like a dataset of your own."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from aslkit import __version__
from aslkit.core.errors import AslkitError, InputError
from aslkit.core.files import atomic_write, check_replaceable
from aslkit.core.letters import LETTERS
from aslkit.core.progress import iterate_with_progress
from aslkit.datasets import card, parquet_store
from aslkit.datasets.sign_mnist import kaggle, read_csv, to_rows

SPLIT_BY: Final = "official"
"""Value of `split_by` in the summary: the split is the published one, and it is unknown how it was made."""

MADE_BY: Final = "aslkit dataset get sign-mnist"
"""Value of `made_by` in the facts. It marks a dataset that this command may overwrite."""

_UNKNOWN_SIGNERS_NOTE: Final = (
    "The signers are unknown: the people in the official test split may also be in train, so accuracy measured on it "
    "says little about unseen signers."
)


@dataclass(frozen=True, kw_only=True)
class SignMnistResult:
    """Result of `fetch_sign_mnist`.

    Attributes:
        folder: the dataset folder.
        rows: number of rows by split.
        whole: whether the numbers of rows are the published ones.
        notes: notes for the user.
    """

    folder: Path
    rows: dict[str, int]
    whole: bool
    notes: tuple[str, ...]


def fetch_sign_mnist(
    folder: Path, *, source: Path | None = None, renumbered: bool = False, partial: bool = False
) -> SignMnistResult:
    """Write Sign Language MNIST as a dataset.

    Args:
        folder: the folder to write.
        source: the zip file, a folder with the CSV files, or one CSV file. If None, the files are downloaded from
            Kaggle.
        renumbered: whether the labels are 0–23, without the gap for J.
        partial: accept files that do not have the published numbers of rows.

    Raises:
        InputError: the file does not exist, the labels are ambiguous, or the numbers of rows are not the published
        ones.
        AslkitError: a file is damaged, the download failed, or the folder contains other files.
    """
    check_replaceable(folder, is_own=_is_sign_mnist, advice="Move it away, or choose another --name.")
    images = read_csv.read_sign_mnist(source or kaggle.download_from_kaggle(kaggle.SIGN_MNIST), renumbered=renumbered)
    rows = {split: len(images[split].labels) for split in read_csv.COUNTS if split in images}
    notes = (_UNKNOWN_SIGNERS_NOTE, *_row_count_notes(rows))
    whole = len(notes) == 1
    if not whole and not partial:
        raise InputError(f"{notes[1]} Use --partial to accept them.")
    facts = {
        "source": read_csv.SOURCE if whole else f"Other rows in the format of {read_csv.SOURCE}",
        "made_by": MADE_BY,
        "summary": _summarise(images, rows, notes),
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


def _is_sign_mnist(folder: Path) -> bool:
    try:
        return bool(parquet_store.read_facts(folder).get("made_by") == MADE_BY)
    except AslkitError:
        return False


def _row_count_notes(rows: Mapping[str, int]) -> list[str]:
    """Describe how the numbers of rows differ from the published ones."""
    differences = [
        f"{split} has {rows.get(split, 0):,} rows instead of {count:,}"
        for split, count in read_csv.COUNTS.items()
        if rows.get(split, 0) != count
    ]
    return [f"These are not the published files: {'; '.join(differences)}."] if differences else []


def _summarise(
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
