"""The forward pass of a network in NumPy, which needs no TensorFlow.

A network has one or more members, each a sequence of layers. Its output is the weighted mean of their outputs. Layers
contain only float32 arrays, and their shapes are checked when a `Network` is created, before any computation.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]
Shape = tuple[int, ...]

_BATCH_SIZE: Final = 64
"""Number of inputs computed together. A convolution of 64×64 pixels needs about 2 MB for each of them."""

_SUM_TOLERANCE: Final = 1e-5
"""Rounding tolerance for weights that must sum to 1."""

MAX_VALUES: Final = 2**24
"""Maximum number of values between two layers, for one input. A larger number can only come from a hostile file."""


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One layer of a network.

    Attributes:
        kind: key of LAYER_KINDS.
        weights: name to float32 array; the names depend on the kind.
        size: (height, width) of a pooling window, or (start, stop) of a slice; () for other kinds.
    """

    kind: str
    weights: Mapping[str, Array] = field(default_factory=dict)
    size: Shape = ()


@dataclass(frozen=True, kw_only=True)
class LayerKind:
    """Definition of a kind of layer.

    Attributes:
        forward: computes the outputs, float32 (n, …), from a layer and its inputs, float32 (n, …).
        output_shape: returns the shape of one output, given a layer and the shape of one input. Raises ValueError if
            they do not match.
        dimensions: weight name to its number of dimensions.
        has_size: whether layers of this kind have a size.
    """

    forward: Callable[[Layer, Array], Array]
    output_shape: Callable[[Layer, Shape], Shape]
    dimensions: Mapping[str, int] = field(default_factory=dict)
    has_size: bool = False


@dataclass(frozen=True, kw_only=True)
class Network:
    """A trained network. Call it with inputs to compute probabilities.

    Attributes:
        shape: shape of one input.
        members: layers of each member.
        weights: share of each member in the output; they sum to 1. Equal shares by default.

    Raises:
        ValueError: the shapes of consecutive layers do not match, the members' outputs are not probabilities of the
            same number of classes, or the weights are not shares.
    """

    shape: Shape
    members: tuple[tuple[Layer, ...], ...]
    weights: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        """Set the default weights, and check them and the shapes of all layers."""
        count = len(self.members)
        if not count:
            raise ValueError("there are no members")
        if not self.weights:
            object.__setattr__(self, "weights", (1 / count,) * count)
        if len(self.weights) != count or min(self.weights) < 0 or abs(sum(self.weights) - 1) > _SUM_TOLERANCE:
            raise ValueError(f"the weights are not shares of {count} members")
        outputs = {_output_shape(self.shape, member) for member in self.members}
        if len(outputs) != 1 or len(next(iter(outputs))) != 1:
            raise ValueError("the members do not all output the same number of probabilities")

    @property
    def classes(self) -> int:
        """Number of classes."""
        return _output_shape(self.shape, self.members[0])[0]

    def part(self, start: int, stop: int) -> "Network":
        """Return the members that see only inputs `start` to `stop`, as a network of these inputs with equal weights.

        Raises:
            ValueError: there are none.
        """
        members = tuple(
            member[1:] for member in self.members if member[0].kind == "slice" and member[0].size == (start, stop)
        )
        if not members and (start, stop) == (0, *self.shape):
            return self
        return Network(shape=(stop - start,), members=members)

    def __call__(self, inputs: npt.NDArray[Any]) -> Array:
        """Compute the probability of each class.

        Args:
            inputs: float32 (n, *shape).

        Returns:
            float32 (n, classes), 0–1; each row sums to 1.

        Raises:
            ValueError: the inputs have another shape.
        """
        if inputs.shape[1:] != self.shape:
            raise ValueError(f"inputs must have shape (n, {', '.join(map(str, self.shape))}), not {inputs.shape}")
        inputs = np.asarray(inputs, np.float32)
        batches = [self._predict_batch(inputs[i : i + _BATCH_SIZE]) for i in range(0, len(inputs), _BATCH_SIZE)]
        return np.concatenate(batches) if batches else np.zeros((0, self.classes), np.float32)

    def _predict_batch(self, inputs: Array) -> Array:
        total = np.zeros((len(inputs), self.classes), np.float32)
        for member, weight in zip(self.members, self.weights, strict=True):
            values = inputs
            for layer in member:
                values = LAYER_KINDS[layer.kind].forward(layer, values)
            total += np.float32(weight) * values
        return total


def _output_shape(shape: Shape, member: tuple[Layer, ...]) -> Shape:
    """Return the output shape of a member whose input has a shape.

    Raises:
        ValueError: the shapes of consecutive layers do not match, or the outputs are not probabilities.
    """
    if not member or not (member[-1].kind == "softmax" or _redistributes_probabilities(member)):
        raise ValueError("a member does not end with a softmax, or a softmax and a layer that keeps the sum at 1")
    for number, layer in enumerate(member, 1):
        shape = LAYER_KINDS[layer.kind].output_shape(layer, shape)
        # Checked before anything is computed: a small file can describe a network that needs any amount of memory.
        if min(shape) < 1 or prod(shape) > MAX_VALUES:
            raise ValueError(f"layer {number}, {layer.kind}, would output {'×'.join(map(str, shape))} values")
    return shape


