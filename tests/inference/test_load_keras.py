"""Untrusted model.keras files are only loaded if they consist of allowed classes."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aslkit.core.errors import AslkitError
from aslkit.core.native_libraries import import_keras
from aslkit.inference import load_keras
from aslkit.train.data.features import get_feature
from aslkit.train.fitting.architectures import ARCHITECTURES, build_ensemble

Change = Callable[[dict[str, Any]], None]


@pytest.fixture(scope="module")
def model_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model.keras as written by training."""
    import_keras()
    path = tmp_path_factory.mktemp("model") / "model.keras"
    build_ensemble("mlp", get_feature("landmarks").contract.shape, 24, members=2, rest_class=True)[1].save(path)
    return path


def write_changed_copy(source: Path, target: Path, change: Change) -> Path:
    """Write a copy with a changed config.json."""
    with zipfile.ZipFile(source) as archive, zipfile.ZipFile(target, "w") as copy:
        for member in archive.infolist():
            data = archive.read(member)
            if member.filename == "config.json":
                config = json.loads(data)
                change(config)
                data = json.dumps(config).encode()
            copy.writestr(member, data)
    return target


def find_dense_layer(config: dict[str, Any]) -> dict[str, Any]:
    """Return the configuration of a Dense layer, at any depth."""
    pending: list[Any] = [config]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            if value.get("class_name") == "Dense":
                return value
            pending += value.values()
        elif isinstance(value, list):
            pending += value
    raise AssertionError("no Dense layer")


@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize(("members", "rest_class"), [(1, False), (2, True)])
def test_load_keras_file_restores_every_architecture(name: str, members: int, rest_class: bool, tmp_path: Path) -> None:
    import_keras()
    shape = get_feature("landmarks" if name == "mlp" else "pixels28").contract.shape
    model = build_ensemble(name, shape, 24, members=members, rest_class=rest_class)[1]
    model.save(tmp_path / "model.keras")
    inputs = np.random.default_rng(0).random((3, *shape), np.float32)
    loaded = load_keras.load_keras_file(tmp_path / "model.keras")
    np.testing.assert_array_equal(np.asarray(loaded(inputs)), np.asarray(model(inputs)))


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("class_name", "Lambda", "'keras.layers'.'Lambda'"),
        ("class_name", "TFSMLayer", "'TFSMLayer'"),
        ("class_name", ["Dense"], "Dense"),
        ("module", "os", "'os'.'Dense'"),
        ("module", "keras_evil", "'keras_evil'.'Dense'"),
        ("registered_name", "evil>Dense", "'Dense'"),
        ("activation", {"class_name": "function", "config": "system", "module": "os"}, "'os'.'function'"),
    ],
)
def test_load_keras_file_rejects_unknown_classes_before_keras_reads_them(
    key: str, value: Any, message: str, model_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def change(config: dict[str, Any]) -> None:
        layer = find_dense_layer(config)
        (layer["config"] if key == "activation" else layer)[key] = value

    def load_model(*_: Any, **__: Any) -> None:
        raise AssertionError("Keras was called")

    monkeypatch.setattr(import_keras().saving, "load_model", load_model)
    hostile = write_changed_copy(model_path, tmp_path / "model.keras", change)
    with pytest.raises(AslkitError, match="contains classes that aslkit does not allow") as caught:
        load_keras.load_keras_file(hostile)
    assert message in caught.value.message


def test_load_keras_file_rejects_other_formats_and_large_files(
    model_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = tmp_path / "old.keras"
    old.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(1000))
    ambiguous = tmp_path / "both.h5"  # a valid zip file, but Keras would read it as HDF5, which has no safe mode
    ambiguous.write_bytes(model_path.read_bytes())
    with pytest.raises(AslkitError, match=r"is not a \.keras file"):
        load_keras.load_keras_file(ambiguous)
    invalid = write_changed_copy(
        model_path, tmp_path / "invalid.keras", lambda config: config.update(config={"layers": 5})
    )
    for path in (old, invalid, tmp_path / "nowhere.keras"):
        with pytest.raises(AslkitError, match="is missing, damaged, or not a Keras 3 model"):
            load_keras.load_keras_file(path)
    monkeypatch.setattr(load_keras, "MAX_UNPACKED_BYTES", 1000)
    with pytest.raises(AslkitError, match="is missing, damaged, or not a Keras 3 model") as caught:
        load_keras.load_keras_file(model_path)
    assert "the unpacked file is larger than 1,000 bytes" in str(caught.value.__cause__)
