"""What lies already where a dataset is to be curated: another's work, or the same dataset, made from just the same."""

from pathlib import Path
from typing import Any

from aslkit.core.errors import AslkitError, InputError
from aslkit.curate.report import report
from aslkit.datasets import parquet_store
from aslkit.datasets.sharing import manifest


def check_replaceable(folder: Path) -> None:
    """Check that nothing lies there that curation did not make: it would be lost.

    Raises:
        InputError: a merge, a dataset that was fetched or pushed there, or one of `aslkit dataset get`.
        AslkitError: no dataset.
    """
    if not folder.is_dir() or not any(folder.iterdir()):
        return
    if not (folder / parquet_store.REJECTED_FILE).is_file():
        raise AslkitError(f"{folder} holds something else than a dataset. Move it away, or choose another --name.")
    if other := _made_by_others(folder):
        raise InputError(f"{folder} is {other}. Choose another --name, or move it away.")


def _made_by_others(folder: Path) -> str | None:
    """What a dataset is that curation did not make here; None where it did."""
    if (folder / manifest.FILE).is_file():  # curation writes none, and pushing leaves none behind
        return "a dataset from elsewhere"
    try:
        facts = parquet_store.read_facts(folder)
    except AslkitError:  # a damaged one is made again
        return None
    if "merged" in facts:
        return "a merge of several datasets"
    return f"what `{facts['made_by']}` wrote" if isinstance(facts.get("made_by"), str) else None


def load_if_up_to_date(folder: Path, mark: str) -> dict[str, Any] | None:
    """The summary of the dataset that lies there, if it was made from just this.

    Args:
        folder: of the dataset.
        mark: fingerprint of all that it depends on.
    """
    if not (folder / "data").is_dir() or not (folder / report.FILE).is_file():
        return None
    try:
        facts = parquet_store.read_facts(folder)
        if facts.get("fingerprint") != mark:
            return None
        summary: dict[str, Any] = facts["summary"]
        return summary if parquet_store.count_rows(folder) == summary["frames"] + summary["augmented"] else None
    except (AslkitError, KeyError):  # damaged, or of another version: it is made again, as the user would be told to do
        return None
