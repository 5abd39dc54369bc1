"""Hashes that know a picture again after it was coded anew, scaled, brightened or mirrored: of a frame, of its hand.

Signs of the lowest frequencies of the cosine transform of the grey picture (Zauner, "Implementation and Benchmarking of
Perceptual Image Hash Functions", 2010), FINE_BITS of them. The highlights are cut off before: brightening cuts them off
too, and what is left only grows by a factor, which changes no sign. Mirroring changes the signs of every other column,
so that the hash of the mirrored picture is known without looking (`MIRRORED`).
"""

from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from aslkit.vision.images import Frame

_SIDE: Final = 16
FINE_BITS: Final = _SIDE**2
FINE_BYTES: Final = FINE_BITS // 8

TINY: Final = 2 * _SIDE
"""Pixels of a side of the picture that is transformed; the frequencies that are kept need no more."""

_CROP: Final = 4 * _SIDE
"""The same of the hand's crop, from which single pixels are taken."""

_HIGHLIGHTS: Final = 80
"""Per cent of the pixels that are no highlights. Of 313 real frames brightened 1.3 times, 24 % are within 6 bits of the
original with all of them, 93 % without the brightest fifth."""

_REACH: Final = 2.2
"""Half the side of the hand's crop, in the unit of `likeness.upright`: the fingers are in it, little of the room is."""

MIRRORED: Final = np.packbits(np.tile(np.arange(_SIDE) % 2 == 1, _SIDE))
"""Uint8 (FINE_BYTES,): a hash's bytes xor these are the hash of the mirrored picture."""


DOWNSCALED_SIDE: Final = 28
"""Side of the smallest picture in which a hand's letter can be told; that of Sign Language MNIST."""


def downscale_gray(grey: Frame) -> npt.NDArray[np.uint8]:
    """A grey picture, uint8 (height, width), made small and square: uint8 (SMALL * SMALL,)."""
    while min(grey.shape) >= 8 * DOWNSCALED_SIDE:  # by halves is several times as fast
        height, width = grey.shape
        grey = np.asarray(cv2.resize(grey, (width // 2, height // 2), interpolation=cv2.INTER_AREA), np.uint8)
    return np.asarray(
        cv2.resize(grey, (DOWNSCALED_SIDE, DOWNSCALED_SIDE), interpolation=cv2.INTER_AREA), np.uint8
    ).ravel()


def fine_hash(tiny: Frame) -> int:
    """Hash of a grey picture of TINY × TINY pixels, uint8, as `images.thumbnail_gray` gives it: 0 to 2**FINE_BITS - 1."""
    return _signs(tiny)


def hand_hash(grey: Frame, upright: npt.NDArray[Any]) -> int:
    """Likewise of the hand alone, a right one, upright: the same wherever in the frame, however large and turned it is.

    Args:
        grey: uint8 (height, width).
        upright: float (2, 3), from the frame's pixels to an upright right hand, as `likeness.upright` gives it.
    """
    to_crop = upright * (_CROP / 2 / _REACH)
    to_crop[:, 2] += _CROP / 2
    shrink = float(np.linalg.norm(to_crop[:, 0]))
    if shrink < 0.5:  # warpAffine takes single pixels, which would leave out all between them
        height, width = (max(1, round(side * 2 * shrink)) for side in grey.shape)
        to_crop[:, :2] *= np.array([grey.shape[1] / width, grey.shape[0] / height])
        grey = np.asarray(cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    crop = cv2.warpAffine(
        grey, to_crop, (_CROP, _CROP), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )  # fmt: skip
    return _signs(np.asarray(crop))


def _signs(scaled: npt.NDArray[np.uint8]) -> int:
    place = scaled.size * _HIGHLIGHTS // 100
    values = np.minimum(scaled, np.partition(scaled, place, axis=None)[place]).astype(np.float32)
    low = np.asarray(cv2.dct(values))[:_SIDE, :_SIDE]
    return int.from_bytes(np.packbits(low > 0).tobytes())


def to_plus_minus_one(hashes: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Return the bits of hashes, uint8 (n, bytes), as -1 and 1, float32 (n, bits), for `hamming_matrix`."""
    return np.unpackbits(hashes, axis=1).astype(np.float32) * 2 - 1


def hamming_matrix(left: npt.NDArray[np.float32], right: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return the number of differing bits of all pairs, float32 (n, m); exact, and fast as a matrix product.

    Args:
        left, right: of `to_plus_minus_one`, (n, bits) and (m, bits).
    """
    return (np.float32(left.shape[1]) - left @ right.T) / 2


def hash_bytes(hashes: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint8]:
    """Return 64-bit hashes, uint64 (n,), as big-endian bytes, uint8 (n, 8)."""
    return hashes.astype(">u8").view(np.uint8).reshape(-1, 8)
