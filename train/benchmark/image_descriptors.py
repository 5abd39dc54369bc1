"""Inputs of the benchmark's models, computed from 28×28 images."""

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

from aslkit.vision.preprocess import Array

Pixels = npt.NDArray[np.uint8]

_GREY: Final = np.float32(128)
_CONTRAST: Final = np.float32(48)
"""Mean and standard deviation of an image after `normalise_contrast`."""


def pixel_values(images: Pixels) -> Array:
    """Flatten grayscale images, uint8 (n, 28, 28), to float32 (n, 784), 0–255. The models scale them to 0–1."""
    return images.reshape(len(images), images.shape[1] * images.shape[2]).astype(np.float32)


def reduced_pixels(images: Pixels) -> Array:
    """Average squares of 2×2 pixels of images, uint8 (n, 28, 28), and flatten them to float32 (n, 196), 0–255."""
    half = images.shape[1] // 2
    squares = images.reshape(len(images), half, 2, half, 2)
    reduced: Array = squares.mean(axis=(2, 4), dtype=np.float32).reshape(len(images), half * half)
    return reduced


def normalise_contrast(images: Pixels) -> Pixels:
    """Scale each image to mean 128 and standard deviation 48, so that lighting and exposure matter less.

    Args:
        images: uint8 (n, 28, 28).

    Returns:
        uint8 (n, 28, 28). Values beyond 2.7 standard deviations are clipped.
    """
    values = images.astype(np.float32)
    values -= values.mean(axis=(1, 2), keepdims=True)
    values *= _CONTRAST / (values.std(axis=(1, 2), keepdims=True) + np.float32(1e-3))  # not 0 for a uniform image
    return np.clip(values + _GREY, 0, 255).astype(np.uint8)


def hog_features(images: Pixels) -> Array:
    """Compute histograms of oriented gradients: cells of 7×7 pixels, blocks of 2×2 cells, 9 orientations.

    Source: Dalal and Triggs, Histograms of Oriented Gradients for Human Detection, 2005.

    Args:
        images: uint8 (n, 28, 28).

    Returns:
        float32 (n, 324), 0–255. OpenCV's values (0–1) are scaled to the range of pixels, so that the models can scale
        both features the same way.
    """
    import cv2

    side = images.shape[1]
    descriptor = cv2.HOGDescriptor((side, side), (14, 14), (7, 7), (7, 7), 9)
    if not len(images):
        return np.zeros((0, descriptor.getDescriptorSize()), np.float32)
    features: Array = np.stack([np.ravel(descriptor.compute(image)) for image in images]) * np.float32(255)
    return features


DESCRIPTORS: Final[dict[str, Callable[[Pixels], Array]]] = {
    "pixels28": pixel_values,
    "pixels14": reduced_pixels,
    "hog": hog_features,
}
