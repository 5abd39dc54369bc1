"""Live recognition uses exactly the inputs of training, and predicts the same as the evaluation."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from aslkit.core.errors import AslkitError, InputError
from aslkit.core.letters import LETTERS
from aslkit.curate.measure.measure import BYTES_SCHEMA, MeasureOptions, measure_batch
from aslkit.inference import load_model
from aslkit.inference.load_model import save_network
from aslkit.live.recogniser import Recogniser, is_rest
from aslkit.synthetic import Signer, SyntheticSession, render_frames
from aslkit.train.data.embedding_views import embed_views, join_hands
from aslkit.train.data.features import FEATURES, get_feature
from aslkit.train.fitting.architectures import get_architecture
from aslkit.vision.hand_landmarker import Hand, HandLandmarker
from aslkit.vision.images import Frame, decode_image, encode_jpeg
from aslkit.vision.preprocess import (
    CONTRACT_FILE,
    MODEL_FILE,
    NETWORK_FILE,
    Array,
    PreprocessConfig,
    canonical_points,
    model_input,
    pixel_features,
)


def _encode_hands(count: int) -> list[bytes]:
    """Return `count` JPEG images of each of three synthetic signers."""
    images = []
    for name, letter in zip(("synthetic-ada", "synthetic-gus", "synthetic-hal"), "BLY", strict=True):
        signer = Signer.draw(name)
        stream = render_frames(letter, signer=signer, session=SyntheticSession.draw(signer, "one"), fps=2.0)
        images += [encode_jpeg(next(stream).image) for _ in range(count)]
    return images


@pytest.mark.parametrize("name", FEATURES)
def test_inputs_are_identical_to_training(name: str) -> None:
    contract = get_feature(name).contract
    config = MeasureOptions(min_confidence=0.3, second_try=True)
    images = _encode_hands(2)
    batch = pa.RecordBatch.from_pylist(
        [{"content": str(i), "bytes": image} for i, image in enumerate(images)], BYTES_SCHEMA
    )
    rows = measure_batch(batch, config).to_pylist()
    assert all(row["landmarks"] for row in rows)
    with HandLandmarker() as landmarker:
        for image, row in zip(images, rows, strict=True):
            frame = decode_image(image)
            hand = landmarker.find(frame)
            assert hand is not None
            np.testing.assert_array_equal(model_input(frame, hand, contract), _training_input(row, frame, contract))


def _training_input(row: dict[str, Any], frame: Frame, contract: PreprocessConfig) -> Array:
    left = row["handedness"] == "left"
    if contract.kind == "pixels":
        points = np.array(row["landmarks"], np.float32).reshape(21, 3)
        box = np.array(row["hand_box"], np.float32)
        return pixel_features(frame, box, left=left, contract=contract, landmarks=points)
    points = canonical_points(
        np.array(row["landmarks"], np.float32).reshape(1, 21, 3),
        widths=np.array([row["width"]]),
        heights=np.array([row["height"]]),
        left=np.array([left]),
        mirror_left=contract.mirror_left,
    )
    feature = next(each for each in FEATURES.values() if each.contract == contract)
    if not contract.has_embedding:
        return np.asarray(feature.to_inputs(points)[0])
    landmarks = np.array(row["landmarks"], np.float32).reshape(21, 3)
    embeddings = embed_views(frame, landmarks, mirror=left, views=2, rng=np.random.default_rng(0))
    return np.asarray(feature.to_inputs(join_hands(points, embeddings[None]))[0])


@given(arrays(np.float32, 25, elements=st.floats(0, 1, width=32)).filter(lambda probabilities: probabilities.sum() > 0))
def test_is_rest_compares_rest_class_with_best_letter(probabilities: Array) -> None:
    """The network has a rest class, whose probability was distributed over the letters."""
    probabilities = probabilities / probabilities.sum()
    letters, rest = probabilities[:-1], probabilities[-1]
    distributed = letters + rest / 24
    smallest = letters.min()  # cannot be distinguished from the share of the rest class
    if abs(rest - letters.max()) > 25 * smallest + 1e-4:
        assert is_rest(np.stack([distributed, distributed])).tolist() == [rest > letters.max()] * 2


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a run folder with an untrained model. Only the agreement of its predictions is tested."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    (folder / "model").mkdir(parents=True)
    contract = get_feature("landmarks").contract
    model = get_architecture("mlp")(contract.shape, len(LETTERS))
    model.save(folder / "model" / MODEL_FILE)
    save_network(folder / "model", model)
    contract.save(folder / "model" / CONTRACT_FILE)
    return folder


@pytest.fixture
def run_copy(run: Path, tmp_path: Path) -> Path:
    """Return a copy of the run that a test may change."""
    shutil.copytree(run, tmp_path / "run")
    return tmp_path / "run"


def test_recognise_returns_most_probable_letter(run: Path) -> None:
    frame = decode_image(_encode_hands(1)[0])
    with Recogniser(run) as recogniser:
        recognition = recogniser.recognise(frame)
        repeated = recogniser.recognise(frame)
    assert isinstance(recognition.hand, Hand)
    assert recognition.letter == LETTERS[int(recognition.probabilities.argmax())]
    assert recognition.probabilities.sum() == pytest.approx(1, abs=1e-5)
    np.testing.assert_array_equal(recognition.probabilities, repeated.probabilities)


def test_recognise_returns_no_letter_without_hand(run: Path) -> None:
    with Recogniser(run) as recogniser:
        recognition = recogniser.recognise(np.full((240, 320, 3), 90, np.uint8))
    assert recognition.hand is None
    assert recognition.letter is None
    assert not recognition.probabilities.any()


def test_run_without_model_json_is_loaded_with_keras(run: Path, run_copy: Path) -> None:
    (run_copy / "model" / NETWORK_FILE).unlink()
    frame = decode_image(_encode_hands(1)[0])
    with Recogniser(run) as new, Recogniser(run_copy) as old:
        np.testing.assert_allclose(
            new.recognise(frame).probabilities, old.recognise(frame).probabilities, rtol=0, atol=1e-6
        )


def test_run_without_model_json_names_missing_tensorflow(run_copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (run_copy / "model" / NETWORK_FILE).unlink()
    monkeypatch.setattr(load_model, "find_spec", lambda name: None)
    with pytest.raises(AslkitError, match=r"has no model/model\.json.*install TensorFlow to load it: "):
        Recogniser(run_copy)


def test_recogniser_does_not_import_tensorflow(run: Path, tmp_path: Path) -> None:
    (tmp_path / "hand.jpg").write_bytes(_encode_hands(1)[0])
    code = (
        "import sys; from pathlib import Path; from aslkit.vision.images import decode_image\n"
        "from aslkit.live.recogniser import Recogniser\n"
        "with Recogniser(Path(sys.argv[1])) as recogniser:\n"
        "    recognition = recogniser.recognise(decode_image(Path(sys.argv[2]).read_bytes()))\n"
        "print(recognition.letter in 'ABCDEFGHIKLMNOPQRSTUVWXY', 'tensorflow' in sys.modules, 'keras' in sys.modules)"
    )
    completed = subprocess.run(
        [sys.executable, "-c", code, str(run), str(tmp_path / "hand.jpg")], capture_output=True, text=True, check=True
    )
    assert completed.stdout == "True False False\n"


def test_missing_and_damaged_runs_are_reported(run_copy: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No run found"):
        Recogniser(tmp_path)
    folder = run_copy / "model"
    (folder / NETWORK_FILE).write_bytes(b"no model")
    with pytest.raises(AslkitError, match=r"model\.json is damaged"):
        Recogniser(run_copy)
    (folder / NETWORK_FILE).unlink()
    original = (folder / MODEL_FILE).read_bytes()
    parts = range(8)  # flip a byte in each of them: without the checksums, Keras would accept changed weights
    flipped = [bytearray(original) for _ in parts]
    for content, part in zip(flipped, parts, strict=True):
        content[len(original) * (2 * part + 1) // 18] ^= 0xFF
    for damaged in (b"no model", *map(bytes, flipped)):
        (folder / MODEL_FILE).write_bytes(damaged)
        with pytest.raises(AslkitError, match=r"model\.keras is missing, damaged, or not"):
            Recogniser(run_copy)
    (folder / MODEL_FILE).write_bytes(b"no model")
    with pytest.raises(AslkitError, match=r"model\.keras is missing, damaged, or not"):
        Recogniser(run_copy)
    (folder / CONTRACT_FILE).unlink()
    with pytest.raises(AslkitError, match=r"preprocess\.json is missing or damaged"):
        Recogniser(run_copy)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("kind", "voice"),
        ("size", -1),
        ("temperature", 0),
        ("temperature", "1"),
        ("threshold", 2),
        ("letters", []),
        ("letters", [1, 2]),
        ("mirror_left", "yes"),
    ],
)
def test_invalid_contracts_are_rejected(key: str, value: object, run_copy: Path) -> None:
    path = run_copy / "model" / CONTRACT_FILE
    path.write_text(json.dumps(json.loads(path.read_text()) | {key: value}))
    with pytest.raises(AslkitError, match=rf"at `\$\.{key}"):
        Recogniser(run_copy)


def test_model_must_match_its_contract(run_copy: Path) -> None:
    path = run_copy / "model" / CONTRACT_FILE
    path.write_text(json.dumps(json.loads(path.read_text()) | {"letters": ["A", "B"]}))
    with pytest.raises(AslkitError, match="created by another version"):
        Recogniser(run_copy)


def test_contract_of_other_version_is_rejected(run: Path, tmp_path: Path) -> None:
    text = (run / "model" / CONTRACT_FILE).read_text().replace('"version": 1', '"version": 99')
    (tmp_path / CONTRACT_FILE).write_text(text)
    with pytest.raises(AslkitError, match="version 99"):
        PreprocessConfig.load(tmp_path / CONTRACT_FILE)
