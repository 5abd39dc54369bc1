"""Exported models predict the same as the run, contain the contract, and have a working example."""

import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from aslkit.cli.main import main
from aslkit.core.errors import AslkitError, InputError
from aslkit.core.files import folder_size
from aslkit.core.letters import LETTERS
from aslkit.core.workspace import Workspace
from aslkit.datasets.exporters.destination import MARKER_FILE
from aslkit.inference.load_model import load_keras_model, load_motion_network, load_network
from aslkit.live.export import to_onnx, to_saved_model, to_tflite
from aslkit.live.export.run import export_model
from aslkit.live.recogniser import Recogniser
from aslkit.synthetic import Signer, SyntheticSession, render_frames
from aslkit.train.data.features import FEATURES
from aslkit.train.data.motion_samples import synthetic_motion_samples
from aslkit.video.video_file import open_video
from aslkit.vision.hand_landmarker import HandLandmarker
from aslkit.vision.images import decode_image
from aslkit.vision.preprocess import CONTRACT_FILE, NETWORK_FILE, Array, PreprocessConfig
from tests.live.factories import CASES, create_run, encode_hand, write_training_data

FORMATS = ("tflite", "onnx", "saved-model")


@pytest.fixture(scope="module")
def landmarks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return create_run("landmarks", "mlp", tmp_path_factory.mktemp("runs") / "run")


@pytest.fixture(scope="module")
def get_run(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str, int], Path]:
    """Return a function that creates the run of one of CASES, once for all formats. Tests only change its exports."""

    @cache
    def create(feature: str, architecture: str, members: int) -> Path:
        return create_run(feature, architecture, tmp_path_factory.mktemp("runs") / "run", members=members)

    return create


def _predict(format: str, folder: Path, inputs: Array, *, name: str = "model") -> Array:
    if format == "tflite":
        return to_tflite.predict_tflite((folder / f"{name}.tflite").read_bytes(), inputs)
    if format == "onnx":
        import onnxruntime

        session = onnxruntime.InferenceSession(folder / f"{name}.onnx")
        probabilities: Array = session.run(["probabilities"], {"input": inputs})[0]
        return probabilities
    return to_saved_model.predict_saved_model(folder / name, inputs)


def _read_contract(format: str, folder: Path, *, name: str = "model") -> dict[str, Any]:
    if format == "tflite":
        contract = json.loads(zipfile.ZipFile(folder / f"{name}.tflite").read(CONTRACT_FILE))
    elif format == "onnx":
        import onnxruntime

        session = onnxruntime.InferenceSession(folder / f"{name}.onnx")
        contract = json.loads(session.get_modelmeta().custom_metadata_map["preprocess"])
    else:
        contract = json.loads((folder / name / "assets.extra" / CONTRACT_FILE).read_text())
    assert isinstance(contract, dict)
    return contract


def write_video(path: Path, letter: str, *, duration_s: float) -> None:
    """Write a video of a synthetic signer, 640×480, 30 frames per second."""
    signer = Signer.draw("synthetic-hal")
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 30, (640, 480))
    stream = render_frames(letter, signer=signer, session=SyntheticSession.draw(signer, "one"))
    for frame in islice(stream, round(30 * duration_s)):
        writer.write(frame.image)
    writer.release()


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize(("feature", "architecture", "members"), CASES)
def test_export_predicts_same_as_keras(
    format: str,
    feature: str,
    architecture: str,
    members: int,
    get_run: Callable[[str, str, int], Path],
    rng: np.random.Generator,
) -> None:
    run = get_run(feature, architecture, members)
    exported = export_model(run, format=format)
    assert exported.to == run / "exports" / format
    model, contract = load_keras_model(run)
    inputs = rng.normal(0, 1, (5, *contract.shape)).astype(np.float32)
    predicted = _predict(format, exported.to, inputs)
    np.testing.assert_allclose(predicted, np.asarray(model(inputs, training=False)), rtol=0, atol=1e-4)
    assert PreprocessConfig(**_read_contract(format, exported.to) | {"letters": LETTERS}) == contract


@pytest.mark.parametrize("format", FORMATS)
def test_example_predicts_same_as_live(format: str, landmarks: Path, tmp_path: Path) -> None:
    exported = export_model(landmarks, format=format, into=tmp_path / "O'Brien's [x] *? #1 50%")
    image = tmp_path / "hand.jpg"
    image.write_bytes(encode_hand())
    completed = subprocess.run(
        [sys.executable, exported.to / "example.py", image], capture_output=True, text=True, cwd=tmp_path
    )
    assert completed.returncode == 0, completed.stderr
    with Recogniser(landmarks) as recogniser:
        recognition = recogniser.recognise(decode_image(image.read_bytes()))
    letter, probability = completed.stdout.rsplit(maxsplit=1)
    assert letter == ("no letter" if recognition.rejected else recognition.letter)
    assert float(probability) == pytest.approx(recognition.probabilities.max(), abs=1e-3)
    lines = [line for line in (exported.to / "example.py").read_text().splitlines() if line and "import" not in line]
    assert len(lines) <= 10


