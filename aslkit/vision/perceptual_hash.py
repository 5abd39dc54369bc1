"""Perceptual hashes of a frame that survive re-encoding, scaling, brightening and mirroring.

A hash is the signs of the FINE_BITS lowest frequencies of the cosine transform of the gray image (Zauner,
"Implementation and Benchmarking of Perceptual Image Hash Functions", 2010). Highlights are clipped first: brightening
clips them too, and otherwise only scales the image, which changes no sign. Mirroring flips the signs of every other
column, so the hash of the mirrored image follows from the hash (`MIRRORED`).
"""

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from aslkit.vision.images import Frame

_SIDE: Final = 16
FINE_BITS: Final = _SIDE**2
FINE_BYTES: Final = FINE_BITS // 8

_CLIP_PERCENTILE: Final = 80
"""Brighter pixels are clipped. Of 313 real frames brightened by 1.3, 24 % are within 6 bits of the original without
clipping, 93 % with it."""

MIRRORED: Final = np.packbits(np.tile(np.arange(_SIDE) % 2 == 1, _SIDE))
"""uint8 (FINE_BYTES,): the XOR of a hash and this is the hash of the mirrored image."""

DOWNSCALED_SIDE: Final = 28
"""Side in pixels of the smallest image in which a letter is recognisable; that of Sign Language MNIST."""


def downscale_gray(grey: Frame) -> npt.NDArray[np.uint8]:
    """Scale a gray image, uint8 (height, width), to uint8 (DOWNSCALED_SIDE**2,)."""
    while min(grey.shape) >= 8 * DOWNSCALED_SIDE:  # halving is several times faster
        height, width = grey.shape
        grey = np.asarray(cv2.resize(grey, (width // 2, height // 2), interpolation=cv2.INTER_AREA), np.uint8)
    return np.asarray(
        cv2.resize(grey, (DOWNSCALED_SIDE, DOWNSCALED_SIDE), interpolation=cv2.INTER_AREA), np.uint8
    ).ravel()


def fine_hash(thumbnail: Frame) -> int:
    """Return the hash of a gray image of `images.thumbnail_gray`, uint8 (32, 32): 0 to 2**FINE_BITS - 1."""
    return _hash_frequencies(thumbnail)


def _hash_frequencies(scaled: npt.NDArray[np.uint8]) -> int:
    # partition instead of percentile: a value that exists in the image, and no complete sort.
    index = scaled.size * _CLIP_PERCENTILE // 100
    values = np.minimum(scaled, np.partition(scaled, index, axis=None)[index]).astype(np.float32)
    low = np.asarray(cv2.dct(values))[:_SIDE, :_SIDE]
    return int.from_bytes(np.packbits(low > 0).tobytes())


def to_plus_minus_one(hashes: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Return the bits of hashes, uint8 (n, bytes), as -1 and 1, float32 (n, bits), for `hamming_matrix`."""
    return np.unpackbits(hashes, axis=1).astype(np.float32) * 2 - 1


def hamming_matrix(left: npt.NDArray[np.float32], right: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return the number of differing bits of all pairs, float32 (n, m); exact, and fast as a matrix product.

    Args:
        left: of `to_plus_minus_one`, (n, bits).
        right: the same, (m, bits).
    """
    # The product is equal bits minus differing bits. It is exact in float32, because it is an integer below 2**24.
    return (np.float32(left.shape[1]) - left @ right.T) / 2


def hash_bytes(hashes: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint8]:
    """Return 64-bit hashes, uint64 (n,), as big-endian bytes, uint8 (n, 8)."""
    return hashes.astype(">u8").view(np.uint8).reshape(-1, 8)
