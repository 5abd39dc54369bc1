"""Loading a trained model: the network and the contract that says how it is fed."""

from pathlib import Path
from typing import Any

from aslkit.errors import AslkitError, InputError
from aslkit.native import quiet_keras
from aslkit.preprocess import CONTRACT_FILE, MODEL_FILE, Contract


def load(run: Path) -> tuple[Any, Contract]:
    """Load the keras.Model of a run folder, in safe mode: nothing in the file is run; and its contract.

    Raises:
        InputError: no run there.
        AslkitError: its model is damaged, of another version, does not fit its contract, or Keras is not installed.
    """
    folder = run / "model"
    if not folder.is_dir():
        raise InputError(f"There is no run in {run}. `aslkit train --dataset custom` makes one.")
    contract = Contract.load(folder / CONTRACT_FILE)
    keras = quiet_keras()
    try:
        model = keras.saving.load_model(folder / MODEL_FILE, compile=False, safe_mode=True)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise AslkitError(
            f"{folder / MODEL_FILE} is missing or damaged. Train again, or copy the whole run."
        ) from error
    if model.input_shape[1:] != contract.shape or model.output_shape[1:] != (len(contract.letters),):
        raise AslkitError(
            f"{folder} was made by another version of aslkit: its model takes {model.input_shape[1:]} and gives "
            f"{model.output_shape[1:]}, its contract says {contract.shape} and {(len(contract.letters),)}. Train again."
        )
    return model, contract
