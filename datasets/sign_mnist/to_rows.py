"""Convert Sign Language MNIST to dataset rows.

Images are measured in batches, which is four times as fast as one by one.
"""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from aslkit.core.letters import LETTERS
from aslkit.datasets import schema
from aslkit.datasets.sign_mnist.parse_csv import SIDE
from aslkit.datasets.sign_mnist.read_csv import SignMnistImages
from aslkit.vision.images import pixel_hash

ROWS_PER_TABLE: Final = 4096
"""Number of rows in one table: about 3 MB of images."""

_DCT_SIDE: Final = 32
_DCT_COEFFICIENTS: Final = 8
_MAX_CHANNELS: Final = 512
"""Maximum number of channels that OpenCV can resize at once."""

Pixels = npt.NDArray[np.uint8]


def iter_tables(images: SignMnistImages, split: str) -> Iterator[pa.Table]:
    """Yield the rows of a split, in order, as tables with the columns `schema.COLUMNS`.

    Signer, session, time, hand and licence are unknown, so those columns are null. Images are stored as uncompressed
    PNG, because Parquet compresses many of them together better.
    """
    for start in range(0, len(images.labels), ROWS_PER_TABLE):
        end = start + ROWS_PER_TABLE
        pixels, labels = images.pixels[start:end], images.labels[start:end]
        columns = _known_columns(pixels, labels, split, start)
        arrays = [columns.get(field.name, pa.nulls(len(labels), field.type)) for field in schema.COLUMNS]
        yield pa.Table.from_arrays([pa.array(each) for each in arrays], schema=schema.COLUMNS)


def _known_columns(pixels: Pixels, labels: npt.NDArray[np.int64], split: str, start: int) -> dict[str, Any]:
    """Return the columns that are not null."""
    count = len(labels)
    paths = [f"{split}/{LETTERS[label]}/{start + index:05d}.png" for index, label in enumerate(labels)]
    brightness, contrast, sharpness = measure_qualities(pixels)
    image_parts = [pa.array(_encode_pngs(pixels), pa.binary()), pa.array(paths)]
    return {
        "image": pa.StructArray.from_arrays(image_parts, fields=list(schema.COLUMNS.field("image").type)),
        "label": labels,
        "width": np.full(count, SIDE, np.int32),
        "height": np.full(count, SIDE, np.int32),
        "sharpness": sharpness,
        "brightness": brightness,
        "contrast": contrast,
        "sha256": [pixel_hash(frame) for frame in np.repeat(pixels[..., None], 3, axis=3)],
        "phash": perceptual_hashes(pixels),
    }


def _encode_pngs(pixels: Pixels) -> list[bytes]:
    import cv2

    uncompressed = [cv2.IMWRITE_PNG_COMPRESSION, 0]
    return [cv2.imencode(".png", image, uncompressed)[1].tobytes() for image in pixels]


def measure_qualities(
    pixels: Pixels,
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Measure a batch of greyscale images, uint8 (n, side, side), in the same way as `images.measure_quality`.

    Returns:
        Brightness, contrast and sharpness, each float32 (n,).
    """
    # Reflected as OpenCV does by default; int16, because the Laplacian has values from -1,020 to 1,020.
    padded = np.pad(pixels, ((0, 0), (1, 1), (1, 1)), mode="reflect").astype(np.int16)
    inner = padded[:, 1:-1, 1:-1]
    neighbours = padded[:, :-2, 1:-1] + padded[:, 2:, 1:-1] + padded[:, 1:-1, :-2] + padded[:, 1:-1, 2:]
    laplacian = neighbours - 4 * inner
    grey = pixels.reshape(len(pixels), -1).astype(np.float32)
    sharpness = laplacian.reshape(len(pixels), -1).astype(np.float32).var(axis=1)
    return grey.mean(axis=1) / 255, grey.std(axis=1) / 255, sharpness


def perceptual_hashes(pixels: Pixels) -> npt.NDArray[np.uint64]:
    """Hash a batch of greyscale images, uint8 (n, side, side), in the same way as `images.perceptual_hash`.

    Returns:
        The hashes, uint64 (n,).
    """
    import cv2

    # (side, side, n): OpenCV then resizes all images as channels of a single one.
    stacked = np.moveaxis(pixels, 0, 2)
    size = (_DCT_SIDE, _DCT_SIDE)
    parts = [
        cv2.resize(np.ascontiguousarray(stacked[..., at : at + _MAX_CHANNELS]), size, interpolation=cv2.INTER_AREA)
        for at in range(0, len(pixels), _MAX_CHANNELS)
    ]
    small = np.concatenate([part.reshape(*size, -1) for part in parts], axis=2).astype(np.float32)
    basis = _dct_basis()
    # (n, 8, 8) before the reshape: the basis is applied to the rows and to the columns of every image.
    coefficients = np.einsum("ij,jkn,lk->nil", basis, small, basis, optimize=True).reshape(len(pixels), -1)
    # The first coefficient is the mean brightness, as in `images.perceptual_hash`.
    bits = coefficients > np.median(coefficients[:, 1:], axis=1, keepdims=True)
    # Big-endian, so that the number equals the one that int.from_bytes gives.
    return np.packbits(bits, axis=1).view(">u8").ravel().astype(np.uint64)


def _dct_basis() -> npt.NDArray[np.float32]:
    """Return the basis of the lowest frequencies of the discrete cosine transform, float32 (8, 32)."""
    position, frequency = np.arange(_DCT_SIDE), np.arange(_DCT_COEFFICIENTS)[:, None]
    basis = np.cos(np.pi * (2 * position + 1) * frequency / (2 * _DCT_SIDE)) * np.sqrt(2 / _DCT_SIDE)
    basis[0] /= np.sqrt(2)
    return np.asarray(basis, np.float32)
