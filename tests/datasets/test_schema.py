import json

import pyarrow as pa
import pytest

from aslkit import __version__
from aslkit.core.errors import AslkitError
from aslkit.core.letters import LETTERS
from aslkit.datasets import schema


def test_what_hugging_face_is_told_is_what_the_columns_are() -> None:
    said = json.loads(schema.with_metadata({}).metadata[b"huggingface"])["info"]["features"]
    assert list(said) == schema.COLUMNS.names
    assert said["image"] == {"_type": "Image"}
    assert said["label"]["names"] == list(LETTERS)
    for field in schema.COLUMNS:
        told = said[field.name]
        if told["_type"] == "Sequence":
            assert told["feature"]["dtype"] == "float32"
            assert field.type == pa.list_(pa.float32())
        elif told["_type"] == "Value" and field.name != "captured_at":
            made = pa.float32() if told["dtype"] == "float32" else pa.type_for_alias(told["dtype"])
            assert made == field.type, field.name


def test_facts_come_back() -> None:
    facts = {"summary": {"frames": 3, "name": "é"}}
    assert schema.parse_facts(schema.with_metadata(facts)) == facts | {
        "schema_version": 1,
        "aslkit": __version__,
    }


@pytest.mark.parametrize("own", [b"", b"{", b"[]", b"5", b"\xff\xfe", b"[" * 100_000])
def test_somebody_elses_metadata_is_no_reason_to_fall_over(own: bytes) -> None:
    there = schema.COLUMNS.with_metadata({b"aslkit": own})
    assert schema.parse_facts(there) == {}
    schema.check(there, "x.parquet")


@pytest.mark.parametrize("said", [b"", b"{", b"[]", b'{"info": 5}', b"\xff\xfe", b"[" * 100_000])
def test_names_of_letters_that_cannot_be_read_are_none(said: bytes) -> None:
    assert schema.label_names(schema.COLUMNS.with_metadata({b"huggingface": said})) is None
    assert schema.label_names(schema.COLUMNS) is None
    assert schema.label_names(schema.with_metadata({})) == list(LETTERS)


def test_without_pixels_an_image_is_only_its_parts() -> None:
    """Hugging Face would open bytes that are not there, for each row."""
    said = json.loads(schema.with_metadata({"pixels": False}).metadata[b"huggingface"])["info"]["features"]["image"]
    assert said == {
        name: {"dtype": dtype, "_type": "Value"} for name, dtype in (("bytes", "binary"), ("path", "string"))
    }
    assert (
        schema.with_metadata({}).metadata[b"huggingface"]
        == schema.with_metadata({"pixels": True}).metadata[b"huggingface"]
    )


@pytest.mark.parametrize("name", schema.COLUMNS.names)
def test_each_column_must_be_there_and_of_its_type(name: str) -> None:
    at = schema.COLUMNS.get_field_index(name)
    with pytest.raises(AslkitError, match=rf"^x\.parquet has no column '{name}'"):
        schema.check(schema.COLUMNS.remove(at), "x.parquet")
    with pytest.raises(AslkitError, match=rf"^x\.parquet: column '{name}' is date32"):
        schema.check(schema.COLUMNS.set(at, pa.field(name, pa.date32())), "x.parquet")


def test_more_columns_in_another_order_are_welcome() -> None:
    more = pa.schema([pa.field("note", pa.string()), *reversed(list(schema.COLUMNS))])
    schema.check(more, "x.parquet")


@pytest.mark.parametrize("version", [2, 99, "1", None])
def test_another_version_is_refused(version: object) -> None:
    later = schema.COLUMNS.with_metadata({b"aslkit": json.dumps({"schema_version": version}).encode()})
    with pytest.raises(AslkitError, match=f"schema version {version}; this aslkit reads 1. Update aslkit"):
        schema.check(later, "x.parquet")
