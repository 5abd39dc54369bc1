"""Live recognition, evaluation and all exports predict the same letters for real frames.

benchmarks/accuracy/parity.py does the same with more frames.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from aslkit.core.files import natural_key
from aslkit.core.letters import LETTERS
from aslkit.core.native_libraries import import_keras
from aslkit.inference.load_model import load_keras_model, load_network, save_network
from aslkit.live.export import to_saved_model, to_tflite
from aslkit.live.export.run import export_model
from aslkit.live.recogniser import Recogniser
from aslkit.train.data.features import get_feature
from aslkit.train.evaluation.predictions import predict_probabilities
from aslkit.vision.images import decode_image
from aslkit.vision.preprocess import MODEL_FILE, Array, canonical_points, model_input
from tests.live.factories import create_run

FRAMES_PER_LETTER = 3
"""Frames of each letter and signer. About 200 in total take half a minute."""


@dataclass(frozen=True, kw_only=True)
class LivePredictions:
    """A run that was trained on real frames, and its live predictions for them.

    Attributes:
        run: run folder.
        inputs: inputs of the network, float32 (n, features).
        hands: canonical points of the hands, float32 (n, 21, 3).
        probabilities: output of the network, float32 (n, 24).
    """

    run: Path
    inputs: Array
    hands: Array
    probabilities: Array


def _read_images(captures: Path) -> Iterator[tuple[bytes, int]]:
    """Yield encoded images and the index of their letter."""
    for folder in sorted(path for path in captures.glob("*/*") if path.is_dir() and path.name.upper() in LETTERS):
        files = sorted(folder.glob("*.jpg"), key=lambda path: natural_key(path.name))
        for path in files[:: max(1, len(files) // FRAMES_PER_LETTER)][:FRAMES_PER_LETTER]:
            yield path.read_bytes(), LETTERS.index(folder.name.upper())


@pytest.fixture(scope="module")
def live_predictions(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> LivePredictions:
    run = create_run("landmarks", "mlp", tmp_path_factory.mktemp("runs") / "run")
    model, contract = load_keras_model(run)
    inputs, hands, labels, frames = [], [], [], []
    with Recogniser(run) as recogniser:
        for image, label in _read_images(real_data / "captures"):
            frame = decode_image(image)
            hand = recogniser.recognise(frame).hand
            if hand is not None:
                points = canonical_points(
                    hand.landmarks[None], widths=np.array([frame.shape[1]]), heights=np.array([frame.shape[0]]),
                    left=np.array([hand.handedness == "left"]), mirror_left=contract.mirror_left,
                )  # fmt: skip
                inputs.append(model_input(frame, hand, contract))
                hands.append(points[0])
                labels.append(label)
                frames.append(frame)
    model.compile(import_keras().optimizers.Adam(2e-3), "sparse_categorical_crossentropy")
    model.fit(np.stack(inputs), np.array(labels), epochs=60, batch_size=32, verbose=0)
    model.save(run / "model" / MODEL_FILE)
    save_network(run / "model", model)
    network, _ = load_network(run)
    probabilities = network(np.stack(inputs))
    with Recogniser(run) as recogniser:  # check some of the frames with hand detection
        for index in range(0, len(frames), 20):
            recognition = recogniser.recognise(frames[index])
            assert recognition.letter == LETTERS[int(probabilities[index].argmax())]
    assert len(inputs) > 100
    return LivePredictions(run=run, inputs=np.stack(inputs), hands=np.stack(hands), probabilities=probabilities)


def _assert_same(probabilities: Array, expected: Array) -> None:
    np.testing.assert_allclose(probabilities, expected, rtol=0, atol=1e-4)
    np.testing.assert_array_equal(probabilities.argmax(axis=1), expected.argmax(axis=1))


def test_evaluation_predicts_same_as_live(live_predictions: LivePredictions) -> None:
    model, _ = load_keras_model(live_predictions.run)
    probabilities = predict_probabilities(model, live_predictions.hands, get_feature("landmarks"))
    _assert_same(probabilities, live_predictions.probabilities)


def test_exports_predict_same_as_live(live_predictions: LivePredictions, tmp_path: Path) -> None:
    import onnxruntime

    run, inputs, expected = live_predictions.run, live_predictions.inputs, live_predictions.probabilities
    folders = {
        name: export_model(run, format=name, into=tmp_path / name).to for name in ("tflite", "onnx", "saved-model")
    }
    _assert_same(to_tflite.predict_tflite((folders["tflite"] / "model.tflite").read_bytes(), inputs), expected)
    _assert_same(to_saved_model.predict_saved_model(folders["saved-model"] / "model", inputs), expected)
    session = onnxruntime.InferenceSession(folders["onnx"] / "model.onnx")
    _assert_same(session.run(["probabilities"], {"input": inputs})[0], expected)


def test_int8_predicts_nearly_same_as_live(live_predictions: LivePredictions) -> None:
    network, _ = load_network(live_predictions.run)
    inputs = live_predictions.inputs
    model = to_tflite.convert_to_tflite(network, quantize="int8", calibration=inputs[::2])
    predicted = to_tflite.predict_tflite(model, inputs).argmax(axis=1)
    assert (predicted == live_predictions.probabilities.argmax(axis=1)).mean() >= 0.995
