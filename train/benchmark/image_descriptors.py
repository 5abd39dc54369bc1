"""What the benchmark's models see of a 28×28 image, and how training images are varied."""

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

from aslkit.vision.preprocess import Array

Pixels = npt.NDArray[np.uint8]


def pixel_values(images: Pixels) -> Array:
    """Grey values as they are: uint8 (n, 28, 28) to float32 (n, 784), 0–255. Models scale them to 0–1 themselves."""
    return images.reshape(len(images), images.shape[1] * images.shape[2]).astype(np.float32)


def hog_features(images: Pixels) -> Array:
    """Histograms of oriented gradients, Dalal and Triggs 2005: cells of 7×7, blocks of 2×2 cells, 9 directions.

    Args:
        images: uint8 (n, 28, 28).

    Returns:
        float32 (n, 324), 0–255: OpenCV's values of 0–1, on the scale of pixels, so that models treat both alike.
    """
    import cv2

    side = images.shape[1]
    describe = cv2.HOGDescriptor((side, side), (14, 14), (7, 7), (7, 7), 9)
    if not len(images):
        return np.zeros((0, describe.getDescriptorSize()), np.float32)
    found: Array = np.stack([np.ravel(describe.compute(image)) for image in images]) * np.float32(255)
    return found


DESCRIPTORS: Final[dict[str, Callable[[Pixels], Array]]] = {"pixels28": pixel_values, "hog": hog_features}


def augment_images(
    images: Pixels, rng: np.random.Generator, *, turn_deg: float, scale: float, shift: float, light: float
) -> Pixels:
    """Turn, scale, shift and light images otherwise, each by its own draw; never mirrored.

    Args:
        images: uint8 (n, side, side).
        rng: source of chance.
        turn_deg: standard deviation of the turn, degrees.
        scale: of the logarithm of the size.
        shift: of the place, as a share of the side.
        light: of the logarithm of the contrast; brightness moves by a third of it, as a share of white.

    Returns:
        uint8, the same shape.
    """
    import cv2

    side, out = images.shape[1], np.empty_like(images)
    spread = [turn_deg, scale, shift * side, shift * side, light, light / 3]
    middle, drawn = ((side - 1) / 2, (side - 1) / 2), rng.normal(0, 1, (len(images), 6)) * spread
    drawn[:, [1, 4]] = np.exp(drawn[:, [1, 4]])
    for index, (turn, size, right, down, contrast, brightness) in enumerate(drawn):
        place = cv2.getRotationMatrix2D(middle, turn, size)
        place[:, 2] += right, down
        moved = cv2.warpAffine(images[index], place, (side, side), borderMode=cv2.BORDER_REPLICATE)
        out[index] = cv2.addWeighted(moved, contrast, moved, 0, 127.5 * (1 - contrast) + 255 * brightness)
    return out
