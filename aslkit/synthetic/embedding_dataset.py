"""Embeddings of the rendered hands of 40 synthetic signers, used as extra training samples.

They are stored in `embeddings.npz`, which this command creates:

    python -m aslkit.synthetic.embedding_dataset

Only a part of the hands in `landmarks.npz` has an embedding, because embeddings are 20 times as large.
"""

import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

FRAMES: Final = 2
"""Images per signer and letter, and per signer and rest pose."""

FILE: Final = Path(__file__).parent / "embeddings.npz"


@dataclass(frozen=True, kw_only=True)
class Embeddings:
    """Embeddings of n synthetic hands, left hands mirrored.

    Attributes:
        values: float32 (n, EMBEDDING_VALUES), as `hand_embedding.embedding_features` returns them.
        label: int64 (n,), index of the letter, or `landmark_dataset.NO_LETTER`.
    """

    values: npt.NDArray[np.float32]
    label: npt.NDArray[np.int64]


@cache
def load_embeddings() -> Embeddings:
    """Load the embeddings that are part of aslkit."""
    with np.load(FILE, allow_pickle=False) as file:
        values = np.concatenate([file["values"] * file["step"], file["direction"]], axis=1)
        return Embeddings(values=values.astype(np.float32), label=file["label"].astype(np.int64))


def generate_embeddings(signers: range) -> Embeddings:
    """Render signers, detect their hands and embed them. Images without a detected hand are skipped."""
    from aslkit.synthetic.landmark_dataset import render_hands
    from aslkit.vision.hand_embedding import embedding_features
    from aslkit.vision.hand_region import region_around

    values, label = [], []
    for image, hand, letter in render_hands(signers, frames=FRAMES):
        region = region_around(hand.landmarks, image)
        values.append(embedding_features(image, region, mirror=hand.handedness == "left"))
        label.append(letter)
    return Embeddings(values=np.stack(values), label=np.array(label))


def store_embeddings(path: Path, embeddings: Embeddings) -> None:
    """Write embeddings with 8 bits per value: a step is a 255th of the largest value of each column."""
    values, direction = embeddings.values[:, :-2], embeddings.values[:, -2:]
    step = np.maximum(values.max(axis=0), np.float32(1e-6)) / np.float32(255)
    np.savez_compressed(
        path,
        values=np.rint(values / step).astype(np.uint8),
        step=step,
        direction=direction.astype(np.float16),
        label=embeddings.label.astype(np.uint8),
    )


def main() -> None:
    """Create embeddings.npz."""
    from aslkit.synthetic.landmark_dataset import SIGNERS

    embeddings = generate_embeddings(range(SIGNERS))
    store_embeddings(FILE, embeddings)
    sys.stdout.write(f"Stored {len(embeddings.label)} embeddings in {FILE}\n")


if __name__ == "__main__":
    main()
