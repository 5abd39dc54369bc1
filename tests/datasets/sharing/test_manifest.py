import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aslkit.core.errors import AslkitError
from aslkit.datasets.sharing import manifest

GOOD = {"path": "data/train-00000-of-00001.parquet", "size": 5, "sha256": "a" * 64}


def encode(*files: Any, **other: Any) -> bytes:
    return json.dumps({"format": "aslkit-dataset", "version": 1, "files": list(files)} | other).encode()


def test_manifest_round_trip(tmp_path: Path) -> None:
    for name in (GOOD["path"], "README.md", "report.html", "mine.txt", "data/.train-00000-of-00001.parquet.partial-7"):
        (tmp_path / str(name)).parent.mkdir(exist_ok=True)
        (tmp_path / str(name)).write_bytes(b"hello")
    built = manifest.build_manifest(tmp_path)
    assert [entry.path for entry in built.files] == ["README.md", GOOD["path"]]  # other files are ignored
    assert built.size == 10
    assert manifest.parse_manifest(built.to_bytes(), "m.json") == built


@pytest.mark.parametrize(
    "path",
    [
        "../data/train-00000-of-00001.parquet", "/etc/passwd", "data/../../x.parquet", "data/train.parquet", "run.sh",
        "data\\train-00000-of-00001.parquet", "data/train-00000-of-00001.parquet\n", "report.html", ".ssh/config", "",
        "C:/data/train-00000-of-00001.parquet", "README.md/../../x", 7, None, ["README.md"],
    ],
)  # fmt: skip
def test_unsafe_path_is_rejected(path: Any) -> None:
    with pytest.raises(AslkitError, match="is not a valid manifest of an aslkit dataset"):
        manifest.parse_manifest(encode(GOOD, GOOD | {"path": path}), "m.json")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not a valid manifest"),
        (b"<html>", "not a valid manifest"),
        (b"[" * 100_000, "not a valid manifest"),
        (encode(GOOD, format="zip"), "format 'zip'"),
        (encode(GOOD, version=2), "has version 2, but this version of aslkit reads version 1 only"),
        (encode(), "lists no data files"),
        (encode(GOOD, GOOD), "lists a file twice"),
        (encode(GOOD | {"size": -1}), r"Expected `int` >= 0 - at `\$\[0\]\.size`"),
        (encode(GOOD | {"size": 10**15}), r"Expected `int` <= 1000000000000 - at `\$\[0\]\.size`"),
        (encode(GOOD | {"size": True}), "Expected `int`, got"),
        (encode(GOOD | {"size": 1.5}), "Expected `int`, got"),
        (encode(GOOD | {"sha256": "A" * 64}), r"matching regex .*sha256"),
        (encode(GOOD | {"sha256": "a" * 64 + "\n"}), r"matching regex .*sha256"),
        (encode(GOOD, files={"a": 1}), "Expected `array`, got `object`"),
        (encode(*[GOOD] * (manifest.MAX_FILES + 1)), "length <= 100000"),
    ],
)
def test_invalid_manifest_is_reported(data: bytes, message: str) -> None:
    with pytest.raises(AslkitError, match=message):
        manifest.parse_manifest(data, "m.json")


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(
    st.dictionaries(st.sampled_from(["format", "version", "files"]), JSON | st.just("aslkit-dataset") | st.just(1))
    | JSON
)
def test_any_json_raises_only_aslkit_error(content: Any) -> None:
    with pytest.raises(AslkitError):
        manifest.parse_manifest(json.dumps(content).encode(), "m.json")
