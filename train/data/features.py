"""Model features: how each is preprocessed and augmented, and its default architecture."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from aslkit.core.errors import InputError
from aslkit.train.data.augmentation import augment_crops, augment_landmarks
from aslkit.train.data.embedding_views import augment_views, both_inputs, embedding_inputs
from aslkit.vision.hand_embedding import EMBEDDING_VALUES
from aslkit.vision.preprocess import LANDMARK_VALUES, Array, FeatureKind, PreprocessConfig, landmark_features

EMBEDDED_VIEWS: Final = 2
"""Views of each frame that are embedded for training, besides the frame as it is: a mirrored one, and another."""

EMBEDDING_WEIGHT: Final = 0.6
"""Weight of the embedding's probabilities in the mean, cross-validated over 24 people (ADR 13)."""


class InputPart(NamedTuple):
    """Inputs `start` to `stop` of a feature, the architecture of the networks that see them, and their weight.

    The weights of all parts sum to 1.
    """

    start: int
    stop: int
    architecture: str
    weight: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Feature:
    """One kind of model input.

    "Hands" are the hands of n frames as `Samples.hands` holds them: landmarks, landmarks with embeddings, or crops.

    Attributes:
        contract: preprocessing that turns a frame into the model's input.
        architecture: default architecture.
        copies: augmented copies of each training sample per epoch, in addition to the sample itself.
        augment: function (hands, share to mirror, rng) -> augmented hands.
        to_inputs: function hands -> model inputs.
        parts: what each network sees of the inputs; empty if every network sees all of them.
        views: views of each frame that are embedded for training, in addition to the frame as it is.
    """

    contract: PreprocessConfig
    architecture: str
    copies: int
    augment: Callable[[Array, float, np.random.Generator], Array]
    to_inputs: Callable[[Array], Array]
    parts: tuple[InputPart, ...] = ()
    views: int = 0


def _crops_to_inputs(crops: Array) -> Array:
    return crops


def _pixel_feature(size: int, *, cut_out: bool = False) -> Feature:
    contract = PreprocessConfig(kind="pixels", size=size, cut_out=cut_out)
    return Feature(contract=contract, architecture="cnn", copies=1, augment=augment_crops, to_inputs=_crops_to_inputs)


def _embedding_feature(
    kind: FeatureKind, architecture: str, to_inputs: Callable[[Array], Array], *, parts: tuple[InputPart, ...] = ()
) -> Feature:
    return Feature(
        contract=PreprocessConfig(kind=kind),
        architecture=architecture,
        copies=2,
        augment=augment_views,
        to_inputs=to_inputs,
        parts=parts,
        views=EMBEDDED_VIEWS,
    )


FEATURES: Final = {
    "landmarks": Feature(
        contract=PreprocessConfig(kind="landmarks"),
        architecture="mlp",
        copies=5,
        augment=augment_landmarks,
        to_inputs=landmark_features,
    ),
    "embedding": _embedding_feature("embedding", "mlp-384", embedding_inputs),
    "both": _embedding_feature(
        "both",
        "mlp",
        both_inputs,
        parts=(
            InputPart(0, LANDMARK_VALUES, "mlp", 1 - EMBEDDING_WEIGHT),
            InputPart(LANDMARK_VALUES, LANDMARK_VALUES + EMBEDDING_VALUES, "mlp-384", EMBEDDING_WEIGHT),
        ),
    ),
    "pixels28": _pixel_feature(28),
    "pixels64": _pixel_feature(64),
    "hand28": _pixel_feature(28, cut_out=True),
    "hand64": _pixel_feature(64, cut_out=True),
}


def get_feature(name: str) -> Feature:
    """Return the feature of a name.

    Raises:
        InputError: unknown name.
    """
    if isinstance(name, str) and name in FEATURES:  # in a configuration file the value can have any type
        return FEATURES[name]
    raise InputError(f"There is no feature {name!r}. Known: auto, {', '.join(FEATURES)}.")
