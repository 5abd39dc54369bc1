"""Builds a TensorFlow function from a `Network`, and prepares networks for quantisation."""

from collections.abc import Callable
from dataclasses import replace
from math import prod
from typing import Any, Final

import numpy as np

from aslkit.core.errors import AslkitError
from aslkit.core.installation import missing_module
from aslkit.core.native_libraries import import_keras
from aslkit.inference.network import Array, Layer, Network

_MIN_DEVIATION: Final = 1e-6
"""Inputs with a smaller standard deviation were constant in the training data, like the coordinates of the wrist."""


def import_tensorflow() -> Any:
    """Import TensorFlow without its start-up messages, and return the module.

    Raises:
        AslkitError: TensorFlow is not installed.
    """
    try:
        import_keras(exact=False)
    except AslkitError as error:
        missing = missing_module("tensorflow", extra="export", purpose="This export")
        raise AslkitError(f"{missing.message}. --to page works without it.") from error
    import tensorflow as tf

    return tf


def build_function(network: Network, *, batch_size: int | None) -> tuple[Any, Any]:
    """Build a tf.function that maps `input`, float32 (batch_size, *shape), to `probabilities`, float32 (…, classes).

    Args:
        network: network to convert.
        batch_size: fixed batch size; None allows any.

    Returns:
        The tf.Module that owns the function, which must be kept alive, and the concrete function.
    """
    tf = import_tensorflow()

    def predict(input: Any) -> dict[str, Any]:
        outputs = [_apply_member(tf, member, input) for member in network.members]
        weighted = [weight * output for weight, output in zip(network.weights, outputs, strict=True)]
        return {"probabilities": outputs[0] if len(outputs) == 1 else tf.add_n(weighted)}

    module = tf.Module()
    input_spec = tf.TensorSpec([batch_size, *network.shape], tf.float32, name="input")
    module.predict = tf.function(predict, input_signature=[input_spec])
    return module, module.predict.get_concrete_function()


def _apply_member(tf: Any, member: tuple[Layer, ...], values: Any) -> Any:
    for layer in member:
        values = _OPERATIONS[layer.kind](tf, layer, values)
    return values


_OPERATIONS: Final[dict[str, Callable[[Any, Layer, Any], Any]]] = {
    "normalise": lambda tf, layer, x: (x - layer.weights["mean"]) / layer.weights["deviation"],
    "slice": lambda tf, layer, x: x[:, layer.size[0] : layer.size[1]],
    "flatten": lambda tf, layer, x: tf.reshape(x, [-1, prod(x.shape[1:])]),
    "dense": lambda tf, layer, x: tf.linalg.matmul(x, layer.weights["kernel"]) + layer.weights["bias"],
    "convolution": lambda tf, layer, x: tf.nn.conv2d(x, layer.weights["kernel"], 1, "VALID") + layer.weights["bias"],
    "pool": lambda tf, layer, x: tf.nn.max_pool2d(x, layer.size, layer.size, "VALID"),
    "scale": lambda tf, layer, x: x * layer.weights["scale"] + layer.weights["shift"],
    "relu": lambda tf, layer, x: tf.nn.relu(x),
    "softmax": lambda tf, layer, x: tf.nn.softmax(x),
}


def fold_batch_norm(network: Network) -> Network:
    """Fold the normalisation of the inputs into the following dense layer, to lose less precision in quantisation.

    Weights of inputs that were constant in the training data become 0. Otherwise they would be divided by almost 0, and
    a single one would take up the whole 8-bit range. Such inputs contribute nothing to the result.
    """
    return replace(network, members=tuple(map(_fold_member, network.members)))


def _fold_member(member: tuple[Layer, ...]) -> tuple[Layer, ...]:
    if member[0].kind == "slice":
        return (member[0], *_fold_member(member[1:]))
    kinds = [layer.kind for layer in member]
    if kinds[:3] == ["normalise", "flatten", "dense"]:
        return (member[1], _fold_normalisation(member[0], member[2]), *member[3:])
    if kinds[:2] == ["normalise", "dense"]:
        return (_fold_normalisation(member[0], member[1]), *member[2:])
    return member


def _fold_normalisation(normalise: Layer, dense: Layer) -> Layer:
    kernel, bias = dense.weights["kernel"], dense.weights["bias"]
    repeats = kernel.shape[0] // len(normalise.weights["mean"])  # a flattened image repeats the channels for each pixel
    mean, deviation = (np.tile(normalise.weights[name], repeats) for name in ("mean", "deviation"))
    inverse = np.where(deviation < _MIN_DEVIATION, 0, 1 / deviation).astype(np.float32)
    # ((x - mean) * inverse) @ kernel + bias, with the constant part moved into the bias.
    weights: dict[str, Array] = {"kernel": kernel * inverse[:, None], "bias": bias - (mean * inverse) @ kernel}
    return replace(dense, weights=weights)
