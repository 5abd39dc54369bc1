"""Model features: how each is preprocessed and augmented, and its default architecture."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from aslkit.core.errors import InputError
from aslkit.train.data.augmentation import augment_crops, augment_landmarks
from aslkit.vision.preprocess import Array, PreprocessConfig, landmark_features


@dataclass(frozen=True, kw_only=True)
class Feature:
    """One kind of model input.

    "Hands" are the hands of n frames as `Samples.hands` holds them: landmarks or crops.

    Attributes:
        contract: preprocessing that turns a frame into the model's input.
        architecture: default architecture.
        copies: augmented copies of each training sample per epoch, in addition to the sample itself.
        augment: function (hands, share to mirror, rng) -> augmented hands.
        to_inputs: function hands -> model inputs.
    """

    contract: PreprocessConfig
    architecture: str
    copies: int
    augment: Callable[[Array, float, np.random.Generator], Array]
    to_inputs: Callable[[Array], Array]


def _crops_to_inputs(crops: Array) -> Array:
    return crops


def _pixel_feature(size: int, *, cut_out: bool = False) -> Feature:
    contract = PreprocessConfig(kind="pixels", size=size, cut_out=cut_out)
    return Feature(contract=contract, architecture="cnn", copies=1, augment=augment_crops, to_inputs=_crops_to_inputs)


FEATURES: Final = {
    "landmarks": Feature(
        contract=PreprocessConfig(kind="landmarks"),
        architecture="mlp",
        copies=5,
        augment=augment_landmarks,
        to_inputs=landmark_features,
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
