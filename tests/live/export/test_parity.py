"""The same real frames, live, in evaluation and by each export: the same letters. benchmarks/accuracy/parity.py takes more."""

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
from tests.live.factories import run_of

OF_EACH = 3
"""Frames of each letter and signer: some 200 in all, as many as half a minute allows."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A run that has learned some real frames; its inputs, the hands (n, 21, 3) in them, and what live said."""

    run: Path
    inputs: Array
    hands: Array
    said: Array


def _pictures(captures: Path) -> Iterator[tuple[bytes, int]]:
    for folder in sorted(path for path in captures.glob("*/*") if path.is_dir() and path.name.upper() in LETTERS):
        files = sorted(folder.glob("*.jpg"), key=lambda path: natural_key(path.name))
        for path in files[:: max(1, len(files) // OF_EACH)][:OF_EACH]:
            yield path.read_bytes(), LETTERS.index(folder.name.upper())


@pytest.fixture(scope="module")
def asked(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Asked:
    run = run_of("landmarks", "mlp", tmp_path_factory.mktemp("runs") / "run")
    model, contract = load_keras_model(run)
    inputs, hands, labels, frames = [], [], [], []
    with Recogniser(run) as recogniser:
        for picture, label in _pictures(real_data / "captures"):
            frame = decode_image(picture)
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
    said = network(np.stack(inputs))
    with Recogniser(run) as recogniser:  # the frames themselves, once more, for some of them
        for index in range(0, len(frames), 20):
            seen = recogniser.recognise(frames[index])
            assert seen.letter == LETTERS[int(said[index].argmax())]
    assert len(inputs) > 100
    return Asked(run=run, inputs=np.stack(inputs), hands=np.stack(hands), said=said)


def _same(said: Array, asked: Asked) -> None:
    np.testing.assert_allclose(said, asked.said, rtol=0, atol=1e-4)
    np.testing.assert_array_equal(said.argmax(axis=1), asked.said.argmax(axis=1))


def test_evaluation_says_what_live_says(asked: Asked) -> None:
    model, _ = load_keras_model(asked.run)
    _same(predict_probabilities(model, asked.hands, get_feature("landmarks")), asked)


def test_exports_say_what_live_says(asked: Asked, tmp_path: Path) -> None:
    import onnxruntime

    to = {
        name: export_model(asked.run, format=name, into=tmp_path / name).to
        for name in ("tflite", "onnx", "saved-model")
    }
    _same(to_tflite.predict_tflite((to["tflite"] / "model.tflite").read_bytes(), asked.inputs), asked)
    _same(to_saved_model.predict_saved_model(to["saved-model"] / "model", asked.inputs), asked)
    session = onnxruntime.InferenceSession(to["onnx"] / "model.onnx")
    _same(session.run(["probabilities"], {"input": asked.inputs})[0], asked)


def test_eight_bits_say_nearly_the_same(asked: Asked) -> None:
    network, _ = load_network(asked.run)
    made = to_tflite.convert_to_tflite(network, quantize="int8", calibration=asked.inputs[::2])
    said = to_tflite.predict_tflite(made, asked.inputs)
    assert (said.argmax(axis=1) == asked.said.argmax(axis=1)).mean() >= 0.995
