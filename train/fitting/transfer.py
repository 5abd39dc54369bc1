"""Beginning with what a network has learned elsewhere, as on Sign Language MNIST, in place of chance."""

from pathlib import Path
from typing import Any, Final

from aslkit.core.errors import InputError
from aslkit.inference import load_keras
from aslkit.vision.preprocess import MODEL_FILE

FROZEN_EPOCHS: Final = 3
"""Epochs in which what was taken over stays as it is, while the rest, which begins by chance, finds its place."""


def load_start_model(path: Path) -> Any:
    """Load a keras.Model to begin with, in safe mode.

    Args:
        path: a model's file, its folder, a run, or a run of the benchmark, of which the network is taken.

    Raises:
        InputError: no model there.
        AslkitError: it is damaged.
    """
    files = [path] if path.is_file() else [path / MODEL_FILE, path / "model" / MODEL_FILE]
    if path.is_dir():
        files += sorted((path / "models").glob(f"*cnn*/{MODEL_FILE}"))
    found = [file for file in files if file.is_file()]
    if not found:
        raise InputError(f"There is no model in {path} to start from. Give a run, or a .keras file.")
    return load_keras.load_keras_file(found[0])


def transfer_weights(source: Any, target: Any) -> list[Any]:
    """Copy weights from one network to another, layer by layer, as far as kinds and shapes agree.

    Args:
        source: keras.Model, trained.
        target: keras.Model, to be trained.

    Returns:
        the layers of `target` that have weights of `source` now, but for the last: letters are learned anew.

    Raises:
        InputError: no layer agrees.
    """
    taken = []
    for mine, theirs in zip(_learning(target)[:-1], _learning(source), strict=False):
        shapes = [[each.shape for each in layer.get_weights()] for layer in (mine, theirs)]
        if type(mine) is not type(theirs) or shapes[0] != shapes[1]:
            break
        mine.set_weights(theirs.get_weights())
        taken.append(mine)
    if not taken:
        raise InputError("The model to start from has other layers from the first. Give one of the same architecture.")
    return taken


def _learning(model: Any) -> list[Any]:
    """The layers with weights of a network, and of those inside it: a run's is wrapped in the mean of its members."""
    found: list[Any] = []
    for layer in model.layers:
        found += _learning(layer) if hasattr(layer, "layers") else [layer] if layer.get_weights() else []
    return found
