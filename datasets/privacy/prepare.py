"""Prepare a dataset for sharing: hand crops or no images, pixelated faces, and pseudonyms.

The dataset is written again from its rows. Only checked content is copied: no EXIF metadata, no report and no names.
"""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from aslkit.core.errors import AslkitError
from aslkit.core.files import atomic_write, remove
from aslkit.core.progress import progress_bar
from aslkit.datasets import card, parquet_store, schema
from aslkit.datasets.privacy.config import PrivacyConfig, PrivacyReport
from aslkit.datasets.privacy.hand_crop import join_boxes
from aslkit.datasets.privacy.preparation import Preparation
from aslkit.datasets.privacy.prepared_facts import make_facts, prepare_findings
from aslkit.datasets.privacy.prepared_row import apply_pseudonyms, prepare_image
from aslkit.datasets.privacy.pseudonyms import Pseudonyms

_PARTS: Final = "parts"
"""Temporary folder for prepared rows."""


def prepare_for_sharing(
    folder: Path, target: Path, *, name: str, config: PrivacyConfig, names: Pseudonyms | None
) -> PrivacyReport:
    """Write a copy of a dataset that is prepared for sharing.

    Args:
        folder: the dataset folder. It is not modified.
        target: folder of the prepared dataset.
        name: name of the dataset.
        config: what the prepared dataset contains.
        names: pseudonyms, required for `config.pseudonyms`. Missing pseudonyms are added.

    Raises:
        InputError: the folder contains no dataset.
        AslkitError: the dataset is damaged, or no row would be left.
    """
    total = parquet_store.count_rows(folder)
    if not total:
        raise AslkitError(f"{folder} has no rows, so there is nothing to share.")
    if names is not None:
        names.register(iter_names(folder))
    work = Preparation(config=config, names=names, masker=(names or Pseudonyms()).masker())
    if config.crop:
        work.clip_regions = _find_clip_regions(folder)
    with atomic_write(target) as new:
        with progress_bar("Preparing", total) as advance, ThreadPoolExecutor(os.cpu_count()) as pool:
            for path in parquet_store.list_files(folder):
                for number, table in enumerate(parquet_store.iter_file_row_groups(path, schema.COLUMNS.names)):
                    rows = _prepare_rows(table, path.name.split("-")[0], work, pool)
                    _write_part(new / _PARTS / f"{path.stem}-{number:09d}.parquet", rows)
                    advance(len(table))
        work.close()  # after the pool has ended, because its threads use the detectors
        if not work.kept:
            raise AslkitError(f"No frame of {folder} has a hand to crop to, so nothing would be left.")
        _write_dataset(new, folder, name, work)
    return work.report


def read_privacy_report(folder: Path) -> PrivacyReport:
    """Read the report that `prepare_for_sharing` stored in a prepared dataset."""
    values = parquet_store.read_facts(folder)["privacy"]
    return PrivacyReport(**{each.name: int(values[each.name]) for each in fields(PrivacyReport)})


def _find_clip_regions(folder: Path) -> dict[str, list[float]]:
    """Return `Preparation.clip_regions` of a dataset."""
    regions: dict[str, list[float]] = {}
    for table in parquet_store.iter_row_groups(folder, ["clip", "hand_box"]):
        for row in table.filter(table.column("clip").is_valid()).select(["clip", "hand_box"]).drop_null().to_pylist():
            known = regions.get(row["clip"], row["hand_box"])
            regions[row["clip"]] = join_boxes([known, row["hand_box"]])
    return regions


def iter_names(folder: Path) -> Iterator[dict[str, Any]]:
    """Yield signer, session, camera, path and clip of all rows and findings, for `Pseudonyms.register`."""
    for table in parquet_store.iter_row_groups(folder, ["signer", "session", "camera", "image.path", "clip"]):
        for row in table.to_pylist():
            yield {**row, "path": (row["image"] or {}).get("path") or ""}
    for read in (parquet_store.read_rejected, parquet_store.read_flagged, parquet_store.read_reviewed):
        for row in read(folder).to_pylist():
            yield {"camera": None, **{key: row.get(key) or "" for key in ("signer", "session", "path")}}


def _prepare_rows(table: pa.Table, split: str, work: Preparation, pool: ThreadPoolExecutor) -> list[dict[str, Any]]:
    """Return the prepared rows of a row group, without the rows that cannot be cropped."""
    rows = table.to_pylist()
    prepared = []
    for row, image in zip(rows, pool.map(partial(prepare_image, work=work), rows), strict=True):
        # A copy whose original could not be cropped would refer to a missing parent.
        if image is None or (work.config.crop and row["parent"] and row["parent"] not in work.new_hashes):
            work.left_out.append(row)
            continue
        data = image.row
        if work.config.crop:
            if row["clip"] is None:
                work.new_hashes[row["sha256"]] = data["sha256"]
            data["parent"] = work.new_hashes.get(row["parent"])
        work.faces += image.has_face
        work.pixelated += image.is_pixelated
        work.images += data["image"]["bytes"] is not None
        if work.names is not None:
            data = apply_pseudonyms(data, row["image"]["path"], work.names, work.masker)
        prepared.append(data)
        work.copies += data["parent"] is not None
        if data["parent"] is None:
            columns = {key: data[key] for key in ("label", "signer", "group", "clip")}
            work.kept.append(
                {**columns, "landmarks": data["landmarks"] and True, "split": split, "path": row["image"]["path"]}
            )
    return prepared


def _write_part(path: Path, rows: list[dict[str, Any]]) -> None:
    """Write prepared rows to a temporary file.

    The final files cannot be written yet: each of them contains the facts, which are only known when all rows are done.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows, schema.COLUMNS), path, compression="none")


def _write_dataset(new: Path, folder: Path, name: str, work: Preparation) -> None:
    findings = prepare_findings(folder, work)
    facts = make_facts(parquet_store.read_facts(folder), work, findings)
    for split in schema.SPLITS:
        parts = sorted((new / _PARTS).glob(f"{split}-*.parquet"))
        parquet_store.write_split(new, split, (pq.read_table(part) for part in parts), facts=facts)
    remove(new / _PARTS)
    for file, columns, rows in (
        (parquet_store.REJECTED_FILE, schema.MERGED_REJECTED, findings.rejected),
        (parquet_store.FLAGGED_FILE, schema.MERGED_FLAGGED, findings.flagged),
        (parquet_store.REVIEWED_FILE, schema.REJECTED, findings.reviewed),
    ):
        pq.write_table(pa.Table.from_pylist(rows, columns), new / file, compression="zstd")
    card.write_card(new, name=work.masker.mask_text(name), facts=facts)
