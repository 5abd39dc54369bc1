"""The forward pass in NumPy says what Keras says; a model.json that is damaged or means ill is told in a sentence."""

import base64
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aslkit.core.errors import AslkitError, InputError
from aslkit.core.letters import LETTERS
from aslkit.core.native_libraries import import_keras
from aslkit.inference import convert_keras, network_file
from aslkit.inference.network import Layer, Network
from aslkit.train.data.features import FEATURES
from aslkit.train.fitting.architectures import ARCHITECTURES, build_ensemble
from aslkit.vision.preprocess import NETWORK_FILE
from tests.live.factories import stirred


@pytest.mark.parametrize(("members", "rests"), [(1, False), (3, False), (1, True), (3, True)])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("feature", FEATURES)
def test_agrees_with_keras(
    feature: str, architecture: str, members: int, rests: bool, tmp_path: Path, rng: np.random.Generator
) -> None:
    import_keras().utils.set_random_seed(0)
    shape = FEATURES[feature].contract.shape
    try:
        _, model = build_ensemble(architecture, shape, len(LETTERS), members=members, rests=rests)
    except InputError:
        return  # needs pixels
    stirred(model, rng)
    inputs = rng.normal(0, 1, (70, *shape)).astype(np.float32)  # more than are run at once
    inputs[:, 0] = 0 if len(shape) == 1 else inputs[:, 0]
    network_file.write_network(tmp_path / NETWORK_FILE, convert_keras.convert_network(model))
    again = network_file.read_network(tmp_path / NETWORK_FILE)
    said = np.asarray(model(inputs, training=False))
    assert said.std() > 1e-3
    np.testing.assert_allclose(again(inputs), said, rtol=0, atol=1e-5)
    np.testing.assert_allclose(again(inputs[:1])[0], said[0], rtol=0, atol=1e-5)
    assert again(inputs[:0]).shape == (0, len(LETTERS))


def test_a_layer_it_does_not_know_is_named() -> None:
    keras = import_keras()
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="tanh"), keras.layers.Softmax()])
    with pytest.raises(AslkitError, match="Dense with tanh"):
        convert_keras.convert_network(model)
    inputs = keras.Input((4,))
    parts = [keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, "softmax")])(inputs) for _ in range(2)]
    with pytest.raises(AslkitError, match="Add"):
        convert_keras.convert_network(keras.Model(inputs, keras.layers.Add()(parts)))


def test_what_keras_would_say_otherwise_is_never_written() -> None:
    keras = import_keras()
    inputs = keras.Input((6, 6, 1))
    hidden = keras.layers.Conv2D(2, 3)(inputs)
    normalised = keras.layers.BatchNormalization(axis=2)(hidden)  # not over channels
    said = keras.layers.Dense(3, "softmax")(keras.layers.Flatten()(normalised))
    with pytest.raises((AslkitError, ValueError)):
        convert_keras.convert_network(keras.Model(inputs, said))


def _small() -> dict[str, Any]:
    rng = np.random.default_rng(0)

    def drawn(*shape: int) -> Any:
        return rng.random(shape).astype(np.float32)

    layers = (
        Layer(kind="convolution", weights={"kernel": drawn(3, 3, 1, 2), "bias": drawn(2)}),
        Layer(kind="pool", size=(2, 2)),
        Layer(kind="normalise", weights={"mean": drawn(2), "deviation": drawn(2) + 1}),
        Layer(kind="flatten"),
        Layer(kind="dense", weights={"kernel": drawn(18, 3), "bias": drawn(3)}),
        Layer(kind="softmax"),
    )
    return network_file.network_to_dict(Network(shape=(8, 8, 1), members=(layers,)))


def _coded(shape: list[int], values: Any) -> dict[str, Any]:
    return {"shape": shape, "float32": base64.b64encode(np.asarray(values, "<f4").tobytes()).decode()}


def _layer(index: int, **changed: Any) -> Callable[[dict[str, Any]], Any]:
    return lambda values: values["members"][0][index].update(changed)


