"""A model that somebody sent is opened if it is made of plain layers, and of nothing else."""

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
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network of aslkit's, as a run keeps it."""
    import_keras()
    path = tmp_path_factory.mktemp("model") / "model.keras"
    build_ensemble("mlp", get_feature("landmarks").contract.shape, 24, members=2, rests=True)[1].save(path)
    return path


def changed(path: Path, to: Path, change: Change) -> Path:
    """A copy whose description says something else."""
    with zipfile.ZipFile(path) as archive, zipfile.ZipFile(to, "w") as copy:
        for member in archive.infolist():
            data = archive.read(member)
            if member.filename == "config.json":
                described = json.loads(data)
                change(described)
                data = json.dumps(described).encode()
            copy.writestr(member, data)
    return to


def dense(described: dict[str, Any]) -> dict[str, Any]:
    """Some Dense layer's description, wherever it lies."""
    waiting: list[Any] = [described]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if value.get("class_name") == "Dense":
                return value
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
    raise AssertionError("no Dense layer")


@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize(("members", "rests"), [(1, False), (2, True)])
def test_every_network_of_aslkit_comes_back(name: str, members: int, rests: bool, tmp_path: Path) -> None:
    import_keras()
    shape = get_feature("landmarks" if name == "mlp" else "pixels28").contract.shape
    model = build_ensemble(name, shape, 24, members=members, rests=rests)[1]
    model.save(tmp_path / "model.keras")
    inputs = np.random.default_rng(0).random((3, *shape), np.float32)
    again = load_keras.load_keras_file(tmp_path / "model.keras")
    np.testing.assert_array_equal(np.asarray(again(inputs)), np.asarray(model(inputs)))


@pytest.mark.parametrize(
    ("key", "value", "said"),
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
def test_a_part_that_is_not_known_is_never_handed_to_keras(
    key: str, value: Any, said: str, plain: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def change(described: dict[str, Any]) -> None:
        layer = dense(described)
        (layer["config"] if key == "activation" else layer)[key] = value

    def loaded(*_: Any, **__: Any) -> None:
        raise AssertionError("handed to Keras")

    monkeypatch.setattr(import_keras().saving, "load_model", loaded)
    hostile = changed(plain, tmp_path / "model.keras", change)
    with pytest.raises(AslkitError, match="parts that aslkit does not know") as refused:
        load_keras.load_keras_file(hostile)
    assert said in refused.value.message


def test_what_is_no_file_of_keras_3_or_unpacks_to_too_much(
    plain: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = tmp_path / "old.keras"
    old.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(1000))
    two_faced = tmp_path / "both.h5"  # a zip to whoever looks for one, and older than safe mode to Keras
    two_faced.write_bytes(plain.read_bytes())
    with pytest.raises(AslkitError, match=r"is no \.keras file"):
        load_keras.load_keras_file(two_faced)
    deep = changed(plain, tmp_path / "deep.keras", lambda described: described.update(config={"layers": 5}))
    for path in (old, deep, tmp_path / "nowhere.keras"):
        with pytest.raises(AslkitError, match="missing or damaged, or no model of Keras 3"):
            load_keras.load_keras_file(path)
    monkeypatch.setattr(load_keras, "MAX_BYTES", 1000)
    with pytest.raises(AslkitError, match="missing or damaged") as refused:
        load_keras.load_keras_file(plain)
    assert "unpacks to more than 1,000 bytes" in str(refused.value.__cause__)
