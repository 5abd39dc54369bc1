"""A network's forward pass in NumPy: what live needs of a trained model, without TensorFlow.

A network is one or more members, each a row of layers; its answer is the mean of theirs. Layers are named by kind, hold
nothing but float32 arrays, and know which shapes they take: a file that says otherwise is found out before it is run.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]
Shape = tuple[int, ...]

_AT_ONCE: Final = 64
"""Inputs run at once: a convolution spreads each out to some 2 MB at 64×64 pixels."""

_ROUNDING: Final = 1e-5
"""By which probabilities that are shared out may miss one."""

MAX_VALUES: Final = 2**24
"""Between two layers, of one input. No hand needs more; a file that wants more would only fill the memory."""


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One step of a network.

    Attributes:
        kind: one of KINDS.
        weights: float32 arrays by name, as the kind has them.
        size: (height, width) of a pool; () for others.
    """

    kind: str
    weights: Mapping[str, Array] = field(default_factory=dict)
    size: Shape = ()


@dataclass(frozen=True, kw_only=True)
class LayerKind:
    """What is to be known of a kind of layer.

    Attributes:
        run: (layer, inputs float32 (n, …)) to outputs float32 (n, …).
        after: (layer, shape of one input) to the shape of one output; ValueError where they do not fit.
        weights: number of dimensions of each array, by name.
        sized: whether it has a size.
    """

    run: Callable[[Layer, Array], Array]
    after: Callable[[Layer, Shape], Shape]
    weights: Mapping[str, int] = field(default_factory=dict)
    sized: bool = False


@dataclass(frozen=True, kw_only=True)
class Network:
    """A network that was trained.

    Attributes:
        shape: of one input.
        members: rows of layers.

    Raises:
        ValueError: a layer does not take what the one before gives, or the members do not end in as many probabilities.
    """

    shape: Shape
    members: tuple[tuple[Layer, ...], ...]

    def __post_init__(self) -> None:
        """Follow the shapes through every member."""
        ends = {_end(self.shape, member) for member in self.members}
        if len(ends) != 1 or len(next(iter(ends))) != 1:
            raise ValueError("its members do not end in one row of probabilities each, equally long")

    @property
    def classes(self) -> int:
        """Number of probabilities."""
        return _end(self.shape, self.members[0])[0]

    def __call__(self, inputs: npt.NDArray[Any]) -> Array:
        """Say how likely each class is.

        Args:
            inputs: float32 (n, *shape).

        Returns:
            float32 (n, classes), 0–1, each row summing to one.

        Raises:
            ValueError: the inputs are of another shape.
        """
        if inputs.shape[1:] != self.shape:
            raise ValueError(f"inputs must be of shape (n, {', '.join(map(str, self.shape))}), not {inputs.shape}")
        given = np.asarray(inputs, np.float32)
        parts = [self._some(given[at : at + _AT_ONCE]) for at in range(0, len(given), _AT_ONCE)]
        return np.concatenate(parts) if parts else np.zeros((0, self.classes), np.float32)

    def _some(self, inputs: Array) -> Array:
        total = np.zeros((len(inputs), self.classes), np.float32)
        for member in self.members:
            values = inputs
            for layer in member:
                values = KINDS[layer.kind].run(layer, values)
            total += values
        result: Array = total / np.float32(len(self.members))
        return result


def _end(shape: Shape, member: tuple[Layer, ...]) -> Shape:
    if not member or not (member[-1].kind == "softmax" or _shares_out(member)):
        raise ValueError("a member does not end in a softmax, nor in one whose probabilities are shared out")
    for number, layer in enumerate(member, 1):
        shape = KINDS[layer.kind].after(layer, shape)
        if min(shape) < 1 or prod(shape) > MAX_VALUES:
            raise ValueError(f"layer {number}, {layer.kind}, would give {'×'.join(map(str, shape))} values")
    return shape


def _shares_out(member: tuple[Layer, ...]) -> bool:
    """Whether it ends in a softmax and a dense layer that gives each probability, whole, to one class or several."""
    if [layer.kind for layer in member[-2:]] != ["softmax", "dense"]:
        return False
    kernel, bias = member[-1].weights["kernel"], member[-1].weights["bias"]
    whole = np.allclose(kernel.sum(axis=1), 1, rtol=0, atol=_ROUNDING) and bool((kernel >= 0).all())
    return whole and not bias.any()


