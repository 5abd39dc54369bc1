"""Live sees what training saw, to the bit, and says what evaluation said."""

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
from aslkit.curate.measure.measure import GIVEN, MeasureOptions, measure_batch
from aslkit.inference import load_model
from aslkit.inference.load_model import save_network
from aslkit.live.recogniser import Recogniser, is_rest
from aslkit.synthetic import Signer, SyntheticSession, render_frames
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


def _photographs(count: int) -> list[bytes]:
    pictures = []
    for name, letter in zip(("synthetic-ada", "synthetic-gus", "synthetic-hal"), "BLY", strict=True):
        who = Signer.draw(name)
        stream = render_frames(letter, signer=who, session=SyntheticSession.draw(who, "one"), fps=2.0)
        pictures += [encode_jpeg(next(stream).image) for _ in range(count)]
    return pictures


@pytest.mark.parametrize("name", FEATURES)
def test_stored_and_live_inputs_agree_to_the_bit(name: str) -> None:
    contract = get_feature(name).contract
    config = MeasureOptions(min_confidence=0.3, second_try=True)
    pictures = _photographs(2)
    given = pa.RecordBatch.from_pylist([{"content": str(i), "bytes": each} for i, each in enumerate(pictures)], GIVEN)
    rows = measure_batch(given, config).to_pylist()
    assert all(row["landmarks"] for row in rows)
    with HandLandmarker() as landmarker:
        for picture, row in zip(pictures, rows, strict=True):
            frame = decode_image(picture)
            hand = landmarker.find(frame)
            assert hand is not None
            np.testing.assert_array_equal(model_input(frame, hand, contract), _as_trained(row, frame, contract))


def _as_trained(row: dict[str, Any], frame: Frame, contract: PreprocessConfig) -> Array:
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
    features: Array = get_feature("landmarks").to_inputs(points)[0]
    return features


@given(arrays(np.float32, 25, elements=st.floats(0, 1, width=32)).filter(lambda each: each.sum() > 0))
def test_rest_is_told_from_what_all_letters_have_alike(said: Array) -> None:
    """Of a network that says letters and rest, after rest was shared out."""
    said = said / said.sum()
    letters, rest = said[:-1], said[-1]
    shared = letters + rest / 24
    least = letters.min()  # what is no rest, but common to all
    if abs(rest - letters.max()) > 25 * least + 1e-4:
        assert is_rest(np.stack([shared, shared])).tolist() == [rest > letters.max()] * 2


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder with an untrained model: what it says does not matter here, only that it is said the same."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    (folder / "model").mkdir(parents=True)
    contract = get_feature("landmarks").contract
    model = get_architecture("mlp")(contract.shape, len(LETTERS))
    model.save(folder / "model" / MODEL_FILE)
    save_network(folder / "model", model)
    contract.save(folder / "model" / CONTRACT_FILE)
    return folder


@pytest.fixture
def changed(run: Path, tmp_path: Path) -> Path:
    """A copy of the run, to be changed."""
    shutil.copytree(run, tmp_path / "run")
    return tmp_path / "run"


def test_recognises_as_the_model_does(run: Path) -> None:
    frame = decode_image(_photographs(1)[0])
    with Recogniser(run) as recogniser:
        seen = recogniser.recognise(frame)
        again = recogniser.recognise(frame)
    assert isinstance(seen.hand, Hand)
    assert seen.letter == LETTERS[int(seen.probabilities.argmax())]
    assert seen.probabilities.sum() == pytest.approx(1, abs=1e-5)
    np.testing.assert_array_equal(seen.probabilities, again.probabilities)


def test_no_hand_no_letter(run: Path) -> None:
    with Recogniser(run) as recogniser:
        seen = recogniser.recognise(np.full((240, 320, 3), 90, np.uint8))
    assert seen.hand is None
    assert seen.letter is None
    assert not seen.probabilities.any()


