"""Transfer learning: copy the layers of a pre-trained network, such as one trained on Sign Language MNIST.

Landmark networks are adapted from the starter model instead: see `copy_starter`.
"""

from pathlib import Path
from typing import Any, Final

import numpy as np

from aslkit.core.errors import AslkitError, InputError
from aslkit.inference import load_keras
from aslkit.inference.starter import load_starter
from aslkit.vision.preprocess import MODEL_FILE

FROZEN_EPOCHS: Final = 3
"""Epochs in which the transferred layers are frozen, so that the randomly initialised ones do not disturb them."""


STARTER_RATE: Final = 0.3
"""Learning rate when adapting the starter model with all augmented copies, relative to training from scratch."""

STARTER_REHEARSAL: Final = 1500
"""Minimum number of synthetic hands in an epoch when adapting the starter model. They keep it from forgetting how other
people sign; with a few frames of one's own, all 16,700 would take most of the time."""

STARTER_EPOCH_ROWS: Final = 32_768
"""Rows of an epoch, approximately, when adapting the starter model: with many frames, each has fewer augmented copies,
and the learning rate is higher by the same factor. Five copies of each took three times as long and were not more
accurate (ADR 20)."""


def copy_starter(network: Any) -> None:
    """Set the weights of a network to those of the starter model's network for the same number of inputs.

    Args:
        network: keras.Model of `build_network`, with an output for each letter of the starter and one for rest poses.

    Raises:
        AslkitError: the starter model has another architecture.
    """
    targets = _list_weighted_layers(network)
    starter, _ = load_starter()
    members = [[layer.weights for layer in member if layer.weights] for member in starter.members]
    inputs = len(targets[0].get_weights()[0])
    # Without the last layer, which shares the probability of rest poses.
    copied = next((member[:-1] for member in members if len(member[0]["mean"]) == inputs), [])
    values = [
        [each["mean"], each["deviation"] ** 2, np.zeros(())] if "mean" in each else [each["kernel"], each["bias"]]
        for each in copied
    ]
    shapes, expected = ([[np.shape(a) for a in each] for each in one] for one in (
        values, [layer.get_weights() for layer in targets]
    ))  # fmt: skip
    if shapes != expected:
        raise AslkitError("The starter model has another architecture. Train with --from-scratch.")
    for layer, weights in zip(targets, values, strict=True):
        layer.set_weights(weights)
        if hasattr(layer, "finalize_state"):
            layer.finalize_state()  # a Normalization layer computes with constants derived from its weights


def load_start_model(path: Path) -> Any:
    """Load a pre-trained keras.Model in safe mode.

    Args:
        path: a model file, its folder, a run, or a run of the benchmark, whose first CNN is loaded.

    Raises:
        InputError: no model found.
        AslkitError: the model is damaged.
    """
    files = [path] if path.is_file() else [path / MODEL_FILE, path / "model" / MODEL_FILE]
    if path.is_dir():
        files += sorted((path / "models").glob(f"*cnn*/{MODEL_FILE}"))
    found = [file for file in files if file.is_file()]
    if not found:
        raise InputError(f"There is no model in {path} to start from. Give a run, or a .keras file.")
    return load_keras.load_keras_file(found[0])


def transfer_weights(source: Any, target: Any) -> list[Any]:
    """Copy weights layer by layer, up to the first layer that differs in type or shape.

    The last layer is not copied: it is trained on the new letters.

    Args:
        source: pre-trained keras.Model.
        target: keras.Model to train; modified in place.

    Returns:
        The layers of `target` whose weights were copied.

    Raises:
        InputError: the first layers already differ.
    """
    transferred = []
    for layer, source_layer in zip(_list_weighted_layers(target)[:-1], _list_weighted_layers(source), strict=False):
        shapes, source_shapes = ([each.shape for each in one.get_weights()] for one in (layer, source_layer))
        if type(layer) is not type(source_layer) or shapes != source_shapes:
            # The layers after a different one get other inputs, so their weights have no meaning here.
            break
        layer.set_weights(source_layer.get_weights())
        transferred.append(layer)
    if not transferred:
        raise InputError("The model to start from has a different first layer. Give one of the same architecture.")
    return transferred


def _list_weighted_layers(model: Any) -> list[Any]:
    """Return the layers that have weights, including those of nested models: an ensemble nests its members."""
    layers: list[Any] = []
    for layer in model.layers:
        if hasattr(layer, "layers"):
            layers += _list_weighted_layers(layer)
        elif layer.get_weights():
            layers.append(layer)
    return layers
