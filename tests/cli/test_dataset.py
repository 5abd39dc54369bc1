"""Tests of the `aslkit dataset` commands."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from aslkit.cli.main import main
from aslkit.datasets.info import summarise_folder
from aslkit.datasets.verify.run import verify_dataset
from tests.datasets import factories


def aslkit(*arguments: object, workspace: Path) -> Result:
    return CliRunner().invoke(main, ["dataset", *map(str, arguments), "--workspace", str(workspace)])


def error_line(result: Result, code: int) -> str:
    """Check that a command failed with an error message, and return the message."""
    assert result.exit_code == code, result.output
    lines = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
    assert len(lines) == 1, result.stderr
    assert "Traceback" not in result.output
    return lines[0]


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    return factories.dataset(tmp_path / "datasets" / "tiny")


@pytest.fixture(autouse=True)
def verify_in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Starting processes takes seconds. tests/datasets/verify/test_verify.py tests that."""
    monkeypatch.setattr(
        "aslkit.datasets.verify.run.verify_dataset", lambda folder, processes: verify_dataset(folder, processes=0)
    )


def test_info_accepts_name_and_folder(dataset: Path, tmp_path: Path) -> None:
    by_name, by_folder = aslkit("info", "tiny", workspace=tmp_path), aslkit("info", dataset, workspace=tmp_path / "no")
    assert by_name.exit_code == 0
    assert by_name.output == by_folder.output
    for text in ("46 images of 24 letters, 3 signers, 3 sessions", "2026-01-02 to 2026-01-08", "CC-BY-4.0 (46)",
                  "Split by signer, held out: cleo", "camera 0 (46)", "Rejected: blurred (2)",
                  "Note: Record more."):  # fmt: skip
        assert text in by_name.output
    values = json.loads(aslkit("info", "tiny", "--json", workspace=tmp_path).output)
    assert values["splits"]["train"]["rows"] == 30
    assert values["signers"]["cleo"]["splits"] == ["test"]
    assert values["letters"]["A"] == {"train": 2, "validation": 0, "test": 0}


def test_info_tells_what_people_reviewed(tmp_path: Path) -> None:
    rows = {name: factories.rows_of(name, 2) for name in ("train", "test")}
    summary = {"reviewed": {"keep": 3, "relabel": 1, "other": "x"}}
    factories.write(tmp_path / "datasets" / "seen", rows, summary=summary)
    assert "Reviewed by people: kept 3, relabelled 1\n" in aslkit("info", "seen", workspace=tmp_path).output


def test_list_shows_each_dataset_of_the_workspace(dataset: Path, tmp_path: Path) -> None:
    assert "There are no datasets in" in aslkit("list", workspace=tmp_path / "none").output
    factories.dataset(tmp_path / "datasets" / "other")
    lines = aslkit("list", workspace=tmp_path).output.splitlines()
    assert [line.split()[:4] for line in lines if line.split()[:1] in (["tiny"], ["other"])] == [
        ["other", "46", "24", "3"],
        ["tiny", "46", "24", "3"],
    ]
    names = [each["name"] for each in json.loads(aslkit("list", "--json", workspace=tmp_path).output)]
    assert names == ["other", "tiny"]
    next((tmp_path / "datasets" / "other" / "data").glob("train-*")).write_bytes(b"PAR1")
    result = aslkit("list", "--json", workspace=tmp_path)  # the others are listed
    assert (result.exit_code, [each["name"] for each in json.loads(result.stdout)]) == (0, ["tiny"])
    assert "Not listed: " in result.stderr
    assert "other" in result.stderr


def test_info_with_equal_letter_counts(tmp_path: Path) -> None:
    rows = [factories.row(n, "ada", label=n % 24) for n in range(48)]
    folder = factories.write(tmp_path / "d", {"train": rows, "test": factories.rows_of("test", 24)})
    assert "Images per letter: 3 of each\n" in aslkit("info", folder, workspace=tmp_path).output


