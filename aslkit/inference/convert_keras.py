"""Converts a keras.Model to a `Network`, and verifies that both compute the same probabilities."""

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from aslkit.core.errors import AslkitError
from aslkit.inference.network import Array, Layer, Network

TOLERANCE: Final = 1e-4
"""Allowed difference of probabilities between Keras and NumPy, which sum in a different order; about 1e-6 in fact."""

_COMPARED_INPUTS: Final = 8

_AVERAGING_LAYERS: Final = ("InputLayer", "Reshape", "Concatenate", "Rescaling", "GlobalAveragePooling1D")
_TRAINING_ONLY_LAYERS: Final = ("InputLayer", "Dropout")


def convert_network(model: Any) -> Network:
    """Convert a keras.Model: a single network, or an ensemble whose members are averaged.

    Raises:
        AslkitError: the model has a layer that cannot be converted, or the result differs from Keras.
    """
    members = [layer for layer in model.layers if hasattr(layer, "layers")] or [model]
    final_layers = _layers_after_averaging(model) if members != [model] else []
    network = Network(
        shape=tuple(model.input_shape[1:]),
        members=tuple(
            (*(converted for layer in member.layers for converted in _convert_layer(layer)), *final_layers)
            for member in members
        ),
        weights=_member_weights(model, members),
    )
    _compare(model, network)
    return network


def _member_weights(model: Any, members: list[Any]) -> tuple[float, ...]:
    """Return the weights in the mean: a Rescaling layer, named after a member, multiplies its outputs."""
    scales = {layer.name: layer.scale for layer in model.layers if type(layer).__name__ == "Rescaling"}
    return tuple(float(scales[f"{each.name}_weight"]) / len(members) for each in members) if scales else ()


def _layers_after_averaging(model: Any) -> list[Layer]:
    """Convert the dense layer after the mean of the members, if any.

    It is linear, so applying it to each member before averaging gives the same result.
    """
    shared = [layer for layer in model.layers if not hasattr(layer, "layers")]
    dense = shared[-1:] if type(shared[-1]).__name__ == "Dense" else []
    if unknown := [
        type(layer).__name__ for layer in shared if layer not in dense and type(layer).__name__ not in _AVERAGING_LAYERS
    ]:
        raise _conversion_error(unknown[0])
    return [converted for layer in dense for converted in _convert_layer(layer)]


def _compare(model: Any, network: Network) -> None:
    inputs = np.random.default_rng(0).random((_COMPARED_INPUTS, *network.shape), np.float32)
    for member in network.members:
        start, stop = member[0].size if member[0].kind == "slice" else (0, network.shape[0])
        first = member[1] if member[0].kind == "slice" else member[0]
        if first.kind == "normalise":
            # Use inputs in the range of the training data. The wrist, for example, is always 0, so its deviation is
            # almost 0, and any other value would be divided by it.
            varied = first.weights["mean"] + (2 * inputs[:, start:stop] - 1) * first.weights["deviation"]
            inputs[:, start:stop] = varied
    expected = np.asarray(model(inputs, training=False), np.float32)
    actual = network(inputs)
    if not np.allclose(expected, actual, rtol=0, atol=TOLERANCE, equal_nan=True):
        raise AslkitError(
            "The network computes different probabilities in NumPy than in Keras "
            f"(difference {np.abs(expected - actual).max():.2g}). Please report this, with the network's architecture."
        )


def _convert_layer(layer: Any) -> list[Layer]:
    name = type(layer).__name__
    if name in _TRAINING_ONLY_LAYERS:
        return []
    if name not in _CONVERTERS:
        raise _conversion_error(name)
    return _CONVERTERS[name](layer)


def _conversion_error(name: str) -> AslkitError:
    return AslkitError(
        f"The layer {name!r} cannot be converted to NumPy. "
        "Add it to aslkit/inference/network.py and aslkit/inference/convert_keras.py."
    )


