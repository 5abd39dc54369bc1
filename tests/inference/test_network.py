"""NumPy computes the same probabilities as Keras, and a damaged or hostile model.json leads to a clear error."""

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
from tests.live.factories import randomise_weights


@pytest.mark.parametrize(("members", "rest_class"), [(1, False), (3, True)])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("feature", ["landmarks", "pixels28", "pixels64"])  # hand28 and hand64 have the same shapes
def test_network_agrees_with_keras(
    feature: str, architecture: str, members: int, rest_class: bool, tmp_path: Path, rng: np.random.Generator
) -> None:
    import_keras().utils.set_random_seed(0)
    shape = FEATURES[feature].contract.shape
    try:
        _, model = build_ensemble(architecture, shape, len(LETTERS), members=members, rest_class=rest_class)
    except InputError:
        return  # this architecture needs pixels
    randomise_weights(model, rng)
    inputs = rng.normal(0, 1, (70, *shape)).astype(np.float32)  # more than one batch
    inputs[:, 0] = 0 if len(shape) == 1 else inputs[:, 0]
    network_file.write_network(tmp_path / NETWORK_FILE, convert_keras.convert_network(model))
    network = network_file.read_network(tmp_path / NETWORK_FILE)
    expected = np.asarray(model(inputs, training=False))
    assert expected.std() > 1e-3
    np.testing.assert_allclose(network(inputs), expected, rtol=0, atol=1e-5)
    np.testing.assert_allclose(network(inputs[:1])[0], expected[0], rtol=0, atol=1e-5)
    assert network(inputs[:0]).shape == (0, len(LETTERS))


def test_networks_of_parts_agree_with_keras(tmp_path: Path, rng: np.random.Generator) -> None:
    both = FEATURES["both"]
    _, model = build_ensemble("mlp", both.contract.shape, len(LETTERS), members=1, parts=both.parts, rest_class=True)
    randomise_weights(model, rng)
    inputs = rng.normal(0, 1, (5, *both.contract.shape)).astype(np.float32)
    network_file.write_network(tmp_path / NETWORK_FILE, convert_keras.convert_network(model))
    network = network_file.read_network(tmp_path / NETWORK_FILE)
    np.testing.assert_allclose(network(inputs), np.asarray(model(inputs, training=False)), rtol=0, atol=1e-5)
    # The weighted mean of the parts, each on its own inputs.
    parts = [
        each.weight * network.part(each.start, each.stop)(inputs[:, each.start : each.stop]) for each in both.parts
    ]
    np.testing.assert_allclose(np.sum(parts, axis=0), network(inputs), rtol=0, atol=1e-6)


@pytest.mark.parametrize("weights", [(0.5,), (0.5, 0.6), (1.5, -0.5)])
def test_network_rejects_weights_that_are_not_shares(weights: tuple[float, ...]) -> None:
    member = (Layer(kind="softmax"),)
    with pytest.raises(ValueError, match="no members"):
        Network(shape=(3,), members=())
    with pytest.raises(ValueError, match="not shares of 2 members"):
        Network(shape=(3,), members=(member, member), weights=weights)


@pytest.mark.parametrize("size", [(0, 0), (3, 2), (2, 99)])
def test_network_rejects_slices_of_inputs_that_do_not_exist(size: tuple[int, int]) -> None:
    layers = (Layer(kind="slice", size=size), Layer(kind="softmax"))
    with pytest.raises(ValueError, match="do not exist"):
        Network(shape=(8,), members=(layers,))


def test_network_rejects_a_pool_of_no_size() -> None:
    with pytest.raises(ValueError, match="pool"):
        Network(shape=(4, 4, 1), members=((Layer(kind="pool", size=(0, 2)), Layer(kind="softmax")),))


def test_convert_network_names_unknown_layer() -> None:
    keras = import_keras()
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="tanh"), keras.layers.Softmax()])
    with pytest.raises(AslkitError, match="Dense with tanh"):
        convert_keras.convert_network(model)
    inputs = keras.Input((4,))
    members = [keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, "softmax")])(inputs) for _ in range(2)]
    with pytest.raises(AslkitError, match="Add"):
        convert_keras.convert_network(keras.Model(inputs, keras.layers.Add()(members)))


