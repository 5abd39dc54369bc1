"""TensorFlow Lite: one small file, its contract inside as an associated file, quantised if wanted."""

import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np

from aslkit.core.native_libraries import silence_native_log
from aslkit.inference.network import Network
from aslkit.live.export.tf_graph import build_function, fold_batch_norm, import_tensorflow
from aslkit.vision.preprocess import CONTRACT_FILE, Array

Quantize = Literal["none", "float16", "int8"]


def convert_to_tflite(network: Network, *, quantize: Quantize, calibration: Array | None) -> bytes:
    """Convert a network: `input` float32 (1, *shape) to `probabilities` float32 (1, classes), whatever lies between.

    Args:
        network: what to convert.
        quantize: float16 stores weights in half the bytes; int8 also computes in eight bits.
        calibration: float32 (n, *shape), inputs as the model will see them: int8 takes its ranges from them.

    Raises:
        AslkitError: TensorFlow is not installed.
    """
    tf = import_tensorflow()
    module, concrete = build_function(fold_batch_norm(network) if quantize == "int8" else network, batch=1)
    with silence_native_log(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete], module)
        if quantize != "none":
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if quantize == "float16":
            converter.target_spec.supported_types = [tf.float16]
        if quantize == "int8":
            converter.representative_dataset = _one_by_one(np.asarray(calibration))
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        made: bytes = converter.convert()
    return made


def _one_by_one(inputs: Array) -> Callable[[], Iterator[list[Array]]]:
    return lambda: ([each[None]] for each in inputs)


def write_tflite(path: Path, model: bytes, contract: Path) -> None:
    """Write the file with its contract behind it, as TensorFlow Lite's metadata keeps associated files: as a zip."""
    path.write_bytes(model)
    with zipfile.ZipFile(path, "a") as associated:
        associated.write(contract, CONTRACT_FILE)


def predict_tflite(model: bytes, inputs: Array, *, delegate: bool = False) -> Array:
    """Run a TensorFlow Lite model.

    Args:
        model: of the file.
        inputs: float32 (n, *shape).
        delegate: let XNNPACK compute, as the interpreter does by default; else TensorFlow Lite's own kernels.

    Returns:
        float32 (n, classes).

    Raises:
        RuntimeError: XNNPACK cannot run it.
    """
    tf = import_tensorflow()
    kind = tf.lite.experimental.OpResolverType
    resolver = kind.AUTO if delegate else kind.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    with silence_native_log(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it would rather be called LiteRT
        interpreter = tf.lite.Interpreter(model_content=model, experimental_op_resolver_type=resolver)
        interpreter.allocate_tensors()
        return _ask(interpreter, inputs)


def _ask(interpreter: Any, inputs: Array) -> Array:
    given, said = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    answers = np.zeros((len(inputs), int(said["shape"][-1])), np.float32)
    for row, each in enumerate(inputs):
        interpreter.set_tensor(given["index"], np.ascontiguousarray(each[None], np.float32))
        interpreter.invoke()
        answers[row] = interpreter.get_tensor(said["index"])[0]
    return answers


QUANTIZE: Final[tuple[Quantize, ...]] = ("none", "float16", "int8")
