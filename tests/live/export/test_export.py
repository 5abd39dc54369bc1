"""An export says what the run says, carries its contract, and its example runs; what cannot be is told in words."""

import json
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
from tests.live.factories import CASES, photograph, run_of

FORMATS = ("tflite", "onnx", "saved-model")


@pytest.fixture(scope="module")
def landmarks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run_of("landmarks", "mlp", tmp_path_factory.mktemp("runs") / "run")


@pytest.fixture(scope="module")
def each(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str, int], Path]:
    """The run of one of CASES: made once, for all formats. Only its exports are written to."""

    @cache
    def made(feature: str, architecture: str, members: int) -> Path:
        return run_of(feature, architecture, tmp_path_factory.mktemp("runs") / "run", members=members)

    return made


def _ask(format: str, folder: Path, inputs: Array) -> Array:
    if format == "tflite":
        return to_tflite.predict_tflite((folder / "model.tflite").read_bytes(), inputs)
    if format == "onnx":
        import onnxruntime

        session = onnxruntime.InferenceSession(folder / "model.onnx")
        said: Array = session.run(["probabilities"], {"input": inputs})[0]
        return said
    return to_saved_model.predict_saved_model(folder / "model", inputs)


def _contract(format: str, folder: Path) -> dict[str, Any]:
    if format == "tflite":
        found = json.loads(zipfile.ZipFile(folder / "model.tflite").read(CONTRACT_FILE))
    elif format == "onnx":
        import onnxruntime

        session = onnxruntime.InferenceSession(folder / "model.onnx")
        found = json.loads(session.get_modelmeta().custom_metadata_map["preprocess"])
    else:
        found = json.loads((folder / "model" / "assets.extra" / CONTRACT_FILE).read_text())
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize(("feature", "architecture", "members"), CASES)
def test_says_what_keras_says(
    format: str,
    feature: str,
    architecture: str,
    members: int,
    each: Callable[[str, str, int], Path],
    rng: np.random.Generator,
) -> None:
    run = each(feature, architecture, members)
    exported = export_model(run, format=format)
    assert exported.to == run / "exports" / format
    model, contract = load_keras_model(run)
    inputs = rng.normal(0, 1, (5, *contract.shape)).astype(np.float32)
    said = _ask(format, exported.to, inputs)
    np.testing.assert_allclose(said, np.asarray(model(inputs, training=False)), rtol=0, atol=1e-4)
    assert PreprocessConfig(**_contract(format, exported.to) | {"letters": LETTERS}) == contract


