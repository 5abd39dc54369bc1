"""What a curated dataset holds, in figures and in a few sentences a person should know."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from aslkit.curate.clean import Rejection
from aslkit.datasets import summary
from aslkit.datasets.split import Split
from aslkit.datasets.summary import FEW

__all__ = ["FEW", "summarise"]


def summarise(
    table: pa.Table,
    parts: Split,
    refused: Sequence[Rejection],
    flagged: Sequence[Rejection],
    *,
    left_out: Sequence[str],
) -> dict[str, Any]:
    """Count a dataset: ready for JSON, the same for the same input.

    Args:
        table: all rows, without images.
        parts: their split.
        refused: what was not taken.
        flagged: what is to be known of frames that were taken.
        left_out: synthetic signers that were not taken.
    """
    reasons = [[each.reason for each in found] for found in (refused, flagged)]
    return summary.summarise(table, parts, rejected=reasons[0], flagged=reasons[1], left_out=left_out)