@pytest.mark.parametrize("format", FORMATS)
def test_motion_network_predicts_same(format: str, run_with_motion: Path, tmp_path: Path) -> None:
    exported = export_model(run_with_motion, format=format, into=tmp_path / "out")
    _, contract = load_network(run_with_motion)
    network = load_motion_network(run_with_motion, contract)
    assert network is not None
    inputs = synthetic_motion_samples(["synthetic-ada"], tracks=8, rng=np.random.default_rng(0)).inputs
    expected = network(inputs)
    assert set(expected.argmax(axis=1)) == {0, 1, 2}
    predicted = _predict(format, exported.to, inputs, name="motion")
    np.testing.assert_allclose(predicted, expected, rtol=0, atol=1e-4)
    assert _read_contract(format, exported.to, name="motion") == json.loads(
        (run_with_motion / "model" / CONTRACT_FILE).read_text()
    )
    assert "\n## J and Z\n" in (exported.to / "README.md").read_text()


@pytest.mark.parametrize("format", FORMATS)
def test_motion_example_predicts_same_as_live(format: str, run_with_motion: Path, tmp_path: Path) -> None:
    exported = export_model(run_with_motion, format=format, into=tmp_path / "O'Brien's [x] *? #1 50%")
    video = tmp_path / "J.avi"
    write_video(video, "J", duration_s=2.5)
    completed = subprocess.run(
        [sys.executable, exported.to / "example_motion.py", video], capture_output=True, text=True, cwd=tmp_path
    )
    assert completed.returncode == 0, completed.stderr
    found = []
    with (
        Recogniser(run_with_motion) as recogniser,
        HandLandmarker(tracking=True) as landmarker,
        open_video(video, start_s=0, end_s=None, on_note=print) as frames,
    ):
        reader = recogniser.create_motion_reader()
        assert reader is not None
        for frame in frames:
            time_s, hand = frame.time_s or 0.0, landmarker.find(frame.image)
            if letter := reader.observe(time_s, hand, width=640, height=480).letter:
                found.append((time_s, letter))
    assert [letter.letter for _, letter in found] == ["J"]
    assert completed.stdout.splitlines() == [
        f"{time_s:.2f} s: {letter.letter} {letter.probability:.4f}" for time_s, letter in found
    ]


def test_export_without_motion_network_is_as_before(landmarks: Path, tmp_path: Path) -> None:
    exported = export_model(landmarks, format="onnx", into=tmp_path / "out")
    assert {path.name for path in exported.to.iterdir()} == {MARKER_FILE, "README.md", "example.py", "model.onnx"}
    assert "J and Z" not in (exported.to / "README.md").read_text()


def test_motion_network_is_never_quantised(run_with_motion: Path, tmp_path: Path) -> None:
    plain = export_model(run_with_motion, format="tflite", into=tmp_path / "none")
    quantised = export_model(run_with_motion, format="tflite", quantize="float16", into=tmp_path / "float16")
    before, after = ((exported.to / "motion.tflite").stat().st_size for exported in (plain, quantised))
    assert after == pytest.approx(before, rel=0.02)
    assert (quantised.to / "model.tflite").stat().st_size < 0.6 * (plain.to / "model.tflite").stat().st_size
    assert "This network is not quantised" in (quantised.to / "README.md").read_text()


