"""The `aslkit benchmark` command, and `aslkit train` on a published split."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from aslkit.cli import benchmark as cli_benchmark
from aslkit.cli.main import main
from aslkit.core.errors import AslkitError
from aslkit.train.benchmark.model_trial import BenchmarkSettings
from tests.train import published

TINY = f"{published.RECIPE}epochs = 1\n"


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.toml"
    path.write_text(TINY)
    return path


def aslkit(*arguments: object, workspace: Path) -> Result:
    return CliRunner().invoke(main, ["train", *map(str, arguments), "--workspace", str(workspace)])


def test_leaderboard_in_terminal_and_json(sign_mnist: Path, recipe: Path, tmp_path: Path) -> None:
    asked = ("--dataset", sign_mnist, "--config", recipe, "--ranks", 1)
    shown = aslkit(*asked, workspace=tmp_path)
    assert shown.exit_code == 0, shown.output
    assert "official test" in shown.output
    assert "small" in shown.output
    assert "leaks" in shown.output
    assert (tmp_path / "runs" / "sign-mnist-benchmark-1" / "leaderboard.md").exists()
    again = aslkit(*asked, "--resume", "sign-mnist-benchmark-1", "--json", workspace=tmp_path)
    values = json.loads(again.stdout)
    assert values["folder"].endswith("sign-mnist-benchmark-1")
    assert values["models"][0]["official_test"]["n"] == 384
    assert not (tmp_path / "runs" / "sign-mnist-benchmark-2").exists()


def test_deterministic_runs_are_identical(sign_mnist: Path, recipe: Path, tmp_path: Path) -> None:
    curves = []
    for _ in range(2):
        done = aslkit("--dataset", sign_mnist, "--config", recipe, "--deterministic", "--json", workspace=tmp_path)
        (entry,) = json.loads(done.stdout)["models"]
        assert entry["ranks"] == 1
        curves.append([{key: value for key, value in row.items() if key != "seconds"} for row in entry["history"]])
    assert curves[0] == curves[1]


def test_sweep_in_terminal(sign_mnist: Path, recipe: Path, tmp_path: Path) -> None:
    recipe.write_text(TINY + "[models.small.grid]\nlearning_rate = [0.001, 0.01]\n")
    done = aslkit("--dataset", sign_mnist, "--sweep", recipe, "--ranks", 1, workspace=tmp_path)
    assert done.exit_code == 0, done.output
    assert "learning_rate=0.01" in done.output
    assert (tmp_path / "runs" / "sign-mnist-sweep-1" / "sweep.csv").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--hold-out", "maria"], "--hold-out has no effect on the benchmark"),
        (["--epochs", "3"], "--epochs has no effect on the benchmark"),
        (["--one-hand"], "--one-hand has no effect on the benchmark"),
        (["--both-hands"], "--both-hands has no effect on the benchmark"),
        (["--no-synthetic"], "--no-synthetic has no effect on the benchmark"),
        (["--feature", "landmarks"], "The benchmark has no model landmarks. It has: "),
        (["--config", "nowhere.toml"], "no configuration file nowhere.toml"),
        (["--sweep", "nowhere.toml"], "no configuration file nowhere.toml"),
        (["--sweep", "reference-grid", "--seed", "3"], "--seed cannot be combined with --sweep"),
        (["--resume", "nothing"], "There is no run"),
        (["--deterministic", "--ranks", "2"], "--deterministic needs --ranks 1"),
        (["--ranks", "0"], "--ranks"),
    ],
)
def test_invalid_options_are_rejected_before_training(
    arguments: list[str], said: str, sign_mnist: Path, tmp_path: Path
) -> None:
    failed = aslkit("--dataset", sign_mnist, *arguments, workspace=tmp_path)
    assert failed.exit_code == 2
    assert said in " ".join(failed.output.split())
    assert not (tmp_path / "runs").exists()


def test_resume_requires_a_benchmark(sign_mnist: Path, tmp_path: Path) -> None:
    (tmp_path / "captures" / "maria").mkdir(parents=True)
    failed = aslkit("--dataset", sign_mnist, "--resume", tmp_path / "captures", workspace=tmp_path)
    assert failed.exit_code == 2
    assert "is not an interrupted benchmark" in failed.output
    assert [path.name for path in (tmp_path / "captures").iterdir()] == ["maria"]


@pytest.mark.parametrize("after", [True, False])
@pytest.mark.parametrize("error", [KeyboardInterrupt(), AslkitError("Java heap space.")])
def test_interrupted_benchmark_prints_resume_command(
    error: BaseException, after: bool, sign_mnist: Path, recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ends(task: object, recipe: object, images: object, setting: BenchmarkSettings, *others: object) -> None:
        if after:
            (setting.folder / "checkpoints").mkdir()
        raise error

    monkeypatch.setattr("aslkit.train.benchmark.run._run_task", ends)
    stopped = aslkit("--dataset", sign_mnist, "--config", recipe, "--ranks", 1, workspace=tmp_path)
    assert stopped.exit_code == 1
    assert ("--resume sign-mnist-benchmark-1" in stopped.output) is after
    assert (tmp_path / "runs" / "sign-mnist-benchmark-1").exists() is after


def test_benchmark_options_are_rejected_for_other_datasets(dataset: Path, tmp_path: Path) -> None:
    failed = aslkit("--dataset", dataset, "--sweep", "reference-grid", workspace=tmp_path)
    assert failed.exit_code == 2
    assert "--sweep requires a dataset with a published split" in " ".join(failed.output.split())


def test_master_without_ranks_is_rejected(dataset: Path, tmp_path: Path) -> None:
    failed = aslkit("--dataset", dataset, "--master", "spark://head:7077", workspace=tmp_path)
    assert failed.exit_code == 2
    assert "--master needs --ranks 2 or more" in " ".join(failed.output.split())


def test_missing_sign_mnist_is_downloaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(folder: Path) -> None:
        raise AslkitError(f"cannot be reached for {folder.name}")

    monkeypatch.setattr("aslkit.datasets.sign_mnist.fetch.fetch_sign_mnist", unreachable)
    failed = aslkit("--dataset", "sign-mnist", workspace=tmp_path)
    assert failed.exit_code == 1
    assert "cannot be reached for sign-mnist" in failed.output


def test_resume_command_contains_all_options(sign_mnist: Path, tmp_path: Path) -> None:
    from aslkit.core.workspace import Workspace

    asked = cli_benchmark.BenchmarkRequest(
        dataset="sign-mnist", folder=sign_mnist, workspace=Workspace(root=tmp_path), config="reference", feature=None,
        architecture="cnn", seed=4, ranks=2, master=None, checkpoints=None, deterministic=False, resume=None,
        sweep=None, as_json=False,
    )  # fmt: skip
    command = cli_benchmark.resume_command(asked, tmp_path / "runs" / "one")
    for part in (
        "--dataset sign-mnist",
        "--config reference",
        "--architecture cnn",
        "--seed 4",
        "--ranks 2",
        "--resume one",
    ):
        assert part in command
    assert "--master" not in command
