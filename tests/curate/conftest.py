"""What a report is made from."""

from dataclasses import replace

import numpy as np
import pytest

from aslkit.core.workspace import Workspace
from aslkit.curate.config import CurateConfig
from aslkit.curate.report.report import ReportInput
from aslkit.datasets import parquet_store
from aslkit.datasets.split import Split
from aslkit.formats.captures import walk_captures
from tests.curate.read_report import measured


@pytest.fixture
def curation(curated: Workspace, settings: CurateConfig) -> ReportInput:
    """What the report of `curated` was made from."""
    table = parquet_store.read_dataset(curated.dataset("custom"))
    frames = {frame.key: frame for frame in walk_captures(curated.captures)}
    plain = ReportInput(
        name="custom",
        table=table.drop_columns(["split"]),
        kept=[frames[image["path"]] for image in table.column("image").to_pylist()],
        suggested=table.column("label").to_numpy(),
        leakage=None,
        split=Split(names=np.array(table.column("split").to_pylist()), by="signer"),
        rejected=[],
        flagged=[],
        summary=parquet_store.read_facts(curated.dataset("custom"))["summary"],
        config=settings,
    )
    return replace(plain, leakage=measured(plain, settings))
