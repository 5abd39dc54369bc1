from aslkit.datasets import schema
from aslkit.formats.measurements import MEASURED_SCHEMA


def test_columns_of_a_dataset_have_the_types_of_a_dataset() -> None:
    shared = [field for field in MEASURED_SCHEMA if field.name in schema.COLUMNS.names]
    assert len(shared) == 11
    assert all(field.equals(schema.COLUMNS.field(field.name)) for field in shared)