def _same(layer: Layer, shape: Shape) -> Shape:
    for name, values in layer.weights.items():
        if values.shape != shape[-1:]:
            raise ValueError(f"the {name} of a {layer.kind} has {values.shape[0]} values for {shape[-1]} channels")
    return shape


def _flat(layer: Layer, shape: Shape) -> Shape:
    return (prod(shape),)


def _after_dense(layer: Layer, shape: Shape) -> Shape:
    kernel, bias = layer.weights["kernel"], layer.weights["bias"]
    if len(shape) != 1 or kernel.shape[0] != shape[0] or bias.shape != kernel.shape[1:]:
        raise ValueError(f"a dense layer of {kernel.shape[0]}×{kernel.shape[1]} does not take {shape} values")
    return (kernel.shape[1],)


def _after_convolution(layer: Layer, shape: Shape) -> Shape:
    kernel, bias = layer.weights["kernel"], layer.weights["bias"]
    if len(shape) != 3 or kernel.shape[2] != shape[2] or bias.shape != kernel.shape[3:]:
        raise ValueError(f"a convolution of {'×'.join(map(str, kernel.shape))} does not take {shape} values")
    return (shape[0] - kernel.shape[0] + 1, shape[1] - kernel.shape[1] + 1, kernel.shape[3])


def _after_pool(layer: Layer, shape: Shape) -> Shape:
    if len(shape) != 3:
        raise ValueError(f"a pool takes images, not {shape} values")
    return (shape[0] // layer.size[0], shape[1] // layer.size[1], shape[2])


def _normalise(layer: Layer, values: Array) -> Array:
    result: Array = (values - layer.weights["mean"]) / layer.weights["deviation"]
    return result


def _dense(layer: Layer, values: Array) -> Array:
    result: Array = values @ layer.weights["kernel"] + layer.weights["bias"]
    return result


def _convolve(layer: Layer, values: Array) -> Array:
    kernel = layer.weights["kernel"]
    windows = np.lib.stride_tricks.sliding_window_view(values, kernel.shape[:2], axis=(1, 2))  # type: ignore[call-overload,unused-ignore]
    result: Array = np.tensordot(windows, kernel.transpose(2, 0, 1, 3), axes=3) + layer.weights["bias"]
    return result


def _pool(layer: Layer, values: Array) -> Array:
    high, wide = layer.size
    count, rows, columns, channels = len(values), values.shape[1] // high, values.shape[2] // wide, values.shape[3]
    whole = values[:, : rows * high, : columns * wide]
    result: Array = whole.reshape(count, rows, high, columns, wide, channels).max(axis=(2, 4))
    return result


def _scale(layer: Layer, values: Array) -> Array:
    result: Array = values * layer.weights["scale"] + layer.weights["shift"]
    return result


def _softmax(layer: Layer, values: Array) -> Array:
    shares = np.exp(values - values.max(axis=-1, keepdims=True))
    result: Array = shares / shares.sum(axis=-1, keepdims=True)
    return result


KINDS: Final[dict[str, LayerKind]] = {
    "normalise": LayerKind(run=_normalise, after=_same, weights={"mean": 1, "deviation": 1}),
    "flatten": LayerKind(run=lambda layer, values: values.reshape(len(values), -1), after=_flat),
    "dense": LayerKind(run=_dense, after=_after_dense, weights={"kernel": 2, "bias": 1}),
    "convolution": LayerKind(run=_convolve, after=_after_convolution, weights={"kernel": 4, "bias": 1}),
    "pool": LayerKind(run=_pool, after=_after_pool, sized=True),
    "scale": LayerKind(run=_scale, after=_same, weights={"scale": 1, "shift": 1}),
    "relu": LayerKind(run=lambda layer, values: np.maximum(values, np.float32(0)), after=_same),
    "softmax": LayerKind(run=_softmax, after=_same),
}
"""Images are (height, width, channels); convolutions have no padding and steps of 1; pools take the greatest."""
