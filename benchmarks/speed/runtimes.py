"""Which runtime reads a letter fastest: the NumPy network of live, ONNX Runtime, or LiteRT.

    uv run --with ai-edge-litert python -m benchmarks.speed.runtimes RUN [--rounds 7]

Each runtime loads the model of RUN in a process of its own and predicts one input at a time. Printed are medians over
the rounds: import and load, first prediction, and the 95th percentile of 2,000 predictions. Runtimes alternate, so that
other programs disturb all of them.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import files
from pathlib import Path

PREDICTIONS = 2000


def load(name: str, run: Path, exported: Path):
    """Return the input shape and a function from one input, float32 (1, *shape), to probabilities."""
    if name == "numpy":
        from aslkit.inference.load_model import load_network

        network, _ = load_network(run)
        return network.shape, network
    if name == "onnxruntime":
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(exported / "model.onnx", options)
        return session.get_inputs()[0].shape[1:], lambda x: session.run(None, {"input": x})[0]
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(exported / "model.tflite"), num_threads=1)
    runner = interpreter.get_signature_runner()
    return interpreter.get_input_details()[0]["shape"][1:], lambda x: runner(input=x)["probabilities"]


def measure(name: str, run: Path, exported: Path) -> None:
    """Print the times of one runtime as JSON."""
    import numpy as np

    start = time.perf_counter()
    shape, predict = load(name, run, exported)
    loaded = time.perf_counter()
    inputs = np.random.default_rng(0).normal(size=(PREDICTIONS, 1, *shape)).astype(np.float32)
    ready = time.perf_counter()
    predict(inputs[0])
    first = time.perf_counter() - ready
    times = []
    for each in inputs:
        begin = time.perf_counter()
        predict(each)
        times.append(time.perf_counter() - begin)
    print(json.dumps({"load_s": loaded - start, "first_ms": 1000 * first, "p95_ms": 1000 * np.quantile(times, 0.95)}))


def installed_mb(package: str) -> float:
    """Size of an installed package in MB."""
    return sum(path.size or 0 for path in files(package) or ()) / 1e6


def main() -> None:
    """Compare the runtimes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    parser.add_argument("--exported", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        measure(options.measure, options.run, options.exported)
        return
    with tempfile.TemporaryDirectory() as folder:
        for format in ("onnx", "tflite"):
            command = ["-m", "aslkit", "export", options.run, "--to", format, "--into", f"{folder}/{format}"]
            subprocess.run([sys.executable, *command], check=True, stdout=subprocess.DEVNULL)
        exported = {"numpy": folder, "onnxruntime": f"{folder}/onnx", "ai-edge-litert": f"{folder}/tflite"}
        found: dict[str, list[dict[str, float]]] = {name: [] for name in exported}
        for _ in range(options.rounds):
            for name, path in exported.items():
                command = ["-m", "benchmarks.speed.runtimes", options.run, "--measure", name, "--exported", path]
                done = subprocess.run([sys.executable, *command], check=True, capture_output=True, text=True)
                found[name].append(json.loads(done.stdout))
    for name, rounds in found.items():
        row = {key: statistics.median(each[key] for each in rounds) for key in rounds[0]}
        size = 0.0 if name == "numpy" else installed_mb(name)
        print(
            f"{name:15} load {row['load_s']:.3f} s  first {row['first_ms']:.2f} ms  "
            f"p95 {row['p95_ms']:.3f} ms  +{size:.0f} MB"
        )


if __name__ == "__main__":
    main()
