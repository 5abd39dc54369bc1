"""Check an existing dataset before it is rebuilt: whether it can be replaced, and whether it is up to date."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from aslkit import __version__
from aslkit.core.errors import AslkitError, InputError
from aslkit.core.files import check_replaceable
from aslkit.curate.measure import measure
from aslkit.curate.report import report
from aslkit.datasets import parquet_store, schema
from aslkit.datasets.sharing import manifest
from aslkit.datasets.summary import count_rows
from aslkit.formats.captures import CapturedFrame, SessionInfo
from aslkit.formats.reviews import Decision

_FINDINGS_VERSION: Final = 2
"""Version of what curation finds in equal measurements. A dataset of another version is rebuilt. 2: unusual forms."""


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


def compute_fingerprint(
    frames: Sequence[CapturedFrame],
    contents: Sequence[str],
    sessions: Mapping[tuple[str, str], SessionInfo],
    decisions: Mapping[str, Decision],
    options: dict[str, Any],
) -> str:
    """Return a hash of everything that the dataset depends on.

    Args:
        frames: n frames.
        contents: n hashes of their files.
        sessions: by signer and session.
        decisions: current decisions of people by key of the frame.
        options: JSON-compatible settings, and hashes of other inputs, such as clips.
    """
    digest = hashlib.sha256()
    reviews = sorted((key, decision.action, decision.letter) for key, decision in decisions.items())
    versions = [__version__, schema.VERSION, measure.VERSION, _FINDINGS_VERSION]
    digest.update(json.dumps([versions, options, reviews], sort_keys=True).encode())
    digest.update(json.dumps([asdict(info) for info in sessions.values()], sort_keys=True).encode())
    for frame, content in zip(frames, contents, strict=True):
        digest.update(f"{frame.key}\0{content}\n".encode())
    return digest.hexdigest()


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
        return summary if parquet_store.count_rows(folder) == count_rows(summary) else None
    except (AslkitError, KeyError):  # damaged, or written by another version: rebuild it
        return None