HOSTILE: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "another format": (lambda v: v.update(format="pickle"), "its format is 'pickle'"),
    "a later version": (lambda v: v.update(version=2), "version 2; this aslkit reads 1"),
    "something more": (lambda v: v.update(code="import os"), "not an object of just"),
    "no members": (lambda v: v.update(members=[]), "list of 1 to 100"),
    "members that are none": (lambda v: v.update(members={"0": []}), "list of 1 to 100"),
    "no layers": (lambda v: v.update(members=[[]]), "list of 1 to 200"),
    "an unknown layer": (_layer(0, kind="lambda"), "layer 1 is of kind 'lambda'"),
    "a kind that is a list": (_layer(0, kind=["dense"]), "layer 1 is of kind"),
    "a kind too much": (_layer(3, kernel=_coded([1], [1])), "not an object of just kind"),
    "no base64": (_layer(0, bias={"shape": [2], "float32": "!!"}), "no base64"),
    "no text": (_layer(0, bias={"shape": [2], "float32": [1, 2]}), "no text of base64"),
    "too short": (_layer(0, bias={"shape": [2], "float32": "AAAA"}), "has 3 bytes, its shape says 8"),
    "too many dimensions": (_layer(0, bias=_coded([1, 2], [1, 2])), "has no shape of 1 to 1"),
    "no number": (_layer(0, bias=_coded([2], [1, np.nan])), "no finite numbers"),
    "infinite": (_layer(4, bias=_coded([3], [1, np.inf, 0])), "no finite numbers"),
    "a negative shape": (_layer(0, bias={"shape": [-2], "float32": ""}), "whole numbers above zero"),
    "a shape of halves": (_layer(0, bias={"shape": [2.0], "float32": ""}), "whole numbers above zero"),
    "a shape of truths": (_layer(0, bias={"shape": [True], "float32": ""}), "whole numbers above zero"),
    "a deviation of nothing": (_layer(2, deviation=_coded([2], [1, 0])), "not above zero"),
    "a pool of nothing": (_layer(1, size=[0, 2]), "whole numbers above zero"),
    "a pool in one direction": (_layer(1, size=[2]), "not a height and a width"),
    "a pool larger than its picture": (_layer(1, size=[9, 9]), "layer 2, pool, would give 0×0×2"),
    "layers that do not fit": (_layer(4, kernel=_coded([17, 3], np.ones(51))), "17×3 does not take"),
    "a bias that does not fit": (_layer(4, bias=_coded([2], [1, 2])), "does not take"),
    "channels that do not fit": (_layer(2, mean=_coded([3], [1, 2, 3])), "3 values for 2 channels"),
    "no probabilities": (lambda v: v["members"][0].pop(), "does not end in a softmax"),
    "probabilities that are made more": (
        lambda v: v["members"][0].append(
            {"kind": "dense", "kernel": _coded([3, 2], np.ones(6)), "bias": _coded([2], [0, 0])}
        ),
        "nor in one whose probabilities are shared out",
    ),
    "members that differ": (
        lambda v: v["members"].append([{"kind": "flatten"}, {"kind": "softmax"}]),
        "do not end in one row",
    ),
    "an input that fills the memory": (lambda v: v.update(input=[200_000, 200_000, 1]), "would give"),
    "an input of nothing": (lambda v: v.update(input=[]), "input has no shape"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_files_are_told_in_a_sentence(case: str, tmp_path: Path) -> None:
    change, words = HOSTILE[case]
    path = tmp_path / NETWORK_FILE
    values = _small()
    path.write_text(json.dumps(values))
    assert network_file.read_network(path).classes == 3
    change(values)
    path.write_text(json.dumps(values))
    with pytest.raises(AslkitError, match=words) as caught:
        network_file.read_network(path)
    assert str(path) in caught.value.message
    assert "\n" not in caught.value.message


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is damaged"),
        (b"[" * 100_000, "nested too deeply"),
        (b"\xff\xfe", "is damaged"),
        (b"[1, 2]", "not an object"),
        (b'{"format": "aslkit network", "version": 1', "is damaged"),
        (b'{"version": 1' + b"0" * 5000 + b"}", "is damaged"),
    ],
)
def test_files_that_are_no_network(content: bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / NETWORK_FILE
    path.write_bytes(content)
    with pytest.raises(AslkitError, match=words):
        network_file.read_network(path)
    with pytest.raises(AslkitError, match="is damaged"):
        network_file.read_network(tmp_path / "none.json")


def test_too_large_a_file_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / NETWORK_FILE
    with path.open("wb") as file:
        file.truncate(network_file.MAX_BYTES + 1)  # a hole: takes no room on the disk
    with pytest.raises(AslkitError, match="more than"):
        network_file.read_network(path)


def test_inputs_of_another_shape() -> None:
    network = network_file._network(_small())
    with pytest.raises(ValueError, match=r"must be of shape \(n, 8, 8, 1\)"):
        network(np.zeros((1, 8, 8), np.float32))


def test_needs_no_tensorflow(tmp_path: Path) -> None:
    path = tmp_path / NETWORK_FILE
    path.write_text(json.dumps(_small()))
    code = (
        "import sys; from pathlib import Path; from aslkit import models, network_file; import numpy as np;"
        "print(network_file.read(Path(sys.argv[1]))(np.zeros((2, 8, 8, 1), np.float32)).shape,"
        "[name for name in ('keras', 'tensorflow') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout == "(2, 3) []\n"
