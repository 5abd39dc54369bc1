"""Architectures: networks by name. Any goes with any feature whose shape it takes."""

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from aslkit.core.errors import InputError

Shape = tuple[int, ...]


def mlp(shape: Shape, classes: int) -> Any:
    """Two hidden layers, 256 and 128, half of each dropped in training; inputs are normalised first.

    Args:
        shape: of one input; flattened.
        classes: number of letters.

    Returns:
        keras.Model, (batch, *shape) to probabilities (batch, classes). Its first layer is to be adapted to the inputs.
    """
    from keras import Input, Sequential, layers

    hidden = [layer for units in (256, 128) for layer in (layers.Dense(units, activation="relu"), layers.Dropout(0.5))]
    return Sequential(
        [Input(shape), layers.Normalization(), layers.Flatten(), *hidden, layers.Dense(classes, activation="softmax")]
    )


def cnn(shape: Shape, classes: int) -> Any:
    """The reference study's network: 5×5×32, 5×5×64 and 3×3×128 convolutions without padding, dense 128.

    Source: Pnlalessio, "The American Sign Language Recognition and Real Time", its Horovod notebook.

    Args:
        shape: (height, width, channels) of one input, of at least 28×28.
        classes: number of letters.

    Returns:
        keras.Model, (batch, *shape) to probabilities (batch, classes).

    Raises:
        InputError: the input is no image.
    """
    return _convolutional(shape, classes, normalised=False)


def cnn_bn(shape: Shape, classes: int) -> Any:
    """The same network with batch normalisation after each convolution, and 0.3 of the dense units dropped.

    Args, returns, raises: as `cnn`.
    """
    return _convolutional(shape, classes, normalised=True)


def _convolutional(shape: Shape, classes: int, *, normalised: bool) -> Any:
    from keras import Input, Sequential, layers

    if len(shape) != 3:
        raise InputError("This architecture needs pixels. Use --feature pixels28, or --architecture mlp.")

    def block(units: int, side: int) -> list[Any]:
        convolution = layers.Conv2D(units, side, activation=None if normalised else "relu", use_bias=not normalised)
        after = [layers.BatchNormalization(), layers.ReLU()] if normalised else []
        return [convolution, layers.MaxPooling2D(), *after]

    return Sequential(
        [
            Input(shape),
            *block(32, 5),
            *block(64, 5),
            layers.Dropout(0.2),
            *block(128, 3),
            layers.Dropout(0.2),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dropout(0.3 if normalised else 0.2),
            layers.Dense(classes, activation="softmax"),
        ]
    )


ARCHITECTURES: Final[dict[str, Callable[[Shape, int], Any]]] = {"mlp": mlp, "cnn": cnn, "cnn-bn": cnn_bn}


def build_ensemble(name: str, shape: Shape, classes: int, *, members: int, rests: bool = False) -> tuple[Any, Any]:
    """Several networks of one architecture side by side, which learn together but each for itself.

    A network that learns from hands at rest has one class more for them, behind the letters. In use its probability is
    shared out to all letters alike: what looks like rest then looks like no letter, and which letter is the likeliest
    is not touched by it.

    Args:
        name: of the architecture.
        shape: of one input.
        classes: number of letters.
        members: how many networks.
        rests: whether they learn from hands at rest.

    Returns:
        two keras.Model on the same weights: one to train, (batch, *shape) to (batch, members, classes), or classes + 1
        with rests, and one to use, (batch, *shape) to the mean of the members' probabilities, (batch, classes).

    Raises:
        InputError: no architecture of that name, or it does not take the shape.
    """
    from keras import Input, Model, layers

    inputs = Input(shape)
    build, told = get_architecture(name), classes + int(rests)
    said = [layers.Reshape((1, told))(build(shape, told)(inputs)) for _ in range(members)]
    together = layers.Concatenate(axis=1)(said) if members > 1 else said[0]
    mean = layers.GlobalAveragePooling1D()(together)
    return Model(inputs, together), Model(inputs, _shared_out(mean, classes) if rests else mean)


def _shared_out(said: Any, classes: int) -> Any:
    """Probabilities of letters and of rest to those of letters: rest is given to all alike."""
    from keras import layers

    share = layers.Dense(classes, use_bias=False, trainable=False, name="shared_out")
    found = share(said)
    share.set_weights([np.concatenate([np.eye(classes), np.full((1, classes), 1 / classes)])])
    return found


def get_architecture(name: str) -> Callable[[Shape, int], Any]:
    """Look an architecture up.

    Raises:
        InputError: none of that name.
    """
    if name in ARCHITECTURES:
        return ARCHITECTURES[name]
    raise InputError(f"There is no architecture {name!r}. Known: {', '.join(ARCHITECTURES)}, or auto.")
