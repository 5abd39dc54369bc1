"""The starter model: complete, small, credited, and used where no other model is named."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from aslkit.cli.main import main
from aslkit.core.files import folder_size
from aslkit.core.letters import LETTERS
from aslkit.core.workspace import Workspace
from aslkit.formats.run_metrics import read_training_signers
from aslkit.inference.starter import STARTER_RUN, load_starter
from aslkit.train.build_starter import CREDITS_FILE, read_credits


def aslkit(*arguments: object) -> Result:
    return CliRunner().invoke(main, [*map(str, arguments)], catch_exceptions=False)


@pytest.fixture
def before() -> dict[str, float]:
    return {str(path): path.stat().st_mtime for path in STARTER_RUN.rglob("*")}


def test_starter_is_small_and_has_all_letters() -> None:
    _, contract = load_starter()
    assert contract.letters == LETTERS
    assert 0.5 <= contract.threshold <= 0.95
    assert folder_size(STARTER_RUN) < 5_000_000


def test_card_credits_everybody_it_was_trained_on() -> None:
    credits = read_credits(STARTER_RUN / CREDITS_FILE)
    assert {each.signer for each in credits} == read_training_signers(STARTER_RUN)
    card = (STARTER_RUN / "README.md").read_text(encoding="utf-8")
    for each in credits:
        assert each.source in card
        assert each.licence in ("MIT", "public domain")


def test_live_and_exam_use_the_starter_before_anything_is_trained(real_data: Path, tmp_path: Path) -> None:
    done = aslkit("live", "--source", real_data / "webcam-A-B-C.avi", "--no-preview", "--workspace", tmp_path)
    assert done.exit_code == 0, done.output
    assert "Model: starter" in done.stderr
    assert done.stdout.strip().splitlines()[-1] == "ABC"
    photographs = tmp_path / "photographs" / "B"
    photographs.mkdir(parents=True)
    (photographs / "0.jpg").write_bytes((real_data / "captures/rahman/B/0000.jpg").read_bytes())
    exam = aslkit("exam", "--source", photographs.parent, "--json", "--workspace", tmp_path)
    assert exam.exit_code == 0, exam.output
    assert json.loads(exam.stdout)["run"] == "starter"


def test_starter_can_be_evaluated_and_exported(workspace: Workspace, before: dict[str, float]) -> None:
    root = workspace.root
    done = aslkit("evaluate", "--dataset", "custom", "--json", "--workspace", root)
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["unseen"]["held_out"] == ["ada", "ben", "cleo"]
    assert (root / "starter/evaluations/custom/report.html").is_file()
    exported = aslkit("export", "starter", "--to", "onnx", "--workspace", root)
    assert exported.exit_code == 0, exported.output
    assert (root / "starter/exports/onnx/model.onnx").is_file()
    # The installed package is not written to.
    assert {str(path): path.stat().st_mtime for path in STARTER_RUN.rglob("*")} == before