def test_readme_lists_the_letters_that_the_model_knows(landmarks: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(landmarks, run)
    for letters, known in ((["A", "B", "L"], "`A B L`"), ([], None), (LETTERS, None)):
        write_training_data(run, letters=letters)
        text = (export_model(run, format="onnx", into=tmp_path / "out").to / "README.md").read_text()
        assert ("- Letters: the model was trained on" in text) == (known is not None)
        assert f"trained on {known} only" in text or known is None


def test_onnx_reference_predicts_same(landmarks: Path, tmp_path: Path, rng: np.random.Generator) -> None:
    network, contract = load_network(landmarks)
    inputs = rng.normal(0, 1, (3, *contract.shape)).astype(np.float32)
    exported = export_model(landmarks, format="onnx", into=tmp_path / "export")
    np.testing.assert_allclose(
        to_onnx.predict_onnx(exported.to / "model.onnx", inputs), network(inputs), rtol=0, atol=1e-4
    )


def test_onnx_export_does_not_import_tensorflow(landmarks: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from aslkit.live.export.run import export_model\n"
        "export_model(Path(sys.argv[1]), format='onnx', into=Path(sys.argv[2])); print('tensorflow' in sys.modules)"
    )
    completed = subprocess.run(
        [sys.executable, "-c", code, landmarks, tmp_path / "export"], capture_output=True, text=True, check=True
    )
    assert completed.stdout == "False\n"


def test_quantised_export_is_small_and_measured(landmarks: Path, curated: Workspace, tmp_path: Path) -> None:
    sizes = {}
    for quantize in to_tflite.QUANTIZATIONS:
        exported = export_model(
            landmarks,
            format="tflite",
            quantize=quantize,
            dataset=curated.dataset("custom"),
            into=tmp_path / quantize,
        )
        assert exported.loss
        assert exported.loss.people == ("ada", "ben", "cleo")
        assert exported.loss.strangers
        assert exported.loss.frames > 40
        assert exported.loss.biggest < {"none": 1e-5, "float16": 1e-2, "int8": 0.1}[quantize]
        assert f"the same letter is predicted in {exported.loss.same:.2%}" in (exported.to / "README.md").read_text()
        assert ("XNNPACK" in (exported.to / "README.md").read_text()) == (quantize == "int8")
        sizes[quantize] = (exported.to / "model.tflite").stat().st_size
    assert sizes["int8"] < 0.35 * sizes["none"]
    assert sizes["float16"] < 0.6 * sizes["none"]


def test_export_is_measured_on_unseen_signers_if_possible(landmarks: Path, curated: Workspace, tmp_path: Path) -> None:
    run = create_run("landmarks", "mlp", tmp_path / "run")
    metrics = run / "metrics.json"
    options = {"format": "tflite", "dataset": curated.dataset("custom"), "force": True}
    write_training_data(run, signers=["ada", "cleo"])
    fidelity = export_model(run, **options).loss  # type: ignore[arg-type]
    assert fidelity
    assert (fidelity.people, fidelity.strangers) == (("ben",), True)
    write_training_data(run, signers=["ada", "ben", "cleo"])
    fidelity = export_model(run, **options).loss  # type: ignore[arg-type]
    assert fidelity
    assert len(fidelity.people) == 1  # the signer of the test split
    assert not fidelity.strangers
    metrics.write_text("[]")
    with pytest.raises(AslkitError, match=r"metrics\.json is damaged"):
        export_model(run, format="tflite")


def test_pixel_network_is_quantised(curated: Workspace, tmp_path: Path) -> None:
    run = create_run("pixels28", "cnn-bn", tmp_path / "run")
    exported = export_model(run, format="tflite", quantize="int8", dataset=curated.dataset("custom"))
    assert exported.loss
    assert exported.loss.biggest < 0.1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"format": "coreml"}, "Choose one of tflite, onnx, saved-model, page"),
        ({"format": "tflite", "quantize": "int8"}, "such as --dataset custom"),
        ({"format": "tflite", "quantize": "int4"}, "Choose one of none, float16, int8"),
        ({"format": "onnx", "quantize": "float16"}, "require --to tflite"),
        ({"format": "tflite", "dataset": Path("missing")}, "No dataset found"),
    ],
)
def test_invalid_options_are_rejected(options: dict[str, Any], message: str, landmarks: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        export_model(landmarks, into=tmp_path / "export", **options)
    assert not (tmp_path / "export").exists()


def test_only_exports_are_replaced(landmarks: Path, tmp_path: Path) -> None:
    for taken in (landmarks, landmarks.parent, landmarks / "model", Path.cwd()):
        with pytest.raises(InputError, match="--into"):
            export_model(landmarks, format="onnx", into=taken, force=True)
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "letter.txt").write_text("mine")
    with pytest.raises(AslkitError, match="--force"):
        export_model(landmarks, format="onnx", into=folder)
    assert (folder / "letter.txt").read_text() == "mine"
    export_model(landmarks, format="onnx", into=folder, force=True)
    export_model(landmarks, format="onnx", into=folder)  # an earlier export may be replaced
    assert json.loads((folder / MARKER_FILE).read_text())["format"] == "onnx"


@pytest.mark.parametrize(("format", "library"), [("onnx", "onnx"), ("tflite", "tensorflow"), ("saved-model", "keras")])
def test_missing_library_is_named(
    format: str, library: str, landmarks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(AslkitError, match="which is not installed"):
        export_model(landmarks, format=format, into=tmp_path / "export")
    assert not (tmp_path / "export").exists()


def test_damaged_run_leaves_no_export(tmp_path: Path) -> None:
    run = create_run("landmarks", "mlp", tmp_path / "run")
    (run / "model" / NETWORK_FILE).write_text("{}")
    with pytest.raises(AslkitError, match=r"model\.json is damaged"):
        export_model(run, format="onnx")
    assert not (run / "exports").exists()


def test_export_command(landmarks: Path, tmp_path: Path) -> None:
    arguments = ["export", str(landmarks), "--to", "onnx", "--into", str(tmp_path / "export"), "--json"]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    values = json.loads(result.stdout)
    assert values["to"] == str(tmp_path / "export")
    assert 0 < values["size"] < folder_size(tmp_path / "export")
    result = CliRunner().invoke(main, [*arguments[:-1]])
    assert "Start with its README.md" in result.output
    result = CliRunner().invoke(main, ["export", str(tmp_path / "none"), "--to", "onnx"])
    assert result.exit_code == 2
    assert "There is no run" in result.output


def test_cases_contain_every_feature() -> None:
    assert {feature for feature, _, _ in CASES} == set(FEATURES)
