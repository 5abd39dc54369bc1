"""Past versions of the schema, and how each is read today.

A change of the columns raises `schema.VERSION`, and enters here the columns as they were, with a function that brings a
table of them to the next version. A small file of each version lies in tests/datasets/files. Datasets on disk are never
rewritten.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa


@dataclass(frozen=True, kw_only=True)
class Past:
    """One past version.

    Attributes:
        columns: what its files must have.
        upgrade: a table of these columns in, one of the next version's out; rows stay as many and in order.
    """

    columns: pa.Schema
    upgrade: Callable[[pa.Table], pa.Table]


PAST: Final[dict[int, Past]] = {}
"""By version. There has been only one so far."""


def past(version: Any) -> Past | None:
    """The past version of this number; None where it is none."""
    return PAST.get(version) if isinstance(version, int) else None


def upgraded(table: pa.Table, version: int, to: int) -> pa.Table:
    """Bring a table of a past version to a later one, step by step."""
    for number in range(version, to):
        table = PAST[number].upgrade(table)
    return table
