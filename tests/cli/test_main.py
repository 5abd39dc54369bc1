"""Help, exit codes and error messages of the commands."""

import errno
import json
import os
import struct
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
from click.testing import CliRunner, Result

from aslkit.cli.main import main
from aslkit.cli.output.stages import print_training_step
from aslkit.vision.images import encode_jpeg

README = Path(__file__).parents[2] / "README.md"


def aslkit(*arguments: object, workspace: Path | None = None) -> Result:
    extra = ["--workspace", str(workspace)] if workspace else []
    return CliRunner().invoke(main, [*map(str, arguments), *extra], catch_exceptions=False)


def failed(result: Result, code: int) -> str:
    """Return the error message of a failed command, which must be one line without traceback."""
    assert result.exit_code == code, result.output
    message = result.stderr.strip().splitlines()
    errors = [line for line in message if line.startswith("Error: ")]
    assert len(errors) == 1, result.stderr
    assert "Traceback" not in result.output
    return errors[0]


def photographs(folder: Path, letters: str, count: int = 3) -> Path:
    """Return different images without a hand, sufficient for everything except training."""
    rng = np.random.default_rng(0)
    for letter in letters:
        (folder / letter).mkdir(parents=True)
        for index in range(count):
            frame = np.kron(rng.integers(0, 255, (6, 8, 3)), np.ones((8, 8, 1))).astype(np.uint8)
            (folder / letter / f"{index}.jpg").write_bytes(encode_jpeg(frame))
    return folder


