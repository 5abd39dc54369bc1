"""Compare the predictions of a run in Keras, NumPy (live), TensorFlow Lite, ONNX Runtime and SavedModel.

    ./run bench parity RUN --dataset FOLDER [--frames 500]

The frames are sampled over signers and letters. Exits with 1 if letters differ, or probabilities by more than 1e-4; for
quantised models, if fewer than 99.5 % of the letters agree.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from aslkit.inference import load_model
from aslkit.live.export import to_saved_model, to_tflite
from aslkit.live.export.run import export_model
from aslkit.live.export.sample_frames import draw_test_frames
from aslkit.vision.preprocess import Array

TOLERANCE = 1e-4
MIN_QUANTISED_AGREEMENT = 0.995


def load_runtimes(run: Path, dataset: Path, folder: Path) -> dict[str, Callable[[Array], Array]]:
    """Return the predict function of each runtime, by name."""
    import onnxruntime

    network, _ = load_model.load_network(run)
    for format in ("tflite", "onnx", "saved-model"):
        export_model(run, format=format, into=folder / format)
    files = {"TensorFlow Lite": folder / "tflite"}
    for quantize in ("float16", "int8"):
        files[f"TensorFlow Lite, {quantize}"] = folder / quantize
        export_model(run, format="tflite", quantize=quantize, dataset=dataset, into=folder / quantize)  # type: ignore[arg-type]
    session = onnxruntime.InferenceSession(folder / "onnx" / "model.onnx")
    lite = {
        name: lambda inputs, path=path: to_tflite.predict_tflite((path / "model.tflite").read_bytes(), inputs)
        for name, path in files.items()
    }
    return {
        "NumPy": network,
        "ONNX Runtime": lambda inputs: session.run(["probabilities"], {"input": inputs})[0],
        "SavedModel": lambda inputs: to_saved_model.predict_saved_model(folder / "saved-model" / "model", inputs),
        **lite,
    }


def main() -> int:
    """Print a row for each runtime, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path, nargs="?")
    parser.add_argument("--dataset", type=Path)
    parser.add_argument("--frames", type=int, default=500)
    given = parser.parse_args()
    if given.run is None or given.dataset is None:
        print("Specify a RUN and a --dataset.")
        return 0
    model, contract = load_model.load_keras_model(given.run)
    frames = draw_test_frames(
        given.dataset, contract, trained_on=(), max_frames=given.frames, rng=np.random.default_rng(0)
    )  # of all signers
    reference = np.asarray(model(frames.inputs, training=False), np.float32)
    print(f"{len(frames)} frames of {', '.join(sorted(set(frames.signer.tolist())))}; compared with Keras:")
    worst = 0
    with tempfile.TemporaryDirectory() as folder:
        for name, predict in load_runtimes(given.run, given.dataset, Path(folder)).items():
            start = time.perf_counter()
            predicted = predict(frames.inputs)
            each = (time.perf_counter() - start) / len(frames)
            same = float((predicted.argmax(axis=1) == reference.argmax(axis=1)).mean())
            off = float(np.abs(predicted - reference).max())
            quantised = "," in name
            good = same >= MIN_QUANTISED_AGREEMENT if quantised else same == 1 and off <= TOLERANCE
            worst |= not good
            print(
                f"{name:26} {same:8.2%} agreement  {off:.1e} max. difference  "
                f"{1e3 * each:.3f} ms per frame  {'' if good else 'FAILED'}"
            )
    return worst


if __name__ == "__main__":
    sys.exit(main())
