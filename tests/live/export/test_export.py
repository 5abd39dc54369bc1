"""Exported models predict the same as the run, contain the contract, and have a working example."""

import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from aslkit.cli.main import main
from aslkit.core.errors import AslkitError, InputError
from aslkit.core.files import folder_size
from aslkit.core.letters import LETTERS
from aslkit.core.workspace import Workspace
from aslkit.datasets.exporters.destination import MARKER_FILE
from aslkit.inference.load_model import load_keras_model, load_network
from aslkit.live.export import to_onnx, to_saved_model, to_tflite
from aslkit.live.export.run import export_model
from aslkit.live.recogniser import Recogniser
from aslkit.train.data.features import FEATURES
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


def _predict(format: str, folder: Path, inputs: Array) -> Array:
    if format == "tflite":
        return to_tflite.predict_tflite((folder / "model.tflite").read_bytes(), inputs)
    if format == "onnx":
        import onnxruntime

        session = onnxruntime.InferenceSession(folder / "model.onnx")
        probabilities: Array = session.run(["probabilities"], {"input": inputs})[0]
        return probabilities
    return to_saved_model.predict_saved_model(folder / "model", inputs)


def _read_contract(format: str, folder: Path) -> dict[str, Any]:
    if format == "tflite":
        contract = json.loads(zipfile.ZipFile(folder / "model.tflite").read(CONTRACT_FILE))
    elif format == "onnx":
        import onnxruntime

        session = onnxruntime.InferenceSession(folder / "model.onnx")
        contract = json.loads(session.get_modelmeta().custom_metadata_map["preprocess"])
    else:
        contract = json.loads((folder / "model" / "assets.extra" / CONTRACT_FILE).read_text())
    assert isinstance(contract, dict)
    return contract


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