def png_that_claims(side: int) -> bytes:
    """Return a PNG of a hundred bytes whose header claims side × side pixels."""
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(b"0")),
        (b"IEND", b""),
    ]
    body = [
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(body)


def commands(group: click.Group = main, above: str = "") -> Iterator[str]:
    """Yield all commands, including those of groups."""
    for name, command in group.commands.items():
        yield above + name
        if isinstance(command, click.Group):
            yield from commands(command, f"{above}{name} ")


@pytest.mark.parametrize("command", [*commands()])
def test_every_command_has_help_with_an_example_and_speaks_json(command: str) -> None:
    result = aslkit(*command.split(), "--help")
    assert result.exit_code == 0
    assert f"aslkit {command}" in result.output.partition("Example:")[2]
    if command in ("dataset", "completion"):  # a group; a script
        return
    assert "--json" in result.output
    assert "--workspace" in result.output


def test_readme_names_every_command() -> None:
    text = README.read_text(encoding="utf-8")
    for command in main.commands:
        assert f"aslkit {command}" in text or f"./run {command}" in text, command


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\nfrom click.testing import CliRunner\nfrom aslkit.cli.main import main\n"
        "CliRunner().invoke(main, ['train', '--help'])\n"
        "print([name for name in ('cv2', 'keras', 'mediapipe', 'numpy', 'pyarrow', 'sklearn', 'tensorflow')"
        " if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(("letter", "says"), [("Ä", "not a letter"), ("AB", "not a")])
def test_invalid_letters_are_rejected(letter: str, says: str, tmp_path: Path) -> None:
    message = failed(aslkit("capture", "--letter", letter, workspace=tmp_path), 2)
    assert says in message
    assert "A B C D E F G H I J K L M N O P Q R S T U V W X Y Z" in message


def test_only_near_matches_of_an_option_are_suggested() -> None:
    assert "Did you mean '--source'?" in failed(aslkit("capture", "--sourc", "0"), 2)
    assert failed(aslkit("train", "--leter", "A"), 2) == "Error: No such option '--leter'."


def test_import_of_missing_or_empty_folder_fails(tmp_path: Path) -> None:
    assert "does not exist" in failed(aslkit("import", tmp_path / "none", "--signer", "maria", workspace=tmp_path), 2)
    (tmp_path / "empty").mkdir()
    message = failed(aslkit("import", tmp_path / "empty", "--signer", "maria", workspace=tmp_path), 2)
    assert "empty is empty" in message
    assert not (tmp_path / "captures").exists()


def test_import_skips_and_reports_bad_images(tmp_path: Path) -> None:
    source = photographs(tmp_path / "photos", "AB")
    whole = (source / "A" / "0.jpg").read_bytes()
    (source / "A" / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    (source / "A" / "text.jpg").write_text("not a picture")
    (source / "A" / "bomb.png").write_bytes(png_that_claims(30_000))
    (source / "J").mkdir()
    (source / "J" / "0.jpg").write_bytes(whole)
    result = aslkit("import", source, "--signer", "maria", workspace=tmp_path / "ws")
    assert result.exit_code == 0
    assert "J" in result.output
    for words in ("its sign is a movement", "not an image", "A/text.jpg", "too large (30000×30000", "A/bomb.png"):
        assert words in result.output
    curated = json.loads(aslkit("curate", "--json", workspace=tmp_path / "ws").stdout)
    assert curated["frames"] == 6
    assert curated["rejected"] == {"unreadable": 1}


def test_synthetic_prefix_is_reserved_for_synthetic_signers(tmp_path: Path) -> None:
    source = photographs(tmp_path / "photos", "A")
    failed(aslkit("import", source, "--signer", "synthetic-eve", workspace=tmp_path), 2)
    message = failed(
        aslkit("capture", "--letter", "A", "--source", "synthetic", "--signer", "eve", workspace=tmp_path), 2
    )
    assert "--signer synthetic-eve" in message


@pytest.mark.parametrize("name", ["../up", "a/b", "", "x" * 65, "<b>", "a\nb", ".hidden"])
def test_names_that_are_no_folder_names_are_rejected(name: str, tmp_path: Path) -> None:
    source = photographs(tmp_path / "photos", "A")
    failed(aslkit("import", source, "--signer", name, workspace=tmp_path / "ws"), 2)
    assert not (tmp_path / "ws").exists()


def test_missing_camera_is_reported(tmp_path: Path) -> None:
    options = ("--letter", "A", "--source", "97", "--no-preview", "--signer", "maria")
    message = failed(aslkit("capture", *options, workspace=tmp_path), 1)
    assert "Camera 97 cannot be opened" in message
    assert "--list-cameras" in message


def test_curate_without_captures_fails(tmp_path: Path) -> None:
    assert "aslkit capture" in failed(aslkit("curate", workspace=tmp_path), 1)


def test_curate_reports_single_signer_and_missing_letters(tmp_path: Path) -> None:
    source = photographs(tmp_path / "photos", "AB", count=10)
    aslkit("import", source, "--signer", "maria", workspace=tmp_path / "ws")
    result = aslkit("curate", workspace=tmp_path / "ws")
    assert result.exit_code == 0
    assert "Only one signer" in result.stderr
    assert "No training frames for C D E" in result.stderr
    assert "Split by block" in result.stdout
    assert "Next: check the images, because no hand was found in any: aslkit dataset show custom" in result.stdout


@pytest.mark.parametrize(
    ("changes", "step"),
    [
        ({}, "Next: aslkit train --dataset custom"),
        ({"coverage": 0.0}, "Next: check the images, because no hand was found in any: aslkit dataset show custom"),
        ({"train_letters": 1}, "Next: record another letter, because training needs two: aslkit capture --letter B"),
        ({"train_hands": 9}, "Next: record more frames, because training needs 10 that show a hand: aslkit capture"),
    ],
)
def test_next_step_is_training_only_if_it_would_start(
    changes: dict[str, Any], step: str, capsys: pytest.CaptureFixture[str]
) -> None:
    summary = {"coverage": 1.0, "train_letters": 2, "train_hands": 10, "letters": {"A": 10, "B": 0, "C": 5, "Y": 0}}
    print_training_step("custom", summary | changes)
    assert capsys.readouterr().out.startswith(step)


def test_holding_out_only_signer_fails(tmp_path: Path) -> None:
    source = photographs(tmp_path / "photos", "AB")
    aslkit("import", source, "--signer", "maria", workspace=tmp_path / "ws")
    message = failed(aslkit("curate", "--hold-out", "maria", workspace=tmp_path / "ws"), 2)
    assert "leaves no signer for training" in message
    assert not (tmp_path / "ws" / "datasets").exists()


def test_missing_and_damaged_datasets_are_reported(tmp_path: Path) -> None:
    assert "aslkit curate" in failed(aslkit("train", workspace=tmp_path), 2)
    source = photographs(tmp_path / "photos", "AB", count=10)
    aslkit("import", source, "--signer", "maria", workspace=tmp_path)
    aslkit("curate", workspace=tmp_path)
    path = next((tmp_path / "datasets/custom/data").glob("train-*.parquet"))
    path.write_bytes(path.read_bytes()[:-100])
    message = failed(aslkit("train", workspace=tmp_path), 1)
    assert str(path) in message
    assert "curate --rebuild" in message
    assert aslkit("curate", "--rebuild", workspace=tmp_path).exit_code == 0


def test_training_without_hands_fails(tmp_path: Path) -> None:
    source = photographs(tmp_path / "photos", "AB", count=10)
    aslkit("import", source, "--signer", "maria", workspace=tmp_path)
    aslkit("curate", workspace=tmp_path)
    assert "No hand was found" in failed(aslkit("train", workspace=tmp_path), 1)
    assert not list((tmp_path / "runs").glob("*"))


def test_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = photographs(tmp_path / "photos", "A")

    def full(*given: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(given[0]))

    monkeypatch.setattr(Path, "write_bytes", full)
    monkeypatch.setattr(os, "fsync", full)
    message = failed(aslkit("import", source, "--signer", "maria", workspace=tmp_path / "ws"), 1)
    assert "disk is full" in message
    monkeypatch.undo()
    assert not [path for path in (tmp_path / "ws").rglob("*") if path.is_file()]
    assert aslkit("import", source, "--signer", "maria", workspace=tmp_path / "ws").exit_code == 0


def test_configuration_file_is_used_and_validated(tmp_path: Path) -> None:
    source = photographs(tmp_path / "photos", "A", count=4)
    own = tmp_path / "own.toml"
    capture = ("capture", "--letter", "A", "--source", source / "A", "--signer", "maria", "--no-gate", "--config", own)
    own.write_text("[capture]\ngoal = 1\n")
    assert json.loads(aslkit(*capture, "--json", workspace=tmp_path).stdout)["stored"] == 1
    assert json.loads(aslkit(*capture, "--json", "--goal", 3, workspace=tmp_path).stdout)["stored"] == 2
    for text, says in (
        ("[capture]\ngaol = 2\n", "unknown key 'gaol'"),
        ("[captur]\n", r"unknown section [captur]"),
        ("goal = = 2", "not a TOML file"),
        ("[capture]\ngoal = 0\n", "own.toml, [capture]: goal must"),
        ("[gate]\nedge = 5\n", "own.toml, [gate]: edge must"),
        ('[capture]\nformat = "gif"\n', "jpeg, png"),
    ):
        own.write_text(text)
        assert says in failed(aslkit(*capture, workspace=tmp_path), 2)


def test_missing_configuration_file_is_reported(tmp_path: Path) -> None:
    assert "no configuration file" in failed(
        aslkit("curate", "--config", tmp_path / "x.toml", workspace=tmp_path), 1 + 1
    )


def test_workspace_from_environment_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASLKIT_WORKSPACE", str(tmp_path / "elsewhere"))
    aslkit("import", photographs(tmp_path / "photos", "A"), "--signer", "maria")
    assert len(list((tmp_path / "elsewhere/captures/maria").rglob("*.jpg"))) == 3


def test_licence_of_earlier_import_is_reused(tmp_path: Path) -> None:
    pictures = photographs(tmp_path / "in", "AB")
    bare = aslkit("import", pictures, "--signer", "bea", workspace=tmp_path)
    assert "The images of bea are private: only bea may use them." in bare.stderr
    stated = ("--licence", "CC0-1.0", "--consent", "all")
    aslkit("import", pictures, "--signer", "ada", *stated, workspace=tmp_path)
    again = aslkit("import", pictures, "--signer", "ada", "--session", "two", "--json", workspace=tmp_path)
    told = json.loads(again.stdout)
    assert (told["licence"], told["consent"]) == ("CC0-1.0", "all")
    assert again.stderr == ""
    assert failed(aslkit("import", pictures, "--signer", "Ada", workspace=tmp_path), 2).startswith(
        "Error: Signer 'ada' already exists."
    )


@pytest.mark.parametrize(
    "words",
    [
        ["curate", "--workspace", ""], ["train", "--dataset", ""], ["live", ""], ["evaluate", "", "--dataset", "x"],
        ["capture", "--letter", "A", "--source", ""], ["dataset", "info", ""],
    ],
)  # fmt: skip
def test_empty_name_is_rejected(words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(photographs(tmp_path / "in", "A") / "A")
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 2
    assert "empty" in result.stderr.lower()
    assert not Path("data").exists()
    assert not Path("captures").exists()


def test_suggested_commands_use_same_workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pictures, club = photographs(tmp_path / "in", "AB"), tmp_path / "our club"
    typed = aslkit("import", pictures, "--signer", "ada", workspace=club)
    after = aslkit("curate", "--name", "of us", workspace=club)
    assert f"Next: aslkit curate --workspace '{club}'" in typed.output.splitlines()
    assert f"dataset show 'of us' --workspace '{club}'" in after.output
    monkeypatch.setenv("ASLKIT_WORKSPACE", str(tmp_path / "another"))
    assert "Next: aslkit curate" in aslkit("import", pictures, "--signer", "ada").output.splitlines()


def test_demo_runs_all_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The demo with fewer frames and letters: every stage runs on rendered images and detected landmarks."""
    monkeypatch.setattr("aslkit.demo.FRAMES", 4)
    monkeypatch.setattr("aslkit.demo.LETTERS", ("B", "L", "Y"))
    result = aslkit("demo", workspace=tmp_path)
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert "36 frames of 3 synthetic signers" in lines[0]
    assert "on unseen signer synthetic-cleo" in lines[3]
    report = Path(lines[5].split()[-1].removeprefix("file://"))
    assert report.is_file()
    # The first of the next commands spells with the model just trained.
    assert lines[7:9] == [
        "Next:",
        f"  Spell with this model at the webcam  aslkit live --workspace {tmp_path / 'demo'}",
    ]
    metrics = json.loads((report.parent / "metrics.json").read_text())
    assert metrics["unseen"]["accuracy"] > 0.6  # three letters: 0.33 by chance


def test_usage_errors_are_clicks(tmp_path: Path) -> None:
    assert aslkit("capture", workspace=tmp_path).exit_code == click.UsageError.exit_code
    assert aslkit("nonsense").exit_code == click.UsageError.exit_code
