"""Check an existing dataset before it is rebuilt: whether it can be replaced, and whether it is up to date."""

from pathlib import Path
from typing import Any

from aslkit.core.errors import AslkitError, InputError
from aslkit.core.files import check_replaceable
from aslkit.curate.report import report
from aslkit.datasets import parquet_store
from aslkit.datasets.sharing import manifest


def check_not_from_elsewhere(folder: Path) -> None:
    """Check that rebuilding a dataset deletes nothing that curation did not write.

    Raises:
        InputError: the folder has other files, or a dataset that was merged, downloaded or created by another command.
    """
    advice = "Choose another name with --dataset, or move it away."
    check_replaceable(folder, is_own=lambda existing: (existing / parquet_store.REJECTED_FILE).is_file(), advice=advice)
    if folder.is_dir() and (origin := _describe_origin(folder)):
        raise InputError(f"{folder} is {origin}. {advice}")


def _describe_origin(folder: Path) -> str | None:
    """Return where a dataset comes from; None if curation wrote it."""
    if (folder / manifest.FILE).is_file():  # only downloads have one: neither curation nor pushing leaves one
        return "a downloaded dataset"
    if not (folder / "data").is_dir():
        return None
    try:
        facts = parquet_store.read_facts(folder)
    except AslkitError:  # a damaged dataset is rebuilt
        return None
    if "merged" in facts:
        return "a merge of several datasets"
    return f"a dataset created by `{facts['made_by']}`" if isinstance(facts.get("made_by"), str) else None


def load_if_up_to_date(folder: Path, fingerprint: str) -> dict[str, Any] | None:
    """Return the summary of an existing dataset if it is up to date, else None.

    Args:
        folder: dataset folder.
        fingerprint: hash of everything that the dataset depends on.
    """
    if not (folder / "data").is_dir() or not (folder / report.FILE).is_file():
        return None
    try:
        facts = parquet_store.read_facts(folder)
        if facts.get("fingerprint") != fingerprint:
            return None
        summary: dict[str, Any] = facts["summary"]
        return summary if parquet_store.count_rows(folder) == summary["frames"] + summary["augmented"] else None
    except (AslkitError, KeyError):  # damaged, or written by another version: rebuild it
        return None
