"""Frames recorded without a letter: stored apart, passed over by curation, asked about by training."""

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
    """Three pictures of a hand, recorded by ada as no letter."""
    root = tmp_path_factory.mktemp("none")
    source = root / "pictures"
    source.mkdir()
    who = Signer.draw("synthetic-ada")
    stream = render_frames("L", signer=who, session=SyntheticSession.draw(who, "one"), width=240, height=180, fps=1.0)
    for number in range(3):
        (source / f"{number}.png").write_bytes(encode_png(next(stream).image))
    options = ("--signer", "ada", "--yes", "--no-gate", "--no-preview", "--workspace", str(root))
    arguments = ("capture", "--letter", "none", "--source", str(source), *options)
    done = CliRunner().invoke(main, arguments, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return root / "captures"


def test_they_lie_apart_and_are_no_frames_of_a_dataset(captures: Path) -> None:
    assert len(list(captures.glob("ada/*/none/*.jpg"))) == 3
    assert list(walk_captures(captures)) == []


@pytest.mark.parametrize("contract", [PreprocessConfig(kind="landmarks"), PreprocessConfig(kind="pixels", size=28)])
def test_they_are_read_as_the_feature_wants_them(captures: Path, contract: PreprocessConfig) -> None:
    found = load_recorded_negatives(captures, contract)
    assert list(found) == ["ada"]
    assert found["ada"].shape == (3, *((21, 3) if contract.kind == "landmarks" else contract.shape))
    assert negatives_of_signers(found, {"ben"}) is None
    assert negatives_of_signers(found, {"ada", "ben"}) is not None


@pytest.mark.parametrize(
    "change",
    [{"landmarks": []}, {"landmarks": [0.5] * 5}, {"landmarks": "x"}, {"hand": 5}, {"width": None}, {"file": 5}],
    ids=str,
)
@pytest.mark.parametrize("contract", [PreprocessConfig(kind="landmarks"), PreprocessConfig(kind="pixels", size=28)])
def test_a_broken_line_of_the_index_is_passed_over(
    captures: Path, tmp_path: Path, contract: PreprocessConfig, change: dict[str, Any]
) -> None:
    shutil.copytree(captures, tmp_path / "captures")
    index = next(tmp_path.glob("captures/ada/*/frames.jsonl"))
    first, *others = index.read_text().splitlines()
    index.write_text("\n".join([json.dumps(json.loads(first) | change), *others, "{", ""]))
    assert len(load_recorded_negatives(tmp_path / "captures", contract)["ada"]) == 2


def test_a_page_and_a_drawn_signer_have_none(tmp_path: Path) -> None:
    arguments = ("capture", "--letter", "none", "--source", "synthetic", "--workspace", str(tmp_path))
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 2
    assert "in a window, or from a video" in done.output
