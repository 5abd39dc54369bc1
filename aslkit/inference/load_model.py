"""Loads a trained model: the network, and the contract that defines its inputs and outputs."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from aslkit.core.errors import AslkitError, InputError
from aslkit.core.installation import install_extra_command
from aslkit.inference import convert_keras, load_keras, network_file
from aslkit.inference.network import Network
from aslkit.vision.motion.contract import MOTION_VERSION
from aslkit.vision.motion.features import MOTION_VALUES
from aslkit.vision.preprocess import CONTRACT_FILE, MODEL_FILE, MOTION_FILE, NETWORK_FILE, PreprocessConfig


def load_network(run: Path) -> tuple[Network, PreprocessConfig]:
    """Load the network of a run folder and its contract.

    TensorFlow is only needed for runs of older versions of aslkit, which did not write a model.json. Their model.keras
    is loaded and converted.

    Raises:
        InputError: the folder is not a run.
        AslkitError: the model is damaged, has another version, or does not match its contract; or the run has no
            model.json and TensorFlow is not installed.
    """
    folder = _model_folder(run)
    path = folder / NETWORK_FILE
    if not path.exists():
        if (folder / MODEL_FILE).exists() and find_spec("tensorflow") is None:
            raise AslkitError(
                f"{run} was trained with an older version of aslkit and has no model/{NETWORK_FILE}. Train again, or "
                f"install TensorFlow to load it: {install_extra_command('train')}"
            )
        model, contract = load_keras_model(run)
        return convert_keras.convert_network(model), contract
    contract = PreprocessConfig.load(folder / CONTRACT_FILE)
    network = network_file.read_network(path)
    _check_shapes(folder, contract, input_shape=network.shape, output_shape=(network.classes,))
    return network, contract


def load_motion_network(run: Path, contract: PreprocessConfig) -> Network | None:
    """Load the network of a run folder that recognises drawn letters; None if the run has none.

    Raises:
        AslkitError: the network is missing or damaged, or does not match the contract, or is of another version.
    """
    motion = contract.motion
    if motion is None:
        return None
    folder = _model_folder(run)
    if motion.version != MOTION_VERSION:
        raise AslkitError(
            f"{folder / MOTION_FILE} has inputs of version {motion.version}; this version of aslkit computes version "
            f"{MOTION_VERSION}. Train again."
        )
    if not (folder / MOTION_FILE).exists():
        raise AslkitError(f"{folder / MOTION_FILE} is missing. Train again, or copy the whole run folder again.")
    network = network_file.read_network(folder / MOTION_FILE)
    if network.shape != (MOTION_VALUES,) or network.classes != len(motion.classes):
        raise AslkitError(
            f"{folder / MOTION_FILE} has {network.shape} inputs and {network.classes} outputs, but its contract "
            f"requires {(MOTION_VALUES,)} and {len(motion.classes)}. Train again, or copy the whole run folder."
        )
    return network


def load_keras_model(run: Path) -> tuple[Any, PreprocessConfig]:
    """Load the keras.Model of a run folder and its contract. No code in the file is executed.

    Raises:
        InputError: the folder is not a run.
        AslkitError: the model is damaged, has another version, or does not match its contract; or TensorFlow is not
            installed.
    """
    folder = _model_folder(run)
    contract = PreprocessConfig.load(folder / CONTRACT_FILE)
    model = load_keras.load_keras_file(folder / MODEL_FILE)
    _check_shapes(folder, contract, input_shape=model.input_shape[1:], output_shape=model.output_shape[1:])
    return model, contract


def save_network(folder: Path, model: Any) -> None:
    """Convert a keras.Model and write it as model.json to a folder, so that it can be used without TensorFlow.

    Raises:
        AslkitError: the model has a layer that cannot be converted.
    """
    network_file.write_network(folder / NETWORK_FILE, convert_keras.convert_network(model))


def _model_folder(run: Path) -> Path:
    folder = run / "model"
    if not folder.is_dir():
        raise InputError(f"No run found in {run}. Create one with: aslkit train --dataset custom")
    return folder


def _check_shapes(
    folder: Path, contract: PreprocessConfig, *, input_shape: tuple[int, ...], output_shape: tuple[int, ...]
) -> None:
    expected_output = (len(contract.letters),)
    if input_shape != contract.shape or output_shape != expected_output:
        raise AslkitError(
            f"{folder} was created by another version of aslkit: its model has input shape {input_shape} and output "
            f"shape {output_shape}, but its {CONTRACT_FILE} requires {contract.shape} and {expected_output}. "
            "Train again."
        )
