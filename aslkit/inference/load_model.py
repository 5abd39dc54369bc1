"""Loading a trained model: the network and the contract that says how it is fed."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from aslkit.core.errors import AslkitError, InputError
from aslkit.inference import convert_keras, load_keras, network_file
from aslkit.inference.network import Network
from aslkit.vision.preprocess import CONTRACT_FILE, MODEL_FILE, NETWORK_FILE, PreprocessConfig


def load_network(run: Path) -> tuple[Network, PreprocessConfig]:
    """Load the network of a run folder and its contract, without TensorFlow where the run has a model.json.

    Runs of an aslkit that wrote none are loaded by Keras and taken over.

    Raises:
        InputError: no run there.
        AslkitError: its model is damaged, of another version, does not fit its contract, or has no model.json and
            Keras is not installed.
    """
    folder = _model_folder(run)
    path = folder / NETWORK_FILE
    if not path.exists():
        if (folder / MODEL_FILE).exists() and find_spec("tensorflow") is None:
            raise AslkitError(
                f"{run} was trained by an older aslkit and has no model/{NETWORK_FILE}, so TensorFlow is needed to "
                "read it. Install it with: pip install 'aslkit[train]', or train again."
            )
        model, contract = load_keras_model(run)
        return convert_keras.convert_network(model), contract
    contract = PreprocessConfig.load(folder / CONTRACT_FILE)
    network = network_file.read_network(path)
    _check_fit(folder, contract, takes=network.shape, gives=(network.classes,))
    return network, contract


def load_keras_model(run: Path) -> tuple[Any, PreprocessConfig]:
    """Load the keras.Model of a run folder, in safe mode: nothing in the file is run; and its contract.

    Raises:
        InputError: no run there.
        AslkitError: its model is damaged, of another version, does not fit its contract, or Keras is not installed.
    """
    folder = _model_folder(run)
    contract = PreprocessConfig.load(folder / CONTRACT_FILE)
    model = load_keras.load_keras_file(folder / MODEL_FILE)
    _check_fit(folder, contract, takes=model.input_shape[1:], gives=model.output_shape[1:])
    return model, contract


def save_network(folder: Path, model: Any) -> None:
    """Write model.json beside the model.keras of a run: what live needs, without TensorFlow.

    Raises:
        AslkitError: the keras.Model has layers that have no forward pass in NumPy.
    """
    network_file.write_network(folder / NETWORK_FILE, convert_keras.convert_network(model))


def _model_folder(run: Path) -> Path:
    folder = run / "model"
    if not folder.is_dir():
        raise InputError(f"There is no run in {run}. `aslkit train --dataset custom` makes one.")
    return folder


def _check_fit(folder: Path, contract: PreprocessConfig, *, takes: tuple[int, ...], gives: tuple[int, ...]) -> None:
    if takes != contract.shape or gives != (len(contract.letters),):
        raise AslkitError(
            f"{folder} was made by another version of aslkit: its model takes {takes} and gives {gives}, "
            f"its contract says {contract.shape} and {(len(contract.letters),)}. Train again."
        )