def test_info_counts_augmented_copies_separately(tmp_path: Path) -> None:
    originals = factories.rows_of("train", 4)
    copies = [
        factories.row(900 + n, "ada", parent=originals[0]["sha256"], augmentation="{}", group=0) for n in range(3)
    ]
    folder = factories.write(tmp_path / "d", {"train": [*originals, *copies], "test": factories.rows_of("test", 2)})
    info = summarise_folder(folder)
    assert (info.images, info.copies) == (6, 3)
    assert (info.splits["train"].rows, info.splits["train"].copies) == (7, 3)
    assert info.signers["ada"].images == 2
    assert info.coverage == round(5 / 6, 4)


def test_output_of_hostile_dataset_is_sanitized(tmp_path: Path) -> None:
    text = "[red]\x1b[31m\x07<b>\u202e{{ 7 }}"
    rows = [factories.row(index, text, camera=text, licence=text, consent=text, session=text) for index in range(3)]
    summary = {"held_out": [text], "rejected": {text: 1}, "flagged": {text: "x"}, "split_by": text, "notes": [text]}
    factories.write(tmp_path / "datasets" / "odd", {"train": rows}, summary=summary)
    for command, code in (("info", 0), ("verify", 1)):
        result = aslkit(command, "odd", workspace=tmp_path)
        assert result.exit_code == code, result.output
        assert all(each.isprintable() or each == "\n" for each in result.output)
        assert "[red]" in result.output


def test_verify_reports_problems_and_exits_with_1(dataset: Path, tmp_path: Path) -> None:
    result = aslkit("verify", "tiny", workspace=tmp_path)
    assert result.exit_code == 0
    assert "No problems." in result.output
    factories.change(dataset, "train", lambda table: factories.with_cell(table, "label", 9, 99))
    result = aslkit("verify", "tiny", workspace=tmp_path)
    assert result.exit_code == 1
    assert "data/train-00000-of-00001.parquet row 9: label 99, not 0–25" in result.output
    values = json.loads(aslkit("verify", "tiny", "--json", workspace=tmp_path).output)
    assert values["problems"] == 1
    assert values["findings"][0]["kind"] == "label"
    assert values["findings"][0]["remedy"]


def test_verify_limits_findings_of_one_kind(dataset: Path, tmp_path: Path) -> None:
    def set_wrong_width(table: object) -> object:
        for row in range(12):
            table = factories.with_cell(table, "width", row, 1)
        return table

    factories.change(dataset, "train", set_wrong_width)
    result = aslkit("verify", "tiny", workspace=tmp_path)
    assert "Problem: size, 12×" in result.output
    assert "… and 7 more" in result.output


def test_show_without_terminal_writes_a_file(dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert aslkit("show", "tiny", workspace=tmp_path).output == "Wrote 46 images: tiny.png\n"
    with Image.open(tmp_path / "tiny.png") as image:
        assert image.format == "PNG"
    assert "J is signed with a movement" in error_line(aslkit("show", "tiny", "--letter", "j", workspace=tmp_path), 2)
    result = aslkit("show", "tiny", "--to", tmp_path / "a.html", "--json", workspace=tmp_path)
    assert json.loads(result.output) == {"to": str(tmp_path / "a.html"), "images": 46}


def test_export_and_get_round_trip(dataset: Path, tmp_path: Path) -> None:
    result = aslkit("export", "tiny", "--format", "csv28", "--to", tmp_path / "csv", "--json", workspace=tmp_path)
    assert json.loads(result.output)["rows"] == {"train": 23, "validation": 3, "test": 9}
    message = error_line(aslkit("get", "sign-mnist", "--from", tmp_path / "csv", workspace=tmp_path), 2)
    assert "--partial" in message
    result = aslkit("get", "sign-mnist", "--from", tmp_path / "csv", "--partial", workspace=tmp_path)
    assert result.exit_code == 0
    assert "train 23, test 9" in result.output
    assert aslkit("info", "sign-mnist", workspace=tmp_path).exit_code == 0


@pytest.mark.parametrize("command", ["info", "verify", "show", "show --to x.png", "export --format csv28 --to x"])
def test_missing_dataset_lists_existing_ones(command: str, dataset: Path, tmp_path: Path) -> None:
    name, *more = command.split()
    message = error_line(aslkit(name, "none", *more, workspace=tmp_path), 2)
    assert "No dataset found" in message
    assert "Existing datasets: tiny." in message
