"""Inputs of the benchmark's models, computed from 28×28 images, and the augmentation of training images."""

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

from aslkit.vision.preprocess import Array

Pixels = npt.NDArray[np.uint8]


def pixel_values(images: Pixels) -> Array:
    """Flatten grayscale images, uint8 (n, 28, 28), to float32 (n, 784), 0–255. The models scale them to 0–1."""
    return images.reshape(len(images), images.shape[1] * images.shape[2]).astype(np.float32)


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


DESCRIPTORS: Final[dict[str, Callable[[Pixels], Array]]] = {"pixels28": pixel_values, "hog": hog_features}


def augment_images(
    images: Pixels, rng: np.random.Generator, *, turn_deg: float, scale: float, shift: float, light: float
) -> Pixels:
    """Rotate, scale and shift each image, and change its brightness and contrast, at random. Images are not mirrored.

    Args:
        images: uint8 (n, side, side).
        rng: random number generator.
        turn_deg: standard deviation of the rotation, degrees.
        scale: standard deviation of the log size.
        shift: standard deviation of the position, relative to the side.
        light: standard deviation of the log contrast; that of the brightness is a third of it, relative to white.

    Returns:
        uint8 (n, side, side).
    """
    import cv2

    side, augmented = images.shape[1], np.empty_like(images)
    std = [turn_deg, scale, shift * side, shift * side, light, light / 3]
    center = ((side - 1) / 2, (side - 1) / 2)
    parameters = rng.normal(0, 1, (len(images), 6)) * std
    parameters[:, [1, 4]] = np.exp(parameters[:, [1, 4]])
    for index, (rotation, size, right, down, contrast, brightness) in enumerate(parameters):
        transform = cv2.getRotationMatrix2D(center, rotation, size)
        transform[:, 2] += right, down
        warped = cv2.warpAffine(images[index], transform, (side, side), borderMode=cv2.BORDER_REPLICATE)
        offset = 127.5 * (1 - contrast) + 255 * brightness
        augmented[index] = cv2.addWeighted(warped, contrast, warped, 0, offset)
    return augmented
