"""From a keras.Model to a `Network` that says the same, which is tried before it is believed."""

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from aslkit.core.errors import AslkitError
from aslkit.inference.network import Array, Layer, Network

TOLERANCE: Final = 1e-4
"""By which probabilities may differ between Keras and NumPy, which add in another order; in fact some 1e-6."""

_TRIED: Final = 8
"""Inputs on which both are compared."""

_AVERAGING: Final = ("InputLayer", "Reshape", "Concatenate", "GlobalAveragePooling1D")
_ONLY_IN_TRAINING: Final = ("InputLayer", "Dropout")


def convert_network(model: Any) -> Network:
    """Take over a keras.Model, of one network or of several that are averaged.

    Raises:
        AslkitError: it has layers that are not known here, or the outcome says something else than Keras does.
    """
    members = [layer for layer in model.layers if hasattr(layer, "layers")] or [model]
    last = _after_averaging(model) if members != [model] else []
    made = Network(
        shape=tuple(model.input_shape[1:]),
        members=tuple((*(each for layer in member.layers for each in _layers(layer)), *last) for member in members),
    )
    _compare(model, made)
    return made


def _after_averaging(model: Any) -> list[Layer]:
    """What is done to the mean of the members, which may as well be done to each: a dense layer, or nothing."""
    around = [layer for layer in model.layers if not hasattr(layer, "layers")]
    dense = around[-1:] if type(around[-1]).__name__ == "Dense" else []
    if strange := [
        type(each).__name__ for each in around if each not in dense and type(each).__name__ not in _AVERAGING
    ]:
        raise _unknown(strange[0])
    return [step for layer in dense for step in _layers(layer)]


def _compare(model: Any, made: Network) -> None:
    inputs = np.random.default_rng(0).random((_TRIED, *made.shape), np.float32)
    first = made.members[0][0]
    if (
        first.kind == "normalise"
    ):  # inputs as it knows them: the wrist is always at 0, and anything else is divided by 0
        inputs = (first.weights["mean"] + (2 * inputs - 1) * first.weights["deviation"]).astype(np.float32)
    said = np.asarray(model(inputs, training=False), np.float32)
    if not np.allclose(said, made(inputs), rtol=0, atol=TOLERANCE, equal_nan=True):
        raise AslkitError(
            f"In NumPy the network says something else than in Keras (by {np.abs(said - made(inputs)).max():.2g}). "
            "Please report this with the network's architecture."
        )


def _layers(layer: Any) -> list[Layer]:
    name = type(layer).__name__
    if name in _ONLY_IN_TRAINING:
        return []
    if name not in _TRANSLATED:
        raise _unknown(name)
    return _TRANSLATED[name](layer)


def _unknown(name: str) -> AslkitError:
    return AslkitError(
        f"A layer {name!r} has no forward pass in NumPy yet: aslkit/forward.py and from_keras.py need it."
    )


def _values(variable: Any) -> Array:
    return np.asarray(variable, np.float32)


def _normalise(layer: Any) -> list[Layer]:
    from keras import backend

    mean, variance = _values(layer.mean).ravel(), _values(layer.variance).ravel()
    deviation = np.maximum(np.sqrt(variance), np.float32(backend.epsilon()))
    return [Layer(kind="normalise", weights={"mean": mean, "deviation": deviation})]


def _activation(layer: Any) -> list[Layer]:
    name = layer.activation.__name__
    if name not in ("linear", "relu", "softmax"):
        raise _unknown(f"{type(layer).__name__} with {name}")
    return [] if name == "linear" else [Layer(kind=name)]


def _weighted(kind: str, layer: Any) -> list[Layer]:
    kernel = _values(layer.kernel)
    bias = _values(layer.bias) if layer.use_bias else np.zeros(kernel.shape[-1], np.float32)
    return [Layer(kind=kind, weights={"kernel": kernel, "bias": bias}), *_activation(layer)]


def _dense(layer: Any) -> list[Layer]:
    return _weighted("dense", layer)


def _convolution(layer: Any) -> list[Layer]:
    plain = (layer.padding, layer.strides, layer.dilation_rate, layer.groups, layer.data_format)
    if plain != ("valid", (1, 1), (1, 1), 1, "channels_last"):
        raise _unknown(f"Conv2D with padding, steps or groups {plain}")
    return _weighted("convolution", layer)


def _pool(layer: Any) -> list[Layer]:
    if layer.padding != "valid" or layer.strides != layer.pool_size or layer.data_format != "channels_last":
        raise _unknown("MaxPooling2D that pads or overlaps")
    return [Layer(kind="pool", size=tuple(layer.pool_size))]


def _batch_normalised(layer: Any) -> list[Layer]:
    mean, variance = _values(layer.moving_mean), _values(layer.moving_variance)
    ones = np.ones_like(mean)
    scale: Array = (_values(layer.gamma) if layer.scale else ones) / np.sqrt(variance + np.float32(layer.epsilon))
    shift: Array = (_values(layer.beta) if layer.center else 0 * ones) - mean * scale
    return [Layer(kind="scale", weights={"scale": scale, "shift": shift})]


def _relu(layer: Any) -> list[Layer]:
    if layer.max_value is not None or layer.negative_slope or layer.threshold:
        raise _unknown("ReLU with a limit, slope or threshold")
    return [Layer(kind="relu")]


_TRANSLATED: Final[dict[str, Callable[[Any], list[Layer]]]] = {
    "Normalization": _normalise,
    "Flatten": lambda layer: [Layer(kind="flatten")],
    "Dense": _dense,
    "Conv2D": _convolution,
    "MaxPooling2D": _pool,
    "BatchNormalization": _batch_normalised,
    "ReLU": _relu,
}
