"""Looking a dataset through before it is used: is it whole, is it what it says, does it mean harm?"""

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
    """What was found.

    Attributes:
        folder: of the dataset.
        rows: of each split, as far as they could be read.
        files: how many Parquet files were read.
        findings: problems first, then by kind, file and row.
    """

    folder: Path
    rows: dict[str, int]
    files: int
    findings: tuple[Problem, ...]

    @property
    def problems(self) -> int:
        """How many findings are problems, not only to be known."""
        return sum(each.level == "problem" for each in self.findings)


def verify_dataset(folder: Path, *, processes: int | None = None) -> VerifyReport:
    """Check everything about a dataset: files, columns, rows, images, splits, card. Nothing in it is believed.

    All Parquet files are read in other processes: one that a file ends is a finding, and no end of the check.

    Args:
        folder: of the dataset.
        processes: how many; one for each core where None; 0 works in this process.

    Raises:
        InputError: no dataset there.
    """
    if not (folder / "data").is_dir():
        parquet_store.list_files(folder)  # says what there is
        raise InputError(f"There is no dataset in {folder}.")
    findings = list(check_folder(folder))
    paths = readable_files(folder)
    names = [path.relative_to(folder).as_posix() for path in paths]
    with IsolatedPool(processes) as apart:
        ends = apart.results([partial(read_footer, path, name) for path, name in zip(paths, names, strict=True)], names)
        footers = [_footer(each) for each in ends]
        rows, found = _rows(paths, names, footers, apart)
    findings += [each for one in footers for each in one.findings]
    facts = next((each.facts for each in footers if each.facts), {})
    findings += [*found, *_one_making(names, footers), *check_across_rows(rows, facts)]
    counts = Counter(rows.column("split").to_pylist())
    findings += check_card(folder, counts)
    findings.sort(key=lambda each: (each.level, each.kind, each.file, each.row or 0))
    return VerifyReport(folder=folder, rows=dict(counts), files=len(paths), findings=tuple(findings))


def _footer(outcome: FileFooter | Problem) -> FileFooter:
    return outcome if isinstance(outcome, FileFooter) else FileFooter(rows=(), facts={}, findings=(outcome,))


def _rows(
    paths: Sequence[Path], names: Sequence[str], footers: Sequence[FileFooter], apart: IsolatedPool
) -> tuple[pa.Table, list[Problem]]:
    """All rows, as `check_across_rows` takes them, and what was found in them."""
    tasks, places, sizes = [], [], []
    for path, name, about in zip(paths, names, footers, strict=True):
        first = 0
        for group, size in enumerate(about.rows):
            tasks.append(partial(inspect_row_group, path, name, group, first))
            places.append(name)
            sizes.append(size)
            first += size
    findings: list[Problem] = []
    tables = [_EMPTY]
    with progress_bar("Checking rows", sum(sizes)) as advance:
        for name, size, each in zip(places, sizes, apart.results(tasks, places), strict=True):
            advance(size)
            if isinstance(each, RowGroupReport):
                findings += each.findings
                tables.append(_placed(each.rows, name))
            else:
                findings.append(each)
    return pa.concat_tables(tables), findings


def _placed(rows: pa.Table, name: str) -> pa.Table:
    file, split = (pa.array([text] * len(rows), pa.string()) for text in (name, _split_of(name)))
    return rows.append_column("file", file).append_column("split", split)


def _split_of(name: str) -> str:
    return name.rpartition("/")[2].split("-")[0]


def _one_making(names: Sequence[str], footers: Sequence[FileFooter]) -> Iterator[Problem]:
    """Files of different datasets in one folder differ in what they say of themselves."""
    read = [(name, each.facts) for name, each in zip(names, footers, strict=True) if each.facts or each.rows]
    for name, facts in read[1:]:
        if facts != read[0][1]:
            yield make_problem("several-makings", f"says other things of the dataset than {read[0][0]}", file=name)


_EMPTY: Final = pa.schema(
    [
        pa.field("label", pa.int64()),
        pa.field("signer", pa.string()),
        pa.field("session", pa.string()),
        pa.field("group", pa.int64()),
        pa.field("parent", pa.string()),
        pa.field("sha256", pa.string()),
        pa.field("licence", pa.string()),
        pa.field("consent", pa.string()),
        pa.field("pixels", pa.string()),
        pa.field("row", pa.int64()),
        pa.field("file", pa.string()),
        pa.field("split", pa.string()),
    ]
).empty_table()
