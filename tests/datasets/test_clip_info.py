"""Statistics, card and contact sheet of datasets with clips."""

import re
from pathlib import Path

import numpy as np
import pytest
import yaml  # type: ignore[import-untyped]
from click.testing import CliRunner

from aslkit.cli.main import main
from aslkit.core.errors import InputError
from aslkit.datasets.contact_sheet.select import select_tiles
from aslkit.datasets.info import summarise_folder
from tests.datasets import factories


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return factories.dataset_with_clips(tmp_path / "moving")


@pytest.fixture
def only_clips(tmp_path: Path) -> Path:
    rows = {
        "train": [*factories.clip_rows(100, "ada", "1"), *factories.clip_rows(200, "ada", "2", letter="Z")],
        "test": factories.clip_rows(300, "cleo", "1"),
    }
    return factories.write(tmp_path / "clips", rows)


def test_clips_are_counted_apart_from_images(folder: Path) -> None:
    info = summarise_folder(folder)
    assert info.images == 36
    assert sum(sum(counts.values()) for counts in info.letters.values()) == 36
    assert {name: split.rows for name, split in info.splits.items()} == {"train": 20, "validation": 20, "test": 20}
    assert info.clips["letters"] == {"J": 3, "Z": 3}
    assert info.clips["signers"]["ada"] == {"J": 1, "Z": 1}
    assert info.clips["splits"]["test"] == {"J": 1, "Z": 1}
    assert {name: signer.clips for name, signer in info.signers.items()} == {"ada": 2, "ben": 2, "cleo": 2}
    assert info.licences == {"CC-BY-4.0": 60}


def test_info_of_only_clips(only_clips: Path) -> None:
    info = summarise_folder(only_clips)
    assert (info.images, info.clips["count"], info.groups) == (0, 3, 0)
    assert set(info.signers) == {"ada", "cleo"}


def test_info_of_version_1(tmp_path: Path) -> None:
    folder = factories.dataset(tmp_path / "old", train=12, validation=2, test=4)
    before = summarise_folder(folder)
    after = summarise_folder(factories.to_version_1(folder))
    assert (before.images, before.letters, before.signers, before.clips) == (
        after.images, after.letters, after.signers, {},
    )  # fmt: skip


def test_card_counts_clips(folder: Path) -> None:
    text = (folder / "README.md").read_text()
    assert "36 images of the 24 static letters" in text
    assert "6 clips (J 3, Z 3)" in text
    assert "without J and Z" not in text
    assert "no J or Z" not in text
    assert "| ada | 1 | 1 |" in text
    assert "| in test | 1 | 1 |" in text
    front = yaml.safe_load(text.split("---\n", 2)[1])
    assert front["task_categories"] == ["image-classification", "video-classification"]
    columns = {feature["name"]: feature["dtype"] for feature in front["dataset_info"]["features"] if "dtype" in feature}
    assert (columns["clip"], columns["time_ms"]) == ("string", "int32")


def test_card_of_only_clips(only_clips: Path) -> None:
    text = (only_clips / "README.md").read_text()
    assert "3 clips (J 2, Z 1) of the ASL fingerspelling alphabet" in text
    assert "0 images" not in text


def test_contact_sheet_leaves_out_clips(folder: Path) -> None:
    sheet = select_tiles(folder, count=4, rng=np.random.default_rng(0))
    assert sheet.total == 36
    assert not set(sheet.letters) & {"J", "Z"}


def test_contact_sheet_of_only_clips_says_why_it_is_empty(only_clips: Path) -> None:
    with pytest.raises(InputError, match=r"No image found\. The frames of clips are not shown\."):
        select_tiles(only_clips, count=4, rng=np.random.default_rng(0))


def test_commands_say_how_many_clips_there_are(folder: Path, only_clips: Path, tmp_path: Path) -> None:
    workspace = ("--workspace", str(tmp_path / "workspace"))
    output = CliRunner().invoke(main, ["dataset", "info", str(folder), *workspace]).output
    assert "36 images of 24 letters, 6 clips (J 3, Z 3), 3 signers" in output
    assert re.search(r"in test +1 +1", output)
    assert re.search(r"signer +images +clips +sessions +letters", output)
    output = CliRunner().invoke(main, ["dataset", "info", str(only_clips), *workspace]).output
    assert "0 images of 0 letters, 3 clips (J 2, Z 1)" in output
    assert "No images of:" not in output
    sheet = tmp_path / "sheet.png"
    output = CliRunner().invoke(main, ["dataset", "show", str(folder), "--to", str(sheet), *workspace]).output
    assert "6 clips of letters with a movement: not shown" in output
    assert CliRunner().invoke(main, ["dataset", "verify", str(folder), *workspace]).exit_code == 0
    arguments = ["dataset", "merge", str(folder), str(folder), "--to", "ours", *workspace]
    output = CliRunner().invoke(main, arguments).output
    assert re.search(r"cleo +1 +1", output)
