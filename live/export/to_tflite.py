"""Writes TensorFlow Lite models: one small file that contains the contract, optionally quantised."""

import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np

from aslkit.core.native_libraries import suppress_native_log
from aslkit.inference.network import Network
from aslkit.live.export.tf_graph import build_function, fold_batch_norm, import_tensorflow
from aslkit.vision.preprocess import CONTRACT_FILE, Array

Quantize = Literal["none", "float16", "int8"]

QUANTIZATIONS: Final[tuple[Quantize, ...]] = ("none", "float16", "int8")


def convert_to_tflite(network: Network, *, quantize: Quantize, calibration: Array | None) -> bytes:
    """Convert a network to TensorFlow Lite.

    The model maps `input`, float32 (1, *shape), to `probabilities`, float32 (1, classes), also if it is quantised.

    Args:
        network: network to convert.
        quantize: "float16" stores the weights in half the size; "int8" also computes with 8-bit integers.
        calibration: float32 (n, *shape), typical inputs, from which int8 determines the ranges of values.

    Raises:
        AslkitError: TensorFlow is not installed.
    """
    tf = import_tensorflow()
    module, concrete_function = build_function(
        fold_batch_norm(network) if quantize == "int8" else network, batch_size=1
    )
    with suppress_native_log(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete_function], module)
        if quantize != "none":
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if quantize == "float16":
            converter.target_spec.supported_types = [tf.float16]
        if quantize == "int8":
            converter.representative_dataset = _batches_of_one(np.asarray(calibration))
            # Fail instead of computing some operations in float, which devices with integer units only cannot run.
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        model: bytes = converter.convert()
    return model


def _batches_of_one(inputs: Array) -> Callable[[], Iterator[list[Array]]]:
    return lambda: ([sample[None]] for sample in inputs)


def write_tflite(path: Path, model: bytes, contract_file: Path) -> None:
    """Write a model, and append the contract as a zip archive.

    This is how TensorFlow Lite Metadata stores associated files. The interpreter ignores the archive.
    """
    path.write_bytes(model)
    # Zip readers search from the end of a file, so both parts stay readable.
    with zipfile.ZipFile(path, "a") as archive:
        archive.write(contract_file, CONTRACT_FILE)


def predict_tflite(model: bytes, inputs: Array, *, delegate: bool = False) -> Array:
    """Run a TensorFlow Lite model.

    Args:
        model: content of the file.
        inputs: float32 (n, *shape).
        delegate: use XNNPACK, the interpreter's default; otherwise the built-in kernels of TensorFlow Lite.

    Returns:
        float32 (n, classes).

    Raises:
        RuntimeError: XNNPACK cannot run the model.
    """
    tf = import_tensorflow()
    resolver_type = tf.lite.experimental.OpResolverType
    # XNNPACK in TensorFlow Lite 2.18 computes int8 wrongly on processors with AMX (ADR 14).
    resolver = resolver_type.AUTO if delegate else resolver_type.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    with suppress_native_log(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tf.lite.Interpreter is deprecated in favour of LiteRT
        interpreter = tf.lite.Interpreter(model_content=model, experimental_op_resolver_type=resolver)
        interpreter.allocate_tensors()
        return _run_interpreter(interpreter, inputs)


def _run_interpreter(interpreter: Any, inputs: Array) -> Array:
    input_details, output_details = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    outputs = np.zeros((len(inputs), int(output_details["shape"][-1])), np.float32)
    for row, sample in enumerate(inputs):
        interpreter.set_tensor(input_details["index"], np.ascontiguousarray(sample[None], np.float32))
        interpreter.invoke()
        outputs[row] = interpreter.get_tensor(output_details["index"])[0]
    return outputs