def test_a_run_without_model_json_is_loaded_by_keras(run: Path, changed: Path) -> None:
    (changed / "model" / NETWORK_FILE).unlink()
    frame = decode_image(_photographs(1)[0])
    with Recogniser(run) as new, Recogniser(changed) as old:
        np.testing.assert_allclose(
            new.recognise(frame).probabilities, old.recognise(frame).probabilities, rtol=0, atol=1e-6
        )


def test_a_run_without_model_json_says_what_to_do_where_there_is_no_tensorflow(
    changed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (changed / "model" / NETWORK_FILE).unlink()
    monkeypatch.setattr(load_model, "find_spec", lambda name: None)
    with pytest.raises(AslkitError, match=r"has no model/model\.json.*pip install 'aslkit\[train\]'"):
        Recogniser(changed)


def test_recognises_without_tensorflow(run: Path, tmp_path: Path) -> None:
    (tmp_path / "hand.jpg").write_bytes(_photographs(1)[0])
    code = (
        "import sys; from pathlib import Path; from aslkit.vision.images import decode_image\n"
        "from aslkit.live.recogniser import Recogniser\n"
        "with Recogniser(Path(sys.argv[1])) as recogniser:\n"
        "    seen = recogniser.recognise(decode_image(Path(sys.argv[2]).read_bytes()))\n"
        "print(seen.letter in 'ABCDEFGHIKLMNOPQRSTUVWXY', 'tensorflow' in sys.modules, 'keras' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(run), str(tmp_path / "hand.jpg")], capture_output=True, text=True, check=True
    )
    assert done.stdout == "True False False\n"


def test_no_run_and_damaged_runs(changed: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No run found"):
        Recogniser(tmp_path)
    folder = changed / "model"
    (folder / NETWORK_FILE).write_bytes(b"no model")
    with pytest.raises(AslkitError, match=r"model\.json is damaged"):
        Recogniser(changed)
    (folder / NETWORK_FILE).unlink()
    whole = (folder / MODEL_FILE).read_bytes()
    parts = range(8)  # wherever it is: of weights without a checksum Keras would take any
    flipped = [bytearray(whole) for _ in parts]
    for content, part in zip(flipped, parts, strict=True):
        content[len(whole) * (2 * part + 1) // 18] ^= 0xFF
    for damaged in (b"no model", *map(bytes, flipped)):
        (folder / MODEL_FILE).write_bytes(damaged)
        with pytest.raises(AslkitError, match=r"model\.keras is missing or damaged"):
            Recogniser(changed)
    (folder / MODEL_FILE).write_bytes(b"no model")
    with pytest.raises(AslkitError, match=r"model\.keras is missing or damaged"):
        Recogniser(changed)
    (folder / CONTRACT_FILE).unlink()
    with pytest.raises(AslkitError, match=r"preprocess\.json is missing or damaged"):
        Recogniser(changed)


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
def test_contracts_that_cannot_be(key: str, value: object, changed: Path) -> None:
    path = changed / "model" / CONTRACT_FILE
    path.write_text(json.dumps(json.loads(path.read_text()) | {key: value}))
    with pytest.raises(AslkitError, match=f"its {key} is"):
        Recogniser(changed)


def test_a_model_that_does_not_fit_its_contract(changed: Path) -> None:
    path = changed / "model" / CONTRACT_FILE
    path.write_text(json.dumps(json.loads(path.read_text()) | {"letters": ["A", "B"]}))
    with pytest.raises(AslkitError, match="created by another version"):
        Recogniser(changed)


def test_a_contract_of_another_version_is_refused(run: Path, tmp_path: Path) -> None:
    text = (run / "model" / CONTRACT_FILE).read_text().replace('"version": 1', '"version": 99')
    (tmp_path / CONTRACT_FILE).write_text(text)
    with pytest.raises(AslkitError, match="version 99"):
        PreprocessConfig.load(tmp_path / CONTRACT_FILE)
