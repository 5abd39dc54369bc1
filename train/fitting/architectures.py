"""Network architectures by name, and ensembles of them."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from aslkit.core.errors import InputError
from aslkit.train.data.features import InputPart

Shape = tuple[int, ...]


def mlp(shape: Shape, classes: int) -> Any:
    """Build a perceptron with two hidden layers of 256 and 128 units, each followed by 50 % dropout.

    Args:
        shape: shape of one input; it is flattened.
        classes: number of classes.

    Returns:
        keras.Model, (batch, *shape) to probabilities (batch, classes). Its Normalization layer must be adapted to the
        inputs.
    """
    from keras import Input, Sequential, layers

    hidden = [layer for units in (256, 128) for layer in (layers.Dense(units, activation="relu"), layers.Dropout(0.5))]
    return Sequential(
        [Input(shape), layers.Normalization(), layers.Flatten(), *hidden, layers.Dense(classes, activation="softmax")]
    )


def mlp_384(shape: Shape, classes: int) -> Any:
    """Build a perceptron for embeddings, with one hidden layer of 384 units, followed by 50 % dropout.

    Arguments and result are the same as those of `mlp`.
    """
    from keras import Input, Sequential, layers

    hidden = [layers.Dense(384, activation="relu"), layers.Dropout(0.5)]
    return Sequential(
        [Input(shape), layers.Normalization(), layers.Flatten(), *hidden, layers.Dense(classes, activation="softmax")]
    )


def cnn(shape: Shape, classes: int) -> Any:
    """Build the network of the reference study: 5×5×32, 5×5×64 and 3×3×128 convolutions without padding, dense 128.

    Source: Pnlalessio, "The American Sign Language Recognition and Real Time", its Horovod notebook.

    Args:
        shape: shape of one input, (height, width, channels), at least 28×28.
        classes: number of classes.

    Returns:
        keras.Model, (batch, *shape) to probabilities (batch, classes).

    Raises:
        InputError: the input is not an image.
    """
    return _build_cnn(shape, classes, batch_normalization=False)


def cnn_bn(shape: Shape, classes: int) -> Any:
    """Build `cnn` with batch normalization after each convolution, and 30 % dropout after the dense layer.

    Arguments, result and errors are the same as those of `cnn`.
    """
    return _build_cnn(shape, classes, batch_normalization=True)


def _build_cnn(shape: Shape, classes: int, *, batch_normalization: bool) -> Any:
    from keras import Input, Sequential, layers

    if len(shape) != 3:
        raise InputError("This architecture needs pixels. Use --feature pixels28, or --architecture mlp.")

    def block(units: int, side: int) -> list[Any]:
        activation = None if batch_normalization else "relu"
        # Without bias before batch normalisation, which subtracts the mean and adds its own.
        convolution = layers.Conv2D(units, side, activation=activation, use_bias=not batch_normalization)
        after = [layers.BatchNormalization(), layers.ReLU()] if batch_normalization else []
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
            layers.Dropout(0.3 if batch_normalization else 0.2),
            layers.Dense(classes, activation="softmax"),
        ]
    )


ARCHITECTURES: Final[dict[str, Callable[[Shape, int], Any]]] = {
    "mlp": mlp,
    "mlp-384": mlp_384,
    "cnn": cnn,
    "cnn-bn": cnn_bn,
}


def build_ensemble(
    name: str,
    shape: Shape,
    classes: int,
    *,
    members: int,
    parts: Sequence[InputPart] = (),
    rest_class: bool = False,
    extra: Sequence[Any] = (),
) -> tuple[Any, Any]:
    """Build an ensemble of independent networks of one architecture that are trained together.

    With `rest_class`, each member has an additional class for rest poses, after the letters. The model for inference
    distributes its probability evenly over all letters: a rest pose then gets a low confidence, and the ranking of the
    letters does not change.

    Args:
        name: name of the architecture.
        shape: shape of one input.
        classes: number of letters.
        members: number of networks; of each part, if there are parts.
        parts: what each network sees of the inputs, and its architecture; without parts, all of them, and `name`.
        rest_class: whether the training data has rest poses.
        extra: trained networks of the same outputs, which take part in inference only: one for each part.

    Returns:
        Two keras.Model that share their weights. For training: (batch, *shape) to (batch, members, classes), or
        classes + 1 with `rest_class`. For inference: (batch, *shape) to the mean probabilities of the members and of
        `extra`, (batch, classes).

    Raises:
        InputError: unknown architecture, or it does not support the shape.
    """
    from keras import Input, Model, layers

    inputs = Input(shape)
    outputs = classes + int(rest_class)

    def stack(networks: Sequence[Any], scales: Sequence[float | None]) -> Any:
        """Return the scaled outputs of the networks, (batch, networks, outputs)."""
        values = [network(inputs) for network in networks]
        # The converter finds the weight of a network by the name of the layer.
        scaled = [
            each if scale is None else layers.Rescaling(scale, name=f"{network.name}_weight")(each)
            for each, network, scale in zip(values, networks, scales, strict=True)
        ]
        rows = [layers.Reshape((1, outputs))(each) for each in scaled]
        return layers.Concatenate(axis=1)(rows) if len(rows) > 1 else rows[0]

    seen = [each for each in parts or [InputPart(0, shape[0], name)] for _ in range(members)]
    trained = [build_network(each, shape, outputs) for each in seen]
    networks = [*trained, *extra]
    scales: list[float | None] = [None] * len(networks)
    if parts:
        # The mean of scaled outputs is their weighted sum.
        per_part = len(networks) / len(parts)
        scales = [each.weight / per_part * len(networks) for each in [*seen, *(parts if extra else ())]]
    mean = layers.GlobalAveragePooling1D()(stack(networks, scales))  # (batch, outputs)
    training = Model(inputs, stack(trained, [None] * len(trained)))
    return training, Model(inputs, _distribute_rest(mean, classes) if rest_class else mean)


def build_network(part: InputPart, shape: Shape, classes: int) -> Any:
    """Build a network that sees a part of the inputs.

    Args:
        part: the part, and the architecture.
        shape: shape of all inputs; an image is seen as a whole.
        classes: number of classes.
    """
    from keras import Input, Sequential, layers

    if len(shape) > 1 or part.stop - part.start == shape[0]:
        return get_architecture(part.architecture)(shape, classes)
    size = part.stop - part.start
    network = get_architecture(part.architecture)((size,), classes)
    crop = layers.Cropping1D((part.start, shape[0] - part.stop))
    return Sequential([Input(shape), layers.Reshape((*shape, 1)), crop, layers.Reshape((size,)), *network.layers])


def input_range(network: Any) -> slice:
    """Return which inputs a network of `build_network` sees."""
    for layer in network.layers:
        if type(layer).__name__ == "Cropping1D":
            start, end = layer.cropping
            return slice(start, network.input_shape[1] - end)
    return slice(None)


def _distribute_rest(probabilities: Any, classes: int) -> Any:
    """Drop the rest class and add its probability to all letters in equal shares."""
    from keras import layers

    distribute = layers.Dense(classes, use_bias=False, trainable=False, name="shared_out")
    letters = distribute(probabilities)
    # Letters keep their probability (identity), the rest class gives 1/n of its own to each.
    distribute.set_weights([np.concatenate([np.eye(classes), np.full((1, classes), 1 / classes)])])
    return letters


def get_architecture(name: str) -> Callable[[Shape, int], Any]:
    """Return the function that builds an architecture.

    Raises:
        InputError: unknown name.
    """
    if name in ARCHITECTURES:
        return ARCHITECTURES[name]
    raise InputError(f"There is no architecture {name!r}. Known: {', '.join(ARCHITECTURES)}, or auto.")