def test_convert_network_rejects_layers_with_other_results() -> None:
    keras = import_keras()
    inputs = keras.Input((6, 6, 1))
    hidden = keras.layers.Conv2D(2, 3)(inputs)
    normalised = keras.layers.BatchNormalization(axis=2)(hidden)  # over columns instead of channels
    outputs = keras.layers.Dense(3, "softmax")(keras.layers.Flatten()(normalised))
    with pytest.raises((AslkitError, ValueError)):
        convert_keras.convert_network(keras.Model(inputs, outputs))


def _network_values() -> dict[str, Any]:
    """Return the values of a small, valid model.json."""
    rng = np.random.default_rng(0)

    def random_array(*shape: int) -> Any:
        return rng.random(shape).astype(np.float32)

    layers = (
        Layer(kind="convolution", weights={"kernel": random_array(3, 3, 1, 2), "bias": random_array(2)}),
        Layer(kind="pool", size=(2, 2)),
        Layer(kind="normalise", weights={"mean": random_array(2), "deviation": random_array(2) + 1}),
        Layer(kind="flatten"),
        Layer(kind="dense", weights={"kernel": random_array(18, 3), "bias": random_array(3)}),
        Layer(kind="softmax"),
    )
    return network_file.network_to_dict(Network(shape=(8, 8, 1), members=(layers,)))


def _encode_array(shape: list[int], values: Any) -> dict[str, Any]:
    return {"shape": shape, "float32": base64.b64encode(np.asarray(values, "<f4").tobytes()).decode()}


def _change_layer(index: int, **changes: Any) -> Callable[[dict[str, Any]], Any]:
    return lambda values: values["members"][0][index].update(changes)