def _redistributes_probabilities(member: tuple[Layer, ...]) -> bool:
    """Return whether a member ends with a softmax and a dense layer that distributes its probabilities to classes.

    The weights of such a dense layer are not negative and sum to 1 for each input, so the outputs sum to 1 as well.
    """
    if [layer.kind for layer in member[-2:]] != ["softmax", "dense"]:
        return False
    kernel, bias = member[-1].weights["kernel"], member[-1].weights["bias"]
    keeps_sum = np.allclose(kernel.sum(axis=1), 1, rtol=0, atol=_SUM_TOLERANCE) and bool((kernel >= 0).all())
    return keeps_sum and not bias.any()


def _unchanged_shape(layer: Layer, shape: Shape) -> Shape:
    for name, values in layer.weights.items():
        if values.shape != shape[-1:]:
            raise ValueError(
                f"the {name} of a {layer.kind} layer has {values.shape[0]} values for {shape[-1]} channels"
            )
    return shape


def _slice_shape(layer: Layer, shape: Shape) -> Shape:
    start, stop = layer.size
    if len(shape) != 1 or not 0 <= start < stop <= shape[0]:
        raise ValueError(f"inputs {start} to {stop} do not exist in a shape of {'×'.join(map(str, shape))}")
    return (stop - start,)


def _flat_shape(layer: Layer, shape: Shape) -> Shape:
    return (prod(shape),)


def _dense_shape(layer: Layer, shape: Shape) -> Shape:
    kernel, bias = layer.weights["kernel"], layer.weights["bias"]
    if len(shape) != 1 or kernel.shape[0] != shape[0] or bias.shape != kernel.shape[1:]:
        raise ValueError(
            f"a dense layer of {kernel.shape[0]}×{kernel.shape[1]} does not accept inputs of shape {shape}"
        )
    return (kernel.shape[1],)


def _convolution_shape(layer: Layer, shape: Shape) -> Shape:
    kernel, bias = layer.weights["kernel"], layer.weights["bias"]
    if len(shape) != 3 or kernel.shape[2] != shape[2] or bias.shape != kernel.shape[3:]:
        raise ValueError(f"a convolution of {'×'.join(map(str, kernel.shape))} does not accept inputs of shape {shape}")
    return (shape[0] - kernel.shape[0] + 1, shape[1] - kernel.shape[1] + 1, kernel.shape[3])


def _pool_shape(layer: Layer, shape: Shape) -> Shape:
    if len(shape) != 3 or min(layer.size) < 1:
        raise ValueError(f"a pool does not accept inputs of shape {shape}")
    return (shape[0] // layer.size[0], shape[1] // layer.size[1], shape[2])


def _normalise(layer: Layer, values: Array) -> Array:
    result: Array = (values - layer.weights["mean"]) / layer.weights["deviation"]
    return result


def _dense(layer: Layer, values: Array) -> Array:
    result: Array = values @ layer.weights["kernel"] + layer.weights["bias"]
    return result


def _convolve(layer: Layer, values: Array) -> Array:
    kernel = layer.weights["kernel"]
    # A view, (n, rows, columns, channels, height, width); tensordot sums over the last three.
    windows = np.lib.stride_tricks.sliding_window_view(values, kernel.shape[:2], axis=(1, 2))  # type: ignore[call-overload,unused-ignore]
    result: Array = np.tensordot(windows, kernel.transpose(2, 0, 1, 3), axes=3) + layer.weights["bias"]
    return result


def _pool(layer: Layer, values: Array) -> Array:
    height, width = layer.size
    count, rows, columns, channels = len(values), values.shape[1] // height, values.shape[2] // width, values.shape[3]
    # Like Keras with padding "valid": a remainder at the lower and right edge is dropped.
    cropped = values[:, : rows * height, : columns * width]
    result: Array = cropped.reshape(count, rows, height, columns, width, channels).max(axis=(2, 4))
    return result


def _scale(layer: Layer, values: Array) -> Array:
    result: Array = values * layer.weights["scale"] + layer.weights["shift"]
    return result


def _softmax(layer: Layer, values: Array) -> Array:
    # Subtracting the maximum prevents an overflow of exp.
    exponentials = np.exp(values - values.max(axis=-1, keepdims=True))
    result: Array = exponentials / exponentials.sum(axis=-1, keepdims=True)
    return result


LAYER_KINDS: Final[dict[str, LayerKind]] = {
    "normalise": LayerKind(forward=_normalise, output_shape=_unchanged_shape, dimensions={"mean": 1, "deviation": 1}),
    "slice": LayerKind(
        forward=lambda layer, values: values[:, layer.size[0] : layer.size[1]], output_shape=_slice_shape, has_size=True
    ),
    "flatten": LayerKind(forward=lambda layer, values: values.reshape(len(values), -1), output_shape=_flat_shape),
    "dense": LayerKind(forward=_dense, output_shape=_dense_shape, dimensions={"kernel": 2, "bias": 1}),
    "convolution": LayerKind(forward=_convolve, output_shape=_convolution_shape, dimensions={"kernel": 4, "bias": 1}),
    "pool": LayerKind(forward=_pool, output_shape=_pool_shape, has_size=True),
    "scale": LayerKind(forward=_scale, output_shape=_unchanged_shape, dimensions={"scale": 1, "shift": 1}),
    "relu": LayerKind(forward=lambda layer, values: np.maximum(values, np.float32(0)), output_shape=_unchanged_shape),
    "softmax": LayerKind(forward=_softmax, output_shape=_unchanged_shape),
}
"""Kind to definition. A slice selects some of the inputs. Images are (height, width, channels), convolutions have
stride 1 and no padding, and pools return the maximum."""
