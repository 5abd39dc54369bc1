"""Writes a SavedModel, the folder format of TensorFlow, for servers.

The contract is stored in assets.extra, which TensorFlow reserves for files of the user.
"""

import shutil
from pathlib import Path

import numpy as np

from aslkit.core.native_libraries import suppress_native_log
from aslkit.inference.network import Array, Network
from aslkit.live.export.tf_graph import build_function, import_tensorflow
from aslkit.vision.preprocess import CONTRACT_FILE


def write_saved_model(folder: Path, network: Network, contract_file: Path) -> None:
    """Write a network as SavedModel.

    The signature `serving_default` maps `input`, float32 (n, *shape), to `probabilities`, float32 (n, classes).

    Args:
        folder: folder to create.
        network: network to write.
        contract_file: the contract of the run, which is copied to assets.extra.

    Raises:
        AslkitError: TensorFlow is not installed.
    """
    tf = import_tensorflow()
    module, concrete_function = build_function(network, batch_size=None)
    with suppress_native_log():
        tf.saved_model.save(module, str(folder), signatures=concrete_function)
    extra = folder / "assets.extra"
    extra.mkdir()
    shutil.copy(contract_file, extra / CONTRACT_FILE)


def predict_saved_model(folder: Path, inputs: Array) -> Array:
    """Run a SavedModel. See `Network.__call__` for inputs and outputs."""
    tf = import_tensorflow()
    with suppress_native_log():
        predict = tf.saved_model.load(str(folder)).signatures["serving_default"]
        return np.asarray(predict(input=tf.constant(inputs))["probabilities"], np.float32)
