"""Frames recorded without a letter: stored separately, skipped by curation, read by training."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from aslkit.cli.main import main
from aslkit.formats.captures import walk_captures
from aslkit.synthetic import Signer, SyntheticSession, render_frames
from aslkit.train.data.recorded_negatives import load_recorded_negatives, negatives_of_signers
from aslkit.vision.images import encode_png
from aslkit.vision.preprocess import PreprocessConfig


@pytest.fixture(scope="module")
def captures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Captures folder with three frames of signer ada without a letter."""
    root = tmp_path_factory.mktemp("none")
    source = root / "images"
    source.mkdir()
    signer = Signer.draw("synthetic-ada")
    session = SyntheticSession.draw(signer, "one")
    stream = render_frames("L", signer=signer, session=session, width=240, height=180, fps=1.0)
    for number in range(3):
        (source / f"{number}.png").write_bytes(encode_png(next(stream).image))
    options = ("--signer", "ada", "--yes", "--no-gate", "--no-preview", "--workspace", str(root))
    arguments = ("capture", "--letter", "none", "--source", str(source), *options)
    done = CliRunner().invoke(main, arguments, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return root / "captures"


def test_negatives_are_stored_separately_and_not_curated(captures: Path) -> None:
    assert len(list(captures.glob("ada/*/none/*.jpg"))) == 3
    assert list(walk_captures(captures)) == []


@pytest.mark.parametrize("contract", [PreprocessConfig(kind="landmarks"), PreprocessConfig(kind="pixels", size=28)])
def test_load_recorded_negatives_returns_hands_for_the_feature(captures: Path, contract: PreprocessConfig) -> None:
    negatives = load_recorded_negatives(captures, contract)
    assert list(negatives) == ["ada"]
    assert negatives["ada"].shape == (3, *((21, 3) if contract.kind == "landmarks" else contract.shape))
    assert negatives_of_signers(negatives, {"ben"}) is None
    assert negatives_of_signers(negatives, {"ada", "ben"}) is not None


@pytest.mark.parametrize(
    "change",
    [{"landmarks": []}, {"landmarks": [0.5] * 5}, {"landmarks": "x"}, {"hand": 5}, {"width": None}, {"file": 5}],
    ids=str,
)
@pytest.mark.parametrize("contract", [PreprocessConfig(kind="landmarks"), PreprocessConfig(kind="pixels", size=28)])
def test_load_recorded_negatives_skips_damaged_index_lines(
    captures: Path, tmp_path: Path, contract: PreprocessConfig, change: dict[str, Any]
) -> None:
    shutil.copytree(captures, tmp_path / "captures")
    index = next(tmp_path.glob("captures/ada/*/frames.jsonl"))
    first, *others = index.read_text().splitlines()
    index.write_text("\n".join([json.dumps(json.loads(first) | change), *others, "{", ""]))
    assert len(load_recorded_negatives(tmp_path / "captures", contract)["ada"]) == 2


def test_negatives_cannot_be_recorded_from_a_synthetic_source(tmp_path: Path) -> None:
    arguments = ("capture", "--letter", "none", "--source", "synthetic", "--workspace", str(tmp_path))
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 2
    assert "Use a camera, or a video" in done.output
