"""ONNX, written layer by layer: no converter stands between the network and the file, and TensorFlow is not needed."""

from pathlib import Path
from typing import Any, Final

import numpy as np

from aslkit.core.errors import AslkitError
from aslkit.inference.network import Array, Layer, Network

OPSET: Final = 17
"""Of 2022: read by ONNX Runtime from 1.12 on. All operations here are older."""

IR_VERSION: Final = 8
"""The file format that goes with the opset."""


def import_onnx() -> Any:
    """Import onnx; returns the module.

    Raises:
        AslkitError: it is not installed.
    """
    try:
        import onnx
    except ModuleNotFoundError as error:
        raise AslkitError(
            f"--to onnx needs {error.name}, which is not installed. Install it with: pip install 'aslkit[export]'"
        ) from error
    return onnx


def write_onnx(path: Path, network: Network, *, contract: str, about: dict[str, str]) -> None:
    """Write a network: `input` float32 (n, *shape) to `probabilities` float32 (n, classes).

    Args:
        path: of the file.
        network: what to write.
        contract: the preprocessing contract's JSON, kept in the file's metadata as `preprocess`.
        about: more of it.

    Raises:
        AslkitError: onnx is not installed.
    """
    library = import_onnx()
    graph = _Graph(library.helper, library.numpy_helper)
    graph.build(network)
    values, kind = library.helper.make_tensor_value_info, library.TensorProto.FLOAT
    made = library.helper.make_graph(
        graph.nodes,
        "aslkit",
        [values("input", kind, ["n", *network.shape])],
        [values("probabilities", kind, ["n", network.classes])],
        graph.weights,
    )
    opset = [library.helper.make_opsetid("", OPSET)]
    model = library.helper.make_model(made, opset_imports=opset, ir_version=IR_VERSION, producer_name="aslkit")
    library.helper.set_model_props(model, {"preprocess": contract} | about)
    library.checker.check_model(model, full_check=True)
    path.write_bytes(model.SerializeToString())


def predict_onnx(path: Path, inputs: Array) -> Array:
    """Run an ONNX file by onnx's own reference: slow, and nothing else is needed. Inputs and outputs as `Network`."""
    from onnx.reference import ReferenceEvaluator

    import_onnx()
    answers = ReferenceEvaluator(str(path)).run(None, {"input": np.asarray(inputs, np.float32)})
    return np.asarray(answers[0], np.float32)


class _Graph:
    """Nodes and weights of a graph in the making."""

    def __init__(self, helper: Any, numpy_helper: Any) -> None:
        self._helper, self._numpy = helper, numpy_helper
        self.nodes: list[Any] = []
        self.weights: list[Any] = []

    def build(self, network: Network) -> None:
        """Add all members, and the mean of what they say."""
        said = [self._member(member, network.shape, f"m{i}") for i, member in enumerate(network.members)]
        last = self._add("Mean", *said) if len(said) > 1 else said[0]
        self._add("Identity", last, name="probabilities")

    def _member(self, member: tuple[Layer, ...], shape: tuple[int, ...], name: str) -> str:
        self._images = len(shape) == 3
        values = self._add("Transpose", "input", perm=[0, 3, 1, 2]) if self._images else "input"
        for number, layer in enumerate(member):
            values = getattr(self, f"_{layer.kind}")(layer, values, f"{name}.{number}.{layer.kind}")
        return values

    def _add(self, operation: str, *inputs: str, name: str = "", **attributes: Any) -> str:
        name = name or f"v{len(self.nodes)}"
        self.nodes.append(
            self._helper.make_node(operation, list(inputs), [name], name=f"{operation}.{name}", **attributes)
        )
        return name

    def _weight(self, name: str, values: Any) -> str:
        self.weights.append(self._numpy.from_array(np.ascontiguousarray(values), name))
        return name

    def _by_channel(self, name: str, values: Array) -> str:
        return self._weight(name, values.reshape(-1, 1, 1) if self._images else values)

    def _normalise(self, layer: Layer, values: str, name: str) -> str:
        centred = self._add("Sub", values, self._by_channel(f"{name}.mean", layer.weights["mean"]))
        return self._add("Div", centred, self._by_channel(f"{name}.deviation", layer.weights["deviation"]))

    def _scale(self, layer: Layer, values: str, name: str) -> str:
        scaled = self._add("Mul", values, self._by_channel(f"{name}.scale", layer.weights["scale"]))
        return self._add("Add", scaled, self._by_channel(f"{name}.shift", layer.weights["shift"]))

    def _flatten(self, layer: Layer, values: str, name: str) -> str:
        values = self._add("Transpose", values, perm=[0, 2, 3, 1]) if self._images else values
        self._images = False
        return self._add("Flatten", values, axis=1)

    def _dense(self, layer: Layer, values: str, name: str) -> str:
        kernel, bias = (self._weight(f"{name}.{each}", layer.weights[each]) for each in ("kernel", "bias"))
        return self._add("Gemm", values, kernel, bias)

    def _convolution(self, layer: Layer, values: str, name: str) -> str:
        kernel = self._weight(f"{name}.kernel", layer.weights["kernel"].transpose(3, 2, 0, 1))
        return self._add("Conv", values, kernel, self._weight(f"{name}.bias", layer.weights["bias"]))

    def _pool(self, layer: Layer, values: str, name: str) -> str:
        return self._add("MaxPool", values, kernel_shape=list(layer.size), strides=list(layer.size))

    def _relu(self, layer: Layer, values: str, name: str) -> str:
        return self._add("Relu", values)

    def _softmax(self, layer: Layer, values: str, name: str) -> str:
        return self._add("Softmax", values, axis=-1)