HOSTILE: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "another format": (lambda v: v.update(format="pickle"), "its format is 'pickle'"),
    "a later version": (lambda v: v.update(version=2), "has version 2, but this aslkit reads version 1"),
    "an additional key": (lambda v: v.update(code="import os"), "unknown field `code`"),
    "no members": (lambda v: v.update(members=[]), "length >= 1 - at `.\\.members`"),
    "members that are not a list": (lambda v: v.update(members={"0": []}), "Expected `array`, got `object`"),
    "no layers": (lambda v: v.update(members=[[]]), "length >= 1"),
    "an unknown layer": (_change_layer(0, kind="lambda"), "layer 1 has an unknown kind; known kinds are"),
    "a kind that is a list": (_change_layer(0, kind=["dense"]), "layer 1 has an unknown kind"),
    "an additional weight": (
        _change_layer(3, kernel=_encode_array([1], [1])),
        "does not have exactly the keys kind",
    ),
    "invalid base64": (_change_layer(0, bias={"shape": [2], "float32": "!!"}), "layer 1, .*[Ii]nvalid base64"),
    "a list for base64": (_change_layer(0, bias={"shape": [2], "float32": [1, 2]}), "Expected `bytes`, got `array`"),
    "too short": (_change_layer(0, bias={"shape": [2], "float32": "AAAA"}), "has 3 bytes, but its shape requires 8"),
    "too many dimensions": (_change_layer(0, bias=_encode_array([1, 2], [1, 2])), "has 2 dimensions, not 1"),
    "not a number": (_change_layer(0, bias=_encode_array([2], [1, np.nan])), "infinite or undefined values"),
    "infinite": (_change_layer(4, bias=_encode_array([3], [1, np.inf, 0])), "infinite or undefined values"),
    "a negative shape": (
        _change_layer(0, bias={"shape": [-2], "float32": ""}),
        "Expected `int` >= 1",
    ),
    "a shape of floats": (
        _change_layer(0, bias={"shape": [2.0], "float32": ""}),
        "Expected `int`, got `float`",
    ),
    "a shape of booleans": (
        _change_layer(0, bias={"shape": [True], "float32": ""}),
        "Expected `int`, got `bool`",
    ),
    "a deviation of zero": (_change_layer(2, deviation=_encode_array([2], [1, 0])), "is not positive"),
    "a pool of size zero": (_change_layer(1, size=[0, 2]), "a pool does not accept"),
    "a one-dimensional pool": (_change_layer(1, size=[2]), "Expected `array` of length 2"),
    "a pool larger than its input": (_change_layer(1, size=[9, 9]), "layer 2, pool, would output 0×0×2"),
    "layers that do not match": (_change_layer(4, kernel=_encode_array([17, 3], np.ones(51))), "17×3 does not accept"),
    "a bias that does not match": (_change_layer(4, bias=_encode_array([2], [1, 2])), "does not accept"),
    "channels that do not match": (_change_layer(2, mean=_encode_array([3], [1, 2, 3])), "3 values for 2 channels"),
    "no probabilities": (lambda v: v["members"][0].pop(), "does not end with a softmax"),
    "outputs that do not sum to 1": (
        lambda v: v["members"][0].append(
            {"kind": "dense", "kernel": _encode_array([3, 2], np.ones(6)), "bias": _encode_array([2], [0, 0])}
        ),
        "a layer that keeps the sum at 1",
    ),
    "members with different numbers of classes": (
        lambda v: v.update(members=[*v["members"], [{"kind": "flatten"}, {"kind": "softmax"}]], weights=[0.5, 0.5]),
        "do not all output the same number",
    ),
    "an input that exceeds memory": (lambda v: v.update(input=[200_000, 200_000, 1]), "would output"),
    "an input without shape": (lambda v: v.update(input=[]), "length >= 1 - at `.\\.input`"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_read_network_rejects_hostile_values(case: str, tmp_path: Path) -> None:
    change, message = HOSTILE[case]
    path = tmp_path / NETWORK_FILE
    values = _network_values()
    path.write_text(json.dumps(values))
    assert network_file.read_network(path).classes == 3
    change(values)
    path.write_text(json.dumps(values))
    with pytest.raises(AslkitError, match=message) as caught:
        network_file.read_network(path)
    assert str(path) in caught.value.message
    assert "\n" not in caught.value.message


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is damaged"),
        (b'{"format": ' * 100_000, "nested too deeply"),
        (b"\xff\xfe", "is damaged"),
        (b"[1, 2]", "Expected `object`, got `array`"),
        (b'{"format": "aslkit network", "version": 1', "is damaged"),
        (b'{"version": 1' + b"0" * 5000 + b"}", "is damaged"),
    ],
)
def test_read_network_rejects_damaged_file(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / NETWORK_FILE
    path.write_bytes(content)
    with pytest.raises(AslkitError, match=message):
        network_file.read_network(path)
    with pytest.raises(AslkitError, match="is damaged"):
        network_file.read_network(tmp_path / "none.json")


def test_read_network_rejects_large_file(tmp_path: Path) -> None:
    path = tmp_path / NETWORK_FILE
    with path.open("wb") as file:
        file.truncate(network_file.MAX_BYTES + 1)  # a sparse file, which needs no disk space
    with pytest.raises(AslkitError, match="is larger than"):
        network_file.read_network(path)


def test_network_rejects_inputs_of_other_shape() -> None:
    network = network_file._parse_network(json.dumps(_network_values()).encode())
    with pytest.raises(ValueError, match=r"must have shape \(n, 8, 8, 1\)"):
        network(np.zeros((1, 8, 8), np.float32))


def test_network_does_not_import_tensorflow(tmp_path: Path) -> None:
    path = tmp_path / NETWORK_FILE
    path.write_text(json.dumps(_network_values()))
    code = (
        "import sys; from pathlib import Path; import numpy as np;"
        "from aslkit.inference import load_model, network_file;"
        "print(network_file.read_network(Path(sys.argv[1]))(np.zeros((2, 8, 8, 1), np.float32)).shape,"
        "[name for name in ('keras', 'tensorflow') if name in sys.modules])"
    )
    completed = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert completed.stdout == "(2, 3) []\n"