@pytest.mark.parametrize("format", FORMATS)
def test_the_example_says_what_live_says(format: str, landmarks: Path, tmp_path: Path) -> None:
    exported = export_model(landmarks, format=format, into=tmp_path / "export")
    picture = tmp_path / "hand.jpg"
    picture.write_bytes(photograph())
    done = subprocess.run(
        [sys.executable, exported.to / "example.py", picture], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    with Recogniser(landmarks) as recogniser:
        seen = recogniser.recognise(decode_image(picture.read_bytes()))
    word, sure = done.stdout.rsplit(maxsplit=1)
    assert word == ("no letter" if seen.refused else seen.letter)
    assert float(sure) == pytest.approx(seen.probabilities.max(), abs=1e-3)
    lines = [line for line in (exported.to / "example.py").read_text().splitlines() if line and "import" not in line]
    assert len(lines) <= 10


def test_onnx_by_its_own_reference(landmarks: Path, tmp_path: Path, rng: np.random.Generator) -> None:
    network, contract = load_network(landmarks)
    inputs = rng.normal(0, 1, (3, *contract.shape)).astype(np.float32)
    exported = export_model(landmarks, format="onnx", into=tmp_path / "export")
    np.testing.assert_allclose(
        to_onnx.predict_onnx(exported.to / "model.onnx", inputs), network(inputs), rtol=0, atol=1e-4
    )


def test_onnx_needs_no_tensorflow(landmarks: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from aslkit.live.export.run import export_model\n"
        "export_model(Path(sys.argv[1]), format='onnx', into=Path(sys.argv[2])); print('tensorflow' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, landmarks, tmp_path / "export"], capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"


def test_quantised_on_frames_of_a_dataset(landmarks: Path, curated: Workspace, tmp_path: Path) -> None:
    sizes = {}
    for quantize in to_tflite.QUANTIZE:
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
        assert f"the same letter in {exported.loss.same:.2%}" in (exported.to / "README.md").read_text()
        assert ("XNNPACK" in (exported.to / "README.md").read_text()) == (quantize == "int8")
        sizes[quantize] = (exported.to / "model.tflite").stat().st_size
    assert sizes["int8"] < 0.35 * sizes["none"]
    assert sizes["float16"] < 0.6 * sizes["none"]


def test_measured_on_strangers_where_there_are_any(landmarks: Path, curated: Workspace, tmp_path: Path) -> None:
    run = run_of("landmarks", "mlp", tmp_path / "run")
    metrics = run / "metrics.json"
    given = {"format": "tflite", "dataset": curated.dataset("custom"), "force": True}
    metrics.write_text(json.dumps({"trained_on": {"signers": ["ada", "cleo"]}}))
    found = export_model(run, **given).loss  # type: ignore[arg-type]
    assert found
    assert (found.people, found.strangers) == (("ben",), True)
    metrics.write_text(json.dumps({"trained_on": {"signers": ["ada", "ben", "cleo"]}}))
    found = export_model(run, **given).loss  # type: ignore[arg-type]
    assert found
    assert len(found.people) == 1  # the test's
    assert not found.strangers
    metrics.write_text("[]")
    with pytest.raises(AslkitError, match=r"metrics\.json is damaged"):
        export_model(run, format="tflite")


def test_pixels_quantised(curated: Workspace, tmp_path: Path) -> None:
    run = run_of("pixels28", "cnn-bn", tmp_path / "run")
    exported = export_model(run, format="tflite", quantize="int8", dataset=curated.dataset("custom"))
    assert exported.loss
    assert exported.loss.biggest < 0.1


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"format": "coreml"}, "Known: tflite, onnx, saved-model, page"),
        ({"format": "tflite", "quantize": "int8"}, "Name a dataset: --dataset custom"),
        ({"format": "tflite", "quantize": "int4"}, "Known: none, float16, int8"),
        ({"format": "onnx", "quantize": "float16"}, "go with --to tflite"),
        ({"format": "tflite", "dataset": Path("nothing")}, "no dataset"),
    ],
)
def test_what_cannot_be(given: dict[str, Any], words: str, landmarks: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=words):
        export_model(landmarks, into=tmp_path / "export", **given)
    assert not (tmp_path / "export").exists()


def test_nothing_is_overwritten_that_is_no_export(landmarks: Path, tmp_path: Path) -> None:
    for taken in (landmarks, landmarks.parent, landmarks / "model", Path.cwd()):
        with pytest.raises(InputError, match="--into"):
            export_model(landmarks, format="onnx", into=taken, force=True)
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "letter.txt").write_text("mine")
    with pytest.raises(AslkitError, match="--force"):
        export_model(landmarks, format="onnx", into=theirs)
    assert (theirs / "letter.txt").read_text() == "mine"
    export_model(landmarks, format="onnx", into=theirs, force=True)
    export_model(landmarks, format="onnx", into=theirs)  # an export may be replaced
    assert json.loads((theirs / MARKER_FILE).read_text())["format"] == "onnx"


@pytest.mark.parametrize(("format", "library"), [("onnx", "onnx"), ("tflite", "tensorflow"), ("saved-model", "keras")])
def test_a_missing_library_says_what_to_install(
    format: str, library: str, landmarks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(AslkitError, match=r"pip install 'aslkit\[export\]'"):
        export_model(landmarks, format=format, into=tmp_path / "export")
    assert not (tmp_path / "export").exists()


def test_a_damaged_run(tmp_path: Path) -> None:
    run = run_of("landmarks", "mlp", tmp_path / "run")
    (run / "model" / NETWORK_FILE).write_text("{}")
    with pytest.raises(AslkitError, match=r"model\.json is damaged"):
        export_model(run, format="onnx")
    assert not (run / "exports").exists()


def test_the_command(landmarks: Path, tmp_path: Path) -> None:
    given = ["export", str(landmarks), "--to", "onnx", "--into", str(tmp_path / "export"), "--json"]
    done = CliRunner().invoke(main, given)
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["to"] == str(tmp_path / "export")
    assert 0 < told["size"] < folder_size(tmp_path / "export")
    done = CliRunner().invoke(main, [*given[:-1]])
    assert "see README.md there" in done.output
    done = CliRunner().invoke(main, ["export", str(tmp_path / "none"), "--to", "onnx"])
    assert done.exit_code == 2
    assert "There is no run" in done.output


def test_every_feature_is_among_the_cases() -> None:
    assert {feature for feature, _, _ in CASES} == set(FEATURES)
