import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aslkit.core.errors import AslkitError
from aslkit.datasets.sharing import manifest

GOOD = {"path": "data/train-00000-of-00001.parquet", "size": 5, "sha256": "a" * 64}


def of(*files: Any, **other: Any) -> bytes:
    return json.dumps({"format": "aslkit-dataset", "version": 1, "files": list(files)} | other).encode()


def test_it_comes_back(tmp_path: Path) -> None:
    for name in (GOOD["path"], "README.md", "report.html", "mine.txt", "data/.train-00000-of-00001.parquet.partial-7"):
        (tmp_path / str(name)).parent.mkdir(exist_ok=True)
        (tmp_path / str(name)).write_bytes(b"hello")
    found = manifest.build_manifest(tmp_path)
    assert [entry.path for entry in found.files] == ["README.md", GOOD["path"]]  # and nothing that is no dataset's
    assert found.size == 10
    assert manifest.parse_manifest(found.to_bytes(), "there") == found


@pytest.mark.parametrize(
    "path",
    [
        "../data/train-00000-of-00001.parquet", "/etc/passwd", "data/../../x.parquet", "data/train.parquet", "run.sh",
        "data\\train-00000-of-00001.parquet", "data/train-00000-of-00001.parquet\n", "report.html", ".ssh/config", "",
        "C:/data/train-00000-of-00001.parquet", "README.md/../../x", 7, None, ["README.md"],
    ],
)  # fmt: skip
def test_a_path_that_no_dataset_has_is_refused(path: Any) -> None:
    with pytest.raises(AslkitError, match="is not the manifest of an aslkit dataset"):
        manifest.parse_manifest(of(GOOD, GOOD | {"path": path}), "there")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "not the manifest"),
        (b"<html>", "not the manifest"),
        (b"[" * 100_000, "not the manifest"),
        (of(GOOD, format="zip"), "format 'zip'"),
        (of(GOOD, version=2), "has version 2; this aslkit reads 1"),
        (of(), "names no file of a dataset"),
        (of(GOOD, GOOD), "names a file twice"),
        (of(GOOD | {"size": -1}), "-1 is no size"),
        (of(GOOD | {"size": 10**15}), "is no size"),
        (of(GOOD | {"size": True}), "is no size"),
        (of(GOOD | {"size": 1.5}), "is no size"),
        (of(GOOD | {"sha256": "A" * 64}), "no SHA-256"),
        (of(GOOD, files={"a": 1}), "files must be a list"),
        (of(*[GOOD] * (manifest.MAX_FILES + 1)), "at most 100,000"),
    ],
)
def test_what_is_no_manifest_is_said(data: bytes, words: str) -> None:
    with pytest.raises(AslkitError, match=words):
        manifest.parse_manifest(data, "there")


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(
    st.dictionaries(st.sampled_from(["format", "version", "files"]), JSON | st.just("aslkit-dataset") | st.just(1))
    | JSON
)
def test_no_json_gives_another_error(about: Any) -> None:
    with pytest.raises(AslkitError):
        manifest.parse_manifest(json.dumps(about).encode(), "there")
