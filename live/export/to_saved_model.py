"""SavedModel, TensorFlow's own folder, for servers. Its contract is in assets.extra, which TensorFlow leaves alone."""

import shutil
from pathlib import Path

import numpy as np

from aslkit.core.native_libraries import silence_native_log
from aslkit.inference.network import Array, Network
from aslkit.live.export.tf_graph import build_function, import_tensorflow
from aslkit.vision.preprocess import CONTRACT_FILE


def write_saved_model(folder: Path, network: Network, contract: Path) -> None:
    """Write a network: signature `serving_default`, `input` float32 (n, *shape) to `probabilities` (n, classes).

    Raises:
        AslkitError: TensorFlow is not installed.
    """
    tf = import_tensorflow()
    module, concrete = build_function(network, batch=None)
    with silence_native_log():
        tf.saved_model.save(module, str(folder), signatures=concrete)
    extra = folder / "assets.extra"
    extra.mkdir()
    shutil.copy(contract, extra / CONTRACT_FILE)


def predict_saved_model(folder: Path, inputs: Array) -> Array:
    """Run a SavedModel. Inputs and outputs as `Network`."""
    tf = import_tensorflow()
    with silence_native_log():
        serve = tf.saved_model.load(str(folder)).signatures["serving_default"]
        return np.asarray(serve(input=tf.constant(inputs))["probabilities"], np.float32)
