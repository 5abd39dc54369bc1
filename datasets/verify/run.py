"""Verify a dataset before it is used: is it complete, consistent and safe to open?"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import pyarrow as pa

from aslkit.core.errors import InputError
from aslkit.core.progress import progress_bar
from aslkit.datasets import parquet_store
from aslkit.datasets.verify.across_rows import check_across_rows
from aslkit.datasets.verify.findings import Problem, make_problem
from aslkit.datasets.verify.folder import check_card, check_folder, readable_files
from aslkit.datasets.verify.isolated_pool import IsolatedPool
from aslkit.datasets.verify.parquet_file import FileFooter, RowGroupReport, inspect_row_group, read_footer


@dataclass(frozen=True, kw_only=True)
class VerifyReport:
    """Result of verifying a dataset.

    Attributes:
        folder: the dataset folder.
        rows: number of readable rows by split.
        files: number of Parquet files.
        findings: problems first, then sorted by kind, file and row.
    """

    folder: Path
    rows: dict[str, int]
    files: int
    findings: tuple[Problem, ...]

    @property
    def problems(self) -> int:
        """Number of findings that are problems, not warnings."""
        return sum(each.level == "problem" for each in self.findings)


def verify_dataset(folder: Path, *, processes: int | None = None) -> VerifyReport:
    """Verify files, columns, rows, images, splits and card of an untrusted dataset.

    Parquet files are read in other processes: a file that crashes its process is a finding and does not end the check.

    Args:
        folder: the dataset folder.
        processes: number of processes. None uses one per core; 0 reads the files in this process.

    Raises:
        InputError: the folder contains no dataset.
    """
    if not (folder / "data").is_dir():
        parquet_store.list_files(folder)  # its error lists the existing datasets
        raise InputError(f"No dataset found in {folder}.")
    # From outside to inside: folder, footers, rows, then what only shows across all rows.
    findings = list(check_folder(folder))
    paths = readable_files(folder)
    names = [path.relative_to(folder).as_posix() for path in paths]
    with IsolatedPool(processes) as pool:
        results = pool.results(
            [partial(read_footer, path, name) for path, name in zip(paths, names, strict=True)], names
        )
        footers = [_to_footer(result) for result in results]
        rows, row_findings = _check_row_groups(paths, names, footers, pool)
    findings += [finding for footer in footers for finding in footer.findings]
    facts = next((footer.facts for footer in footers if footer.facts), {})
    findings += [*row_findings, *_check_same_dataset(names, footers), *check_across_rows(rows, facts)]
    counts = Counter(rows.column("split").to_pylist())
    findings += check_card(folder, counts)
    findings.sort(key=lambda each: (each.level, each.kind, each.file, each.row or 0))
    return VerifyReport(folder=folder, rows=dict(counts), files=len(paths), findings=tuple(findings))


def _to_footer(result: FileFooter | Problem) -> FileFooter:
    return result if isinstance(result, FileFooter) else FileFooter(rows=(), facts={}, findings=(result,))


def _check_row_groups(
    paths: Sequence[Path], names: Sequence[str], footers: Sequence[FileFooter], pool: IsolatedPool
) -> tuple[pa.Table, list[Problem]]:
    """Check all row groups. Return the rows for `check_across_rows`, and the findings."""
    tasks, task_names, sizes = [], [], []
    for path, name, footer in zip(paths, names, footers, strict=True):
        first = 0
        for group, size in enumerate(footer.rows):
            tasks.append(partial(inspect_row_group, path, name, group, first))
            task_names.append(name)
            sizes.append(size)
            first += size
    findings: list[Problem] = []
    tables = [_EMPTY_ROWS]
    with progress_bar("Checking rows", sum(sizes)) as advance:
        for name, size, result in zip(task_names, sizes, pool.results(tasks, task_names), strict=True):
            advance(size)
            if isinstance(result, RowGroupReport):
                findings += result.findings
                tables.append(_add_file_and_split(result.rows, name))
            else:
                findings.append(result)
    return pa.concat_tables(tables), findings


def _add_file_and_split(rows: pa.Table, name: str) -> pa.Table:
    file, split = (pa.array([text] * len(rows), pa.string()) for text in (name, _split_of(name)))
    return rows.append_column("file", file).append_column("split", split)


def _split_of(name: str) -> str:
    return name.rpartition("/")[2].split("-")[0]


def _check_same_dataset(names: Sequence[str], footers: Sequence[FileFooter]) -> Iterator[Problem]:
    """Yield the files whose metadata differs from that of the first file, which therefore come from another dataset."""
    readable = [
        (name, footer.facts) for name, footer in zip(names, footers, strict=True) if footer.facts or footer.rows
    ]
    for name, facts in readable[1:]:
        if facts != readable[0][1]:
            yield make_problem("several-makings", f"its metadata differs from that of {readable[0][0]}", file=name)


_EMPTY_ROWS: Final = pa.schema(
    [
        pa.field("label", pa.int64()),
        pa.field("signer", pa.string()),
        pa.field("session", pa.string()),
        pa.field("group", pa.int64()),
        pa.field("parent", pa.string()),
        pa.field("sha256", pa.string()),
        pa.field("licence", pa.string()),
        pa.field("consent", pa.string()),
        pa.field("clip", pa.string()),
        pa.field("time_ms", pa.int32()),
        pa.field("pixels", pa.string()),
        pa.field("has_hand", pa.bool_()),
        pa.field("row", pa.int64()),
        pa.field("file", pa.string()),
        pa.field("split", pa.string()),
    ]
).empty_table()
