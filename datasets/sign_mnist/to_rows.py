"""Sign Language MNIST as rows of a dataset. All images of a batch at once: one by one would take four times as long."""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from aslkit.core.letters import LETTERS
from aslkit.datasets import schema
from aslkit.datasets.sign_mnist.read_csv import SIDE, SignMnistImages
from aslkit.vision.images import pixel_hash

ROWS: Final = 4096
"""Of one table: three megabytes of images."""

_SMALL: Final = 32
_LOW: Final = 8
Pixels = npt.NDArray[np.uint8]


def iter_tables(images: SignMnistImages, split: str) -> Iterator[pa.Table]:
    """Yield the rows of a split, in order, as tables of `schema.COLUMNS`.

    Nobody knows who is seen, when, with which hand and under which licence: those columns are null. The image is a PNG
    that is not compressed, since Parquet compresses many of them together better.
    """
    for start in range(0, len(images.labels), ROWS):
        pixels, labels = images.pixels[start : start + ROWS], images.labels[start : start + ROWS]
        columns = _columns(pixels, labels, split, start)
        arrays = [columns.get(field.name, pa.nulls(len(labels), field.type)) for field in schema.COLUMNS]
        yield pa.Table.from_arrays([pa.array(each) for each in arrays], schema=schema.COLUMNS)


def _columns(pixels: Pixels, labels: npt.NDArray[np.int64], split: str, start: int) -> dict[str, Any]:
    """Those columns of which something is known."""
    count = len(labels)
    names = [f"{split}/{LETTERS[label]}/{start + index:05d}.png" for index, label in enumerate(labels)]
    brightness, contrast, sharpness = measure_qualities(pixels)
    parts = [pa.array(_pngs(pixels), pa.binary()), pa.array(names)]
    return {
        "image": pa.StructArray.from_arrays(parts, fields=list(schema.COLUMNS.field("image").type)),
        "label": labels,
        "width": np.full(count, SIDE, np.int32),
        "height": np.full(count, SIDE, np.int32),
        "sharpness": sharpness,
        "brightness": brightness,
        "contrast": contrast,
        "sha256": [pixel_hash(frame) for frame in np.repeat(pixels[..., None], 3, axis=3)],
        "phash": perceptual_hashes(pixels),
    }


def _pngs(pixels: Pixels) -> list[bytes]:
    import cv2

    stored = [cv2.IMWRITE_PNG_COMPRESSION, 0]
    return [cv2.imencode(".png", each, stored)[1].tobytes() for each in pixels]


def measure_qualities(
    pixels: Pixels,
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Brightness, contrast and sharpness of grey images, uint8 (n, side, side), as `images.measure_quality` measures them.

    Returns:
        three times float32 (n,).
    """
    wide = np.pad(pixels, ((0, 0), (1, 1), (1, 1)), mode="reflect").astype(np.int16)
    inner = wide[:, 1:-1, 1:-1]
    edges = wide[:, :-2, 1:-1] + wide[:, 2:, 1:-1] + wide[:, 1:-1, :-2] + wide[:, 1:-1, 2:] - 4 * inner
    grey = pixels.reshape(len(pixels), -1).astype(np.float32)
    sharpness = edges.reshape(len(pixels), -1).astype(np.float32).var(axis=1)
    return grey.mean(axis=1) / 255, grey.std(axis=1) / 255, sharpness


def perceptual_hashes(pixels: Pixels) -> npt.NDArray[np.uint64]:
    """Of grey images, uint8 (n, side, side), what `images.perceptual_hash` gives of each: uint64 (n,)."""
    import cv2

    stacked = np.moveaxis(pixels, 0, 2)
    parts = [  # OpenCV takes at most 512 channels
        cv2.resize(np.ascontiguousarray(stacked[..., at : at + 512]), (_SMALL, _SMALL), interpolation=cv2.INTER_AREA)
        for at in range(0, len(pixels), 512)
    ]
    small = np.concatenate([part.reshape(_SMALL, _SMALL, -1) for part in parts], axis=2).astype(np.float32)
    waves = _waves()
    low = np.einsum("ij,jkn,lk->nil", waves, small, waves, optimize=True).reshape(len(pixels), -1)
    bits = low > np.median(low[:, 1:], axis=1, keepdims=True)
    return np.packbits(bits, axis=1).view(">u8").ravel().astype(np.uint64)


def _waves() -> npt.NDArray[np.float32]:
    """The lowest cosines of the transform, float32 (8, 32)."""
    at, frequency = np.arange(_SMALL), np.arange(_LOW)[:, None]
    waves = np.cos(np.pi * (2 * at + 1) * frequency / (2 * _SMALL)) * np.sqrt(2 / _SMALL)
    waves[0] /= np.sqrt(2)
    return np.asarray(waves, np.float32)
