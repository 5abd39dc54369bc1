"""Time of an epoch on two ranks and in one process, relative to Keras `fit` on the same arrays.

Usage: ./run bench ranks [DATASET] [--ranks N]    DATASET: Sign Language MNIST; without it, noise

Prints the ratios, as medians of several epochs without the first, and the seconds from the call to the first step.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from aslkit.core.native_libraries import import_keras
from aslkit.train.benchmark import cnn, sign_mnist_split
from aslkit.train.benchmark.recipe import NetworkConfig
from aslkit.train.benchmark.sign_mnist_split import BenchmarkImages
from aslkit.train.engine.checkpoints import CheckpointStore
from aslkit.train.engine.training_session import training_session

EPOCHS = 5
BATCH = 240


def draw_images(count: int = 23_000) -> BenchmarkImages:
    """Return noise in the shape of Sign Language MNIST; the time of an epoch does not depend on the content."""
    rng = np.random.default_rng(0)
    return BenchmarkImages(
        pixels=rng.integers(0, 256, (count, 28, 28)).astype(np.uint8),
        label=rng.integers(0, 24, count),
        photograph=np.arange(count),
        split=np.where(np.arange(count) % 8 == 0, "validation", "train"),
    )


def plain(images: BenchmarkImages) -> float:
    """Return the seconds of an epoch of `keras.Model.fit` in this process."""
    keras = import_keras(exact=False)
    model = cnn.build_network("cnn", 0, exact=False)
    model.compile(optimizer=keras.optimizers.Adam(1e-3), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    rows, check = images.part("train"), images.part("validation")
    ends: list[float] = [time.perf_counter()]
    ended = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: ends.append(time.perf_counter()))
    inputs, checked = cnn.scale_images(images.pixels[rows]), cnn.scale_images(images.pixels[check])
    data = (checked, images.label[check])
    model.fit(inputs, images.label[rows], batch_size=BATCH, epochs=EPOCHS, validation_data=data, verbose=0,
              callbacks=[ended])  # fmt: skip
    return statistics.median(np.diff(ends)[1:])


def ours(images: BenchmarkImages, ranks: int) -> Any:
    """Train a network of the same architecture with aslkit."""
    config = NetworkConfig(architecture="cnn", epochs=EPOCHS, batch_size=BATCH)
    with tempfile.TemporaryDirectory() as folder:
        place = cnn.NetworkRun(ranks=ranks, store=CheckpointStore(url=folder), title="", resume="")
        return cnn.fit_network(config, images, seed=0, run=place)


def epoch_s(model: Any) -> float:
    """Return the median seconds of an epoch without the first, which compiles."""
    return statistics.median(row["seconds"] for row in model.state.history[1:])


def main() -> None:
    """Time Keras before and after, to reveal other load."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", nargs="?", type=Path)
    parser.add_argument("--ranks", type=int, default=2)
    options = parser.parse_args()
    load = sign_mnist_split.load_images
    images = load(options.dataset, validation_share=0.15, seed=0) if options.dataset else draw_images()
    before = plain(images)
    start = time.perf_counter()
    with training_session(f"local[{options.ranks}]", ranks=options.ranks):
        started = time.perf_counter() - start
        model = ours(images, options.ranks)
    after = plain(images)
    alone = epoch_s(ours(images, 1))  # last, because deterministic mode cannot be turned off
    floor = (before + after) / 2
    print(f"Keras fit: {before:.2f} s per epoch before, {after:.2f} after")
    print(f"one process: {alone:.2f} s, ratio {alone / floor:.2f}")
    print(f"{options.ranks} ranks: {epoch_s(model):.2f} s, ratio {epoch_s(model) / floor:.2f}")
    print(f"start: Spark {started:.1f} s, ranks {model.start_s:.1f} s to the first step")


if __name__ == "__main__":
    main()
