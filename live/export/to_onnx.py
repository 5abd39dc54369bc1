"""Writes ONNX models, layer by layer. Neither a converter nor TensorFlow is needed."""

from pathlib import Path
from typing import Any, Final

import numpy as np

from aslkit.core.installation import missing_module
from aslkit.inference.network import Array, Layer, Network

OPSET: Final = 17
"""Operator set of 2022, supported by ONNX Runtime 1.12 and later."""

IR_VERSION: Final = 8
"""Version of the file format that belongs to the operator set."""


def import_onnx() -> Any:
    """Import onnx and return the module.

    Raises:
        AslkitError: onnx is not installed.
    """
    try:
        import onnx
    except ModuleNotFoundError as error:
        raise missing_module(error.name, extra="export", purpose="--to onnx") from error
    return onnx


def write_onnx(path: Path, network: Network, *, contract: str, metadata: dict[str, str]) -> None:
    """Write a network that maps `input`, float32 (n, *shape), to `probabilities`, float32 (n, classes).

    Args:
        path: file to write.
        network: network to write.
        contract: JSON text of the preprocessing contract, stored as `preprocess` in the metadata of the file.
        metadata: further metadata.

    Raises:
        AslkitError: onnx is not installed.
    """
    onnx = import_onnx()
    builder = _GraphBuilder(onnx.helper, onnx.numpy_helper)
    builder.add_network(network)
    make_value_info, float32 = onnx.helper.make_tensor_value_info, onnx.TensorProto.FLOAT
    graph = onnx.helper.make_graph(
        builder.nodes,
        "aslkit",
        [make_value_info("input", float32, ["n", *network.shape])],
        [make_value_info("probabilities", float32, ["n", network.classes])],
        builder.weights,
    )
    opset = [onnx.helper.make_opsetid("", OPSET)]
    model = onnx.helper.make_model(graph, opset_imports=opset, ir_version=IR_VERSION, producer_name="aslkit")
    onnx.helper.set_model_props(model, {"preprocess": contract} | metadata)
    onnx.checker.check_model(model, full_check=True)
    path.write_bytes(model.SerializeToString())


def predict_onnx(path: Path, inputs: Array) -> Array:
    """Run a model with the reference implementation of onnx, which is slow, but does not need ONNX Runtime.

    See `Network.__call__` for inputs and outputs.
    """
    from onnx.reference import ReferenceEvaluator

    import_onnx()
    outputs = ReferenceEvaluator(str(path)).run(None, {"input": np.asarray(inputs, np.float32)})
    return np.asarray(outputs[0], np.float32)


class _GraphBuilder:
    """Collects the nodes and weights of a graph.

    Images are channels-first in ONNX, but channels-last in a `Network`.
    """

    def __init__(self, helper: Any, numpy_helper: Any) -> None:
        self._helper, self._numpy = helper, numpy_helper
        self.nodes: list[Any] = []
        self.weights: list[Any] = []

    def add_network(self, network: Network) -> None:
        """Add all members, and the weighted mean of their outputs."""
        outputs = [self._add_member(member, network.shape, f"m{i}") for i, member in enumerate(network.members)]
        mean = outputs[0]
        if len(outputs) > 1:
            weights = [
                self._add_weight(f"weight{i}", np.array(each, np.float32)) for i, each in enumerate(network.weights)
            ]
            mean = self._add_node("Sum", *(self._add_node("Mul", *pair) for pair in zip(outputs, weights, strict=True)))
        # Gives the output its public name.
        self._add_node("Identity", mean, name="probabilities")

    def _add_member(self, member: tuple[Layer, ...], shape: tuple[int, ...], name: str) -> str:
        self._is_image = len(shape) == 3  # False again after a flatten layer
        values = self._add_node("Transpose", "input", perm=[0, 3, 1, 2]) if self._is_image else "input"
        for number, layer in enumerate(member):
            values = getattr(self, f"_add_{layer.kind}")(layer, values, f"{name}.{number}.{layer.kind}")
        return values

    def _add_node(self, operation: str, *inputs: str, name: str = "", **attributes: Any) -> str:
        """Add a node, and return the name of its output."""
        name = name or f"v{len(self.nodes)}"
        self.nodes.append(
            self._helper.make_node(operation, list(inputs), [name], name=f"{operation}.{name}", **attributes)
        )
        return name

    def _add_weight(self, name: str, values: Any) -> str:
        self.weights.append(self._numpy.from_array(np.ascontiguousarray(values), name))
        return name

    def _add_channel_weight(self, name: str, values: Array) -> str:
        # ONNX broadcasts from the last axis, but the channels of an image come first.
        return self._add_weight(name, values.reshape(-1, 1, 1) if self._is_image else values)

    def _add_normalise(self, layer: Layer, values: str, name: str) -> str:
        centred = self._add_node("Sub", values, self._add_channel_weight(f"{name}.mean", layer.weights["mean"]))
        return self._add_node("Div", centred, self._add_channel_weight(f"{name}.deviation", layer.weights["deviation"]))

    def _add_scale(self, layer: Layer, values: str, name: str) -> str:
        scaled = self._add_node("Mul", values, self._add_channel_weight(f"{name}.scale", layer.weights["scale"]))
        return self._add_node("Add", scaled, self._add_channel_weight(f"{name}.shift", layer.weights["shift"]))

    def _add_slice(self, layer: Layer, values: str, name: str) -> str:
        start, stop = layer.size
        bounds = {"start": start, "stop": stop, "axis": 1}
        weights = [self._add_weight(f"{name}.{each}", np.array([value], np.int64)) for each, value in bounds.items()]
        return self._add_node("Slice", values, *weights)

    def _add_flatten(self, layer: Layer, values: str, name: str) -> str:
        # Back to channels-last: the following dense layer was trained on that order.
        values = self._add_node("Transpose", values, perm=[0, 2, 3, 1]) if self._is_image else values
        self._is_image = False
        return self._add_node("Flatten", values, axis=1)

    def _add_dense(self, layer: Layer, values: str, name: str) -> str:
        kernel, bias = (self._add_weight(f"{name}.{weight}", layer.weights[weight]) for weight in ("kernel", "bias"))
        return self._add_node("Gemm", values, kernel, bias)

    def _add_convolution(self, layer: Layer, values: str, name: str) -> str:
        # (height, width, in, out) to (out, in, height, width).
        kernel = self._add_weight(f"{name}.kernel", layer.weights["kernel"].transpose(3, 2, 0, 1))
        return self._add_node("Conv", values, kernel, self._add_weight(f"{name}.bias", layer.weights["bias"]))

    def _add_pool(self, layer: Layer, values: str, name: str) -> str:
        return self._add_node("MaxPool", values, kernel_shape=list(layer.size), strides=list(layer.size))

    def _add_relu(self, layer: Layer, values: str, name: str) -> str:
        return self._add_node("Relu", values)

    def _add_softmax(self, layer: Layer, values: str, name: str) -> str:
        return self._add_node("Softmax", values, axis=-1)