def _to_array(variable: Any) -> Array:
    return np.asarray(variable, np.float32)


def _convert_normalization(layer: Any) -> list[Layer]:
    from keras import backend

    mean, variance = _to_array(layer.mean).ravel(), _to_array(layer.variance).ravel()
    # As Keras 3 computes it: a constant input is divided by epsilon instead of 0.
    deviation = np.maximum(np.sqrt(variance), np.float32(backend.epsilon()))
    return [Layer(kind="normalise", weights={"mean": mean, "deviation": deviation})]


def _convert_activation(layer: Any) -> list[Layer]:
    name = layer.activation.__name__
    if name not in ("linear", "relu", "softmax"):
        raise _conversion_error(f"{type(layer).__name__} with {name}")
    return [] if name == "linear" else [Layer(kind=name)]


def _convert_weights(kind: str, layer: Any) -> list[Layer]:
    """Convert a layer with kernel, bias and activation."""
    kernel = _to_array(layer.kernel)
    bias = _to_array(layer.bias) if layer.use_bias else np.zeros(kernel.shape[-1], np.float32)
    return [Layer(kind=kind, weights={"kernel": kernel, "bias": bias}), *_convert_activation(layer)]


def _convert_dense(layer: Any) -> list[Layer]:
    return _convert_weights("dense", layer)


def _convert_convolution(layer: Any) -> list[Layer]:
    options = (layer.padding, layer.strides, layer.dilation_rate, layer.groups, layer.data_format)
    # Rejected instead of ignored, because the NumPy layer would silently compute something else.
    if options != ("valid", (1, 1), (1, 1), 1, "channels_last"):
        raise _conversion_error(f"Conv2D with padding, strides, dilation, groups or data format {options}")
    return _convert_weights("convolution", layer)


def _convert_reshape(layer: Any) -> list[Layer]:
    # Only to add and remove a dimension for Cropping1D.
    if int(np.prod(layer.target_shape)) != int(np.prod(layer.input.shape[1:])) or -1 in layer.target_shape:
        raise _conversion_error("Reshape to another size")
    return []


def _convert_cropping(layer: Any) -> list[Layer]:
    start, end = layer.cropping
    return [Layer(kind="slice", size=(start, int(layer.input.shape[1]) - end))]


def _convert_pooling(layer: Any) -> list[Layer]:
    if layer.padding != "valid" or layer.strides != layer.pool_size or layer.data_format != "channels_last":
        raise _conversion_error("MaxPooling2D with padding, overlap or channels first")
    return [Layer(kind="pool", size=tuple(layer.pool_size))]


def _convert_batch_normalization(layer: Any) -> list[Layer]:
    mean, variance = _to_array(layer.moving_mean), _to_array(layer.moving_variance)
    ones = np.ones_like(mean)
    # After training, batch normalisation is one multiplication and one addition per channel.
    scale: Array = (_to_array(layer.gamma) if layer.scale else ones) / np.sqrt(variance + np.float32(layer.epsilon))
    shift: Array = (_to_array(layer.beta) if layer.center else 0 * ones) - mean * scale
    return [Layer(kind="scale", weights={"scale": scale, "shift": shift})]


def _convert_relu(layer: Any) -> list[Layer]:
    if layer.max_value is not None or layer.negative_slope or layer.threshold:
        raise _conversion_error("ReLU with maximum, slope or threshold")
    return [Layer(kind="relu")]


_CONVERTERS: Final[dict[str, Callable[[Any], list[Layer]]]] = {
    "Normalization": _convert_normalization,
    "Reshape": _convert_reshape,
    "Cropping1D": _convert_cropping,
    "Flatten": lambda layer: [Layer(kind="flatten")],
    "Dense": _convert_dense,
    "Conv2D": _convert_convolution,
    "MaxPooling2D": _convert_pooling,
    "BatchNormalization": _convert_batch_normalization,
    "ReLU": _convert_relu,
}
