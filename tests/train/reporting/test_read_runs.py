"""Runs: listing, comparing, evaluating on a dataset, recording their plan."""

import json
import shlex
import shutil
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from aslkit.cli.main import main
from aslkit.cli.shared.capture_options import CaptureOptions
from aslkit.core.config import load_settings
from aslkit.core.errors import AslkitError, InputError
from aslkit.core.workspace import Workspace
from aslkit.formats.prediction_metrics import HeldOutMetrics, LetterMetrics
from aslkit.formats.recording_plan import load_plan
from aslkit.formats.run_metrics import MotionMetrics, RunMetrics, read_metrics
from aslkit.train.config import TrainConfig
from aslkit.train.evaluate_run import evaluate_run
from aslkit.train.pipeline import train
from aslkit.train.reporting.environment import reproduce_command
from aslkit.train.reporting.read_runs import list_runs, read_complete_run
from aslkit.train.reporting.summary_text import describe_motion, describe_run, list_hardest
from tests.train.steps import uncompiled


@pytest.fixture(scope="module")
def trained(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Workspace with one run, `small-landmarks-mlp-1`, tested on synthetic-dan."""
    workspace = Workspace(root=tmp_path_factory.mktemp("workspace"))
    with uncompiled():
        flags = {"epochs": 3, "feature": "landmarks"}
        train(dataset, runs=workspace.runs, config=load_settings("train", TrainConfig, flags=flags))
    return workspace


@pytest.fixture
def run(trained: Workspace, tmp_path: Path) -> Path:
    """Copy of the run that a test can modify."""
    return shutil.copytree(trained.runs / "small-landmarks-mlp-1", tmp_path / "small-landmarks-mlp-1")


def aslkit(*arguments: object) -> Result:
    return CliRunner().invoke(main, [*map(str, arguments)], catch_exceptions=False)


def test_evaluate_run_reproduces_the_metrics_of_the_training(run: Path, dataset: Path) -> None:
    result = evaluate_run(run, dataset)
    trained = json.loads((run / "metrics.json").read_text())
    assert result.metrics.unseen.held_out == ["synthetic-dan"]  # the other signers were trained on
    assert result.metrics.unseen.accuracy == trained["unseen"]["accuracy"]
    assert result.metrics.rejection is not None
    assert result.metrics.rejection.threshold == trained["rejection"]["threshold"]
    names = {path.name for path in (run / "evaluations" / dataset.name).iterdir()}
    assert {"report.html", "metrics.json", "mistakes.csv", "confusion_matrix.png"} <= names
    page = (run / "evaluations" / dataset.name / "report.html").read_text()
    assert "evaluated on small" in page
    assert "random split" not in page


def test_evaluate_accepts_the_current_folder_as_dataset(
    run: Path, dataset: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (run / "evaluations" / "earlier").mkdir(parents=True)
    monkeypatch.chdir(dataset)
    assert aslkit("evaluate", run, "--dataset", ".").exit_code == 0
    assert {path.name for path in (run / "evaluations").iterdir()} == {"earlier", dataset.name}
    metrics = json.loads((run / "evaluations" / dataset.name / "metrics.json").read_text())
    assert metrics["command"].startswith(f"aslkit evaluate {run.name} --seed 0 --dataset ")


def test_evaluate_warns_about_training_signers(run: Path, dataset: Path) -> None:
    metrics = json.loads((run / "metrics.json").read_text())
    metrics["trained_on"]["signers"].append("synthetic-dan")
    (run / "metrics.json").write_text(json.dumps(metrics))
    result = aslkit("evaluate", run, "--dataset", dataset)
    assert "signers it was trained on" in result.output
    assert "optimistic" in result.output


def test_incomplete_run_is_rejected(run: Path, dataset: Path) -> None:
    (run / "model" / "preprocess.json").unlink()
    with pytest.raises(AslkitError, match=r"it has no model/preprocess\.json"):
        evaluate_run(run, dataset)
    with pytest.raises(InputError, match="There is no run"):
        read_complete_run(run / "nowhere")
    (run / "metrics.json").write_text("{")
    with pytest.raises(AslkitError, match=r"metrics\.json is damaged"):
        read_complete_run(run)


def test_model_of_another_version_is_rejected(run: Path, dataset: Path) -> None:
    contract = json.loads((run / "model" / "preprocess.json").read_text())
    path = run / "model" / "preprocess.json"
    path.write_text(json.dumps(contract | {"version": 99}))
    with pytest.raises(AslkitError, match=r"has version 99.*Train again"):
        evaluate_run(run, dataset)
    path.write_text(json.dumps(contract | {"kind": "pixels", "size": 28}))
    with pytest.raises(AslkitError, match="another version"):
        evaluate_run(run, dataset)


def test_contract_without_threshold_rejects_nothing(run: Path, dataset: Path) -> None:
    path = run / "model" / "preprocess.json"
    contract = json.loads(path.read_text())
    path.write_text(json.dumps({key: contract[key] for key in contract if key not in ("threshold", "temperature")}))
    rejection = evaluate_run(run, dataset).metrics.rejection
    assert rejection is not None
    assert rejection.letters.rejected == 0


def test_runs_lists_and_compares_runs(trained: Workspace) -> None:
    listed = aslkit("runs", "--workspace", trained.root)
    assert "small-landm" in listed.output
    rows = json.loads(aslkit("runs", "--json", "--workspace", trained.root).stdout)
    assert rows[0]["run"] == "small-landmarks-mlp-1"
    assert list(rows[0]["left_out"]) == ["synthetic-dan"]
    assert list_runs(trained.root / "nothing") == []
    compared = aslkit("runs", "small-landmarks-mlp-1", "--workspace", trained.root)
    assert "on synthetic-dan" in compared.output
    assert "aslkit runs" in aslkit("runs", "none-such", "--workspace", trained.root).output


def test_model_card_has_accuracy_and_command(run: Path) -> None:
    text = (run / "README.md").read_text()
    assert text.startswith("---\nlibrary_name: keras")
    assert "accuracy on unseen signers (synthetic): synthetic-dan" in text
    assert "correct with the confidence threshold" in text
    assert f"aslkit train --config WORKSPACE/runs/{run.name}/config.toml --dataset FOLDER/small" in text
    assert "--workspace WORKSPACE" in text  # not the path: cards are shared
    assert "trained on synthetic signers; no clips were held out to test it." in text
    assert "are not included" not in text


def test_summary_says_how_well_movements_are_read(run: Path) -> None:
    metrics = read_metrics(run)
    assert isinstance(metrics, RunMetrics)
    motion = MotionMetrics(clips=9, signers=["ada", "ben"], tested={"Z": 4, "J": 5}, right={"J": 3})
    text = describe_motion(msgspec.structs.replace(metrics, motion=motion))
    assert "trained on synthetic signers and 9 clips of ada, ben. " in text
    assert text.endswith("J 3 of 5, Z 0 of 4.")
    assert describe_motion(msgspec.structs.replace(metrics, motion=None)) == ""


@pytest.mark.parametrize(
    ("root", "dataset", "command"),
    [
        ("data", "data/datasets/custom", "--config data/runs/r-1/config.toml --dataset custom"),
        (
            "data/demo", "data/demo/datasets/demo",
            "--config data/demo/runs/r-1/config.toml --dataset demo --workspace data/demo",
        ),
        ("our club", "theirs", "--config 'our club/runs/r-1/config.toml' --dataset ./theirs --workspace 'our club'"),
        (
            "/elsewhere", "/elsewhere/datasets/custom",
            "--config WORKSPACE/runs/r-1/config.toml --dataset custom --workspace WORKSPACE",
        ),
    ],
)  # fmt: skip
def test_command_reproduces_run_in_its_workspace(
    root: str, dataset: str, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert reproduce_command(Path(dataset), "r-1", workspace=Path(root)) == f"aslkit train {command}"


def test_reproduced_run_has_the_same_metrics(dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(dataset, tmp_path / "club" / "datasets" / "small")
    options = ["--workspace", "club", "--dataset", "small", "--hold-out", "synthetic-ben"]
    with uncompiled():
        assert aslkit("train", *options, "--epochs", 1).exit_code == 0
        first = json.loads((tmp_path / "club/runs/small-both-mlp-1/metrics.json").read_text())
        assert aslkit(*shlex.split(first["command"])[1:]).exit_code == 0
    second = json.loads((tmp_path / "club/runs/small-both-mlp-2/metrics.json").read_text())
    for name in ("unseen", "random_split", "trained_on", "epochs"):
        assert second[name] == first[name]


def _write_metrics(workspace: Path, **metrics: object) -> None:
    folder = workspace / "runs" / "own-1"
    folder.mkdir(parents=True)
    (folder / "metrics.json").write_text(json.dumps(metrics))


@pytest.mark.parametrize("key", ["unseen", "same_signers"])  # "unseen" was written by earlier versions
def test_a_later_recording_of_the_same_person_is_not_called_unseen(key: str, tmp_path: Path) -> None:
    tested = {"by": "block", "held_out": ["ada"], "accuracy": 1.0, "n": 9, "per_letter": {"A": {"accuracy": 1.0}}}
    random = {"accuracy": 1.0}
    _write_metrics(tmp_path, **{key: tested}, random_split=random, trained_on={"signers": ["ada"], "letters": ["A"]})
    listed = aslkit("runs", "--workspace", tmp_path).stdout
    compared = aslkit("runs", "own-1", "--workspace", tmp_path).stdout
    row = json.loads(aslkit("runs", "--json", "--workspace", tmp_path).stdout)[0]
    assert row["tested_on"] == "same person, later recording (same session)"
    assert (row["left_out"], row["random_split"]) == ({}, None)
    assert "same person" in listed
    assert "same person, later recording" in compared
    assert "unseen" not in listed + compared
    metrics = read_metrics(tmp_path / "runs" / "own-1")
    assert isinstance(metrics, RunMetrics)
    assert metrics.to_dict()["same_signers"]["accuracy"] == 1.0
    assert "unseen" not in metrics.to_dict()
    assert list_hardest(metrics, 5) == ""
    assert describe_run(metrics).gap == ""


def test_runs_that_stopped_early_are_marked(tmp_path: Path) -> None:
    _write_metrics(tmp_path, unseen={"accuracy": 0.5, "n": 9}, stopped="Interrupted after 1 of 25 epochs.")
    result = aslkit("runs", "--workspace", tmp_path)
    assert "Note: own-1: Interrupted after 1 of 25 epochs." in result.stderr
    assert json.loads(aslkit("runs", "--json", "--workspace", tmp_path).stdout)[0]["stopped"]


def test_hardest_letters_are_those_with_wrong_predictions() -> None:
    shares = {"A": 1.0, "B": 0.5, "C": 0.9996, "D": 0.0}
    per_letter = {letter: LetterMetrics(accuracy=share, n=9) for letter, share in shares.items()}
    metrics = RunMetrics(unseen=HeldOutMetrics(by="signer", per_letter=per_letter))
    assert list_hardest(metrics, 5) == "D 0.0%, B 50.0%, C 99.9%"
    assert list_hardest(metrics, 1) == "D 0.0% and 2 more"


def _options(**given: object) -> CaptureOptions:
    names = {name: None for name in CaptureOptions.__dataclass_fields__}
    return CaptureOptions(**{**names, "source": "0", "web": False, **given})  # type: ignore[arg-type]


def test_capture_records_the_plan_of_a_run(trained: Workspace) -> None:
    plan = load_plan(trained.runs / "small-landmarks-mlp-1")
    assert plan, "three epochs are too few for a perfect model"
    options = _options(plan=Path("small-landmarks-mlp-1"), workspace=trained, signer="maria")
    letters = options.letters_to_record()
    assert set(letters) == {each.letter for each in plan if each.signer in ("", "maria")}
    with pytest.raises(InputError, match="not both"):
        _options(plan=Path("x"), letter=("A",), workspace=trained).letters_to_record()
    with pytest.raises(InputError, match="There is no run"):
        _options(plan=Path("x"), workspace=trained, signer="maria").letters_to_record()


@pytest.mark.parametrize(
    ("change", "location"),
    [
        ({"unseen": []}, "at `$.unseen`"),
        ({"unseen": {"accuracy": {}}}, "at `$.unseen.accuracy`"),
        ({"unseen": {"accuracy": 0.5, "n": "many"}}, "at `$.unseen.n`"),
        ({"unseen": {"accuracy": 0.5, "per_letter": {"A": "good"}}}, "at `$.unseen.per_letter[...]`"),
        ({"fit_s": "long"}, "at `$.fit_s`"),
        (
            {"cv": {"by": "signer", "mean": 0.5, "each": [{"n": 9}]}},
            "missing required field `name` - at `$.cv.each[0]`",
        ),
    ],
)
def test_damaged_metrics_are_reported(change: dict[str, object], location: str, tmp_path: Path) -> None:
    """Cases found by benchmarks/robustness/fuzz.py. Run folders are untrusted, and `aslkit runs` reads all of them."""
    for name, metrics in (("theirs", {"unseen": {"accuracy": 0.5}} | change), ("mine", {"unseen": {"accuracy": 0.5}})):
        (tmp_path / "runs" / name).mkdir(parents=True)
        (tmp_path / "runs" / name / "metrics.json").write_text(json.dumps(metrics))
    done = aslkit("runs", "--workspace", tmp_path)
    assert location in done.stderr
    assert "mine" in done.stdout  # a damaged run does not hide the others
    named = CliRunner().invoke(main, ["runs", "theirs", "--workspace", str(tmp_path)])
    assert (named.exit_code, type(named.exception)) == (1, SystemExit)
    assert location in named.stderr


def test_other_kinds_of_runs_are_listed(tmp_path: Path) -> None:
    (tmp_path / "runs" / "small-landmarks-mlp-1" / "checkpoints").mkdir(parents=True)
    folder = tmp_path / "runs" / "sign-mnist-benchmark-1"
    folder.mkdir()
    about = {"kind": "benchmark", "dataset": "sign-mnist", "best": {"name": "cnn"}}
    (folder / "metrics.json").write_text(json.dumps(about))
    listed = aslkit("runs", "--workspace", tmp_path).stdout
    assert "Interrupted: small-landmarks-mlp-1; resume it with the same command and --resume" in listed
    assert "Benchmark on sign-mnist: sign-mnist-benchmark-1, best model cnn" in listed
    rows = json.loads(aslkit("runs", "--json", "--workspace", tmp_path).stdout)
    assert {row["run"]: row["kind"] for row in rows} == {
        "small-landmarks-mlp-1": "interrupted", "sign-mnist-benchmark-1": "benchmark"
    }  # fmt: skip
    assert "None" not in aslkit("runs", "sign-mnist-benchmark-1", "--workspace", tmp_path).stdout
    sweep, interrupted = tmp_path / "runs" / "sign-mnist-sweep-1", tmp_path / "runs" / "sign-mnist-benchmark-2"
    for path in (sweep, interrupted):
        path.mkdir()
        (path / "results.jsonl").touch()
    (sweep / "sweep.csv").touch()
    listed = aslkit("runs", "--workspace", tmp_path).stdout
    assert "Sweep: sign-mnist-sweep-1" in listed
    assert "Interrupted: sign-mnist-benchmark-2" in listed
    (tmp_path / "runs" / "killed").mkdir()
    for arguments in (["runs", "killed"], ["evaluate", "killed", "--dataset", "x"]):
        killed = CliRunner().invoke(main, [*arguments, "--workspace", str(tmp_path)])
        assert killed.exit_code == 2
        assert "contains no results and no checkpoints" in killed.stderr


@pytest.mark.parametrize("columns", [40, 60, 80, 120])
def test_run_names_are_not_truncated(columns: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    names = ("team-of-the-deaf-club-2026-landmarks-mlp-1", "custom-landmarks-mlp-12")
    for name in names:
        (tmp_path / "runs" / name).mkdir(parents=True)
        metrics = {"unseen": {"accuracy": 0.9041, "n": 2400, "held_out": ["maria"]}, "random_split": {"accuracy": 0.99}}
        (tmp_path / "runs" / name / "metrics.json").write_text(json.dumps(metrics))
    listed = aslkit("runs", "--workspace", tmp_path).stdout
    for name in names:
        assert name in listed.split()
    assert listed.count("90.4%") == 2
    assert listed.count("maria") == 2
    assert "unseen" in listed
    assert ("2,400" in listed) is (columns == 120)


def test_control_characters_and_markup_are_not_printed(tmp_path: Path) -> None:
    name = "bob[/x]\x1b[31m"
    metrics = {"dataset": name, "unseen": {"accuracy": 0.5, "held_out": [name], "per_letter": {}}}
    (tmp_path / "runs" / "theirs").mkdir(parents=True)
    (tmp_path / "runs" / "theirs" / "metrics.json").write_text(json.dumps(metrics))
    for result in (aslkit("runs", "--workspace", tmp_path), aslkit("runs", "theirs", "--workspace", tmp_path)):
        assert "bob[/x]" in result.stdout
        assert "\x1b" not in result.stdout
