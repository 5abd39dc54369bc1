"""Fixtures for the tests of the report."""

from dataclasses import replace

import numpy as np
import pytest

from aslkit.core.workspace import Workspace
from aslkit.curate.config import CurateConfig
from aslkit.curate.report.report import ReportInput
from aslkit.datasets import parquet_store
from aslkit.datasets.split import Split
from aslkit.formats.captures import walk_captures
from tests.curate.read_report import measure_leakage_of


@pytest.fixture
def curation(curated: Workspace, settings: CurateConfig) -> ReportInput:
    """Input of the report of `curated`."""
    table = parquet_store.read_dataset(curated.dataset("custom"))
    frames = {frame.key: frame for frame in walk_captures(curated.captures)}
    report_input = ReportInput(
        name="custom",
        table=table.drop_columns(["split"]),
        frames=[frames[image["path"]] for image in table.column("image").to_pylist()],
        suggested=table.column("label").to_numpy(),
        leakage=None,
        split=Split(names=np.array(table.column("split").to_pylist()), by="signer"),
        rejected=[],
        flagged=[],
        summary=parquet_store.read_facts(curated.dataset("custom"))["summary"],
        config=settings,
    )
    return replace(report_input, leakage=measure_leakage_of(report_input, settings))
