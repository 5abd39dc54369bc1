"""A `Network` as a TensorFlow function, and what is done to it before it is quantised."""

from collections.abc import Callable
from dataclasses import replace
from math import prod
from typing import Any, Final

import numpy as np

from aslkit.core.errors import AslkitError
from aslkit.core.native_libraries import import_keras
from aslkit.inference.network import Array, Layer, Network

_NEVER_VARIES: Final = 1e-6
"""Deviation of an input that was the same in all of training, as the wrist, which is the origin: it tells nothing."""


def import_tensorflow() -> Any:
    """Import TensorFlow without its chatter; returns the module.

    Raises:
        AslkitError: it is not installed.
    """
    try:
        import_keras(exact=False)
    except AslkitError as error:
        raise AslkitError(
            "This export needs TensorFlow, which is not installed. Install it with: pip install 'aslkit[export]'; "
            "--to page needs nothing more."
        ) from error
    import tensorflow as tf

    return tf


def build_function(network: Network, *, batch: int | None) -> tuple[Any, Any]:
    """Make a tf.function of a network: `input` float32 (batch, *shape) to `probabilities` float32 (batch, classes).

    Returns:
        the tf.Module that keeps it alive, with the function as `says`; and its concrete function.
    """
    tf = import_tensorflow()

    def says(input: Any) -> dict[str, Any]:
        said = [_member(tf, member, input) for member in network.members]
        return {"probabilities": said[0] if len(said) == 1 else tf.add_n(said) / len(said)}

    module = tf.Module()
    given = tf.TensorSpec([batch, *network.shape], tf.float32, name="input")
    module.says = tf.function(says, input_signature=[given])
    return module, module.says.get_concrete_function()


def _member(tf: Any, member: tuple[Layer, ...], values: Any) -> Any:
    for layer in member:
        values = _STEPS[layer.kind](tf, layer, values)
    return values


_STEPS: Final[dict[str, Callable[[Any, Layer, Any], Any]]] = {
    "normalise": lambda tf, layer, x: (x - layer.weights["mean"]) / layer.weights["deviation"],
    "flatten": lambda tf, layer, x: tf.reshape(x, [-1, prod(x.shape[1:])]),
    "dense": lambda tf, layer, x: tf.linalg.matmul(x, layer.weights["kernel"]) + layer.weights["bias"],
    "convolution": lambda tf, layer, x: tf.nn.conv2d(x, layer.weights["kernel"], 1, "VALID") + layer.weights["bias"],
    "pool": lambda tf, layer, x: tf.nn.max_pool2d(x, layer.size, layer.size, "VALID"),
    "scale": lambda tf, layer, x: x * layer.weights["scale"] + layer.weights["shift"],
    "relu": lambda tf, layer, x: tf.nn.relu(x),
    "softmax": lambda tf, layer, x: tf.nn.softmax(x),
}


def fold_batch_norm(network: Network) -> Network:
    """Take normalisation into the dense layer behind it, so that eight bits are spent on what is multiplied.

    An input that never varied in training would be divided by next to nothing, and one such weight would take the
    whole range of eight bits: it is left out, as it adds nothing.
    """
    return replace(network, members=tuple(map(_folded, network.members)))


def _folded(member: tuple[Layer, ...]) -> tuple[Layer, ...]:
    kinds = [layer.kind for layer in member]
    if kinds[:3] == ["normalise", "flatten", "dense"]:
        return (member[1], _without(member[0], member[2]), *member[3:])
    return (_without(member[0], member[1]), *member[2:]) if kinds[:2] == ["normalise", "dense"] else member


def _without(normalise: Layer, dense: Layer) -> Layer:
    kernel, bias = dense.weights["kernel"], dense.weights["bias"]
    times = kernel.shape[0] // len(normalise.weights["mean"])  # the channels of each pixel
    mean, deviation = (np.tile(normalise.weights[name], times) for name in ("mean", "deviation"))
    inverse = np.where(deviation < _NEVER_VARIES, 0, 1 / deviation).astype(np.float32)
    weights: dict[str, Array] = {"kernel": kernel * inverse[:, None], "bias": bias - (mean * inverse) @ kernel}
    return replace(dense, weights=weights)
