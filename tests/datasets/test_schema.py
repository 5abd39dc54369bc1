import json

import pyarrow as pa
import pytest

from aslkit import __version__
from aslkit.core.errors import AslkitError
from aslkit.core.letters import LABELS, LETTERS
from aslkit.datasets import schema


def test_hugging_face_features_match_columns() -> None:
    features = json.loads(schema.with_metadata({}).metadata[b"huggingface"])["info"]["features"]
    assert list(features) == schema.COLUMNS.names
    assert features["image"] == {"_type": "Image"}
    assert features["label"]["names"] == list(LABELS)
    for field in schema.COLUMNS:
        feature = features[field.name]
        if feature["_type"] == "Sequence":
            assert feature["feature"]["dtype"] == "float32"
            assert field.type == pa.list_(pa.float32())
        elif feature["_type"] == "Value" and field.name != "captured_at":
            feature_type = pa.float32() if feature["dtype"] == "float32" else pa.type_for_alias(feature["dtype"])
            assert feature_type == field.type, field.name


def test_facts_round_trip() -> None:
    facts = {"summary": {"frames": 3, "name": "é"}}
    assert schema.parse_facts(schema.with_metadata(facts)) == facts | {
        "schema_version": 2,
        "aslkit": __version__,
    }


@pytest.mark.parametrize("own", [b"", b"{", b"[]", b"5", b"\xff\xfe", b"[" * 100_000])
def test_invalid_facts_are_ignored(own: bytes) -> None:
    file_schema = schema.COLUMNS.with_metadata({b"aslkit": own})
    assert schema.parse_facts(file_schema) == {}
    schema.check(file_schema, "x.parquet")


@pytest.mark.parametrize("metadata", [b"", b"{", b"[]", b'{"info": 5}', b"\xff\xfe", b"[" * 100_000])
def test_invalid_label_names_are_none(metadata: bytes) -> None:
    assert schema.label_names(schema.COLUMNS.with_metadata({b"huggingface": metadata})) is None
    assert schema.label_names(schema.COLUMNS) is None
    assert schema.label_names(schema.with_metadata({})) == list(LABELS)


def test_image_feature_is_struct_without_pixels() -> None:
    """Otherwise Hugging Face would try to decode a missing image in each row."""
    feature = json.loads(schema.with_metadata({"pixels": False}).metadata[b"huggingface"])["info"]["features"]["image"]
    assert feature == {
        name: {"dtype": dtype, "_type": "Value"} for name, dtype in (("bytes", "binary"), ("path", "string"))
    }
    assert (
        schema.with_metadata({}).metadata[b"huggingface"]
        == schema.with_metadata({"pixels": True}).metadata[b"huggingface"]
    )


@pytest.mark.parametrize("name", schema.COLUMNS.names)
def test_check_rejects_missing_column_and_wrong_type(name: str) -> None:
    at = schema.COLUMNS.get_field_index(name)
    with pytest.raises(AslkitError, match=rf"^x\.parquet has no column '{name}'"):
        schema.check(schema.COLUMNS.remove(at), "x.parquet")
    with pytest.raises(AslkitError, match=rf"^x\.parquet: column '{name}' is date32"):
        schema.check(schema.COLUMNS.set(at, pa.field(name, pa.date32())), "x.parquet")


def test_check_accepts_extra_columns_in_any_order() -> None:
    more = pa.schema([pa.field("note", pa.string()), *reversed(list(schema.COLUMNS))])
    schema.check(more, "x.parquet")


@pytest.mark.parametrize("version", [0, 3, 99, "1", True, None])
def test_check_rejects_other_versions(version: object) -> None:
    later = schema.COLUMNS.with_metadata({b"aslkit": json.dumps({"schema_version": version}).encode()})
    with pytest.raises(
        AslkitError,
        match=f"schema version {version}, but this version of aslkit reads versions 1 and 2 only. Update aslkit",
    ):
        schema.check(later, "x.parquet")


def test_numbers_of_static_letters_are_those_of_version_1() -> None:
    """Old and new datasets are merged without renumbering."""
    assert LABELS[:24] == LETTERS
    assert LABELS[24:] == ("J", "Z")


def test_version_1_is_read_with_and_without_metadata() -> None:
    old = pa.schema([field for field in schema.COLUMNS if field.name not in schema.CLIP_COLUMNS])
    stated = old.with_metadata({b"aslkit": json.dumps({"schema_version": 1}).encode()})
    for each in (old, stated):
        schema.check(each, "x.parquet")
        assert schema.stored_columns(each, ["clip", "label", "time_ms"]) == ["label"]
    with pytest.raises(AslkitError, match="has no column 'clip'"):
        schema.check(old.with_metadata({b"aslkit": json.dumps({"schema_version": 2}).encode()}), "x.parquet")


def test_label_names_must_be_those_of_the_version() -> None:
    def named(version: int, names: tuple[str, ...]) -> pa.Schema:
        features = {"info": {"features": {"label": {"names": names}}}}
        metadata = {"aslkit": json.dumps({"schema_version": version}), "huggingface": json.dumps(features)}
        return schema.COLUMNS.with_metadata(metadata)

    assert schema.has_known_labels(named(1, LETTERS))
    assert schema.has_known_labels(named(2, LABELS))
    assert not schema.has_known_labels(named(1, LABELS))
    assert not schema.has_known_labels(named(2, LETTERS))
    assert schema.has_known_labels(schema.COLUMNS)
