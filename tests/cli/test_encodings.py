"""Terminals whose encoding is not UTF-8 show all output, with similar characters for those that they lack."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np
import pytest
from click.testing import CliRunner, Result

from aslkit.cli.main import main
from aslkit.vision.images import encode_jpeg

ENCODINGS = ("latin-1", "cp437", "cp850", "cp1252", "koi8-r", "shift_jis", "ascii")


def run(encoding: str, *arguments: object) -> Result:
    # An encoding error is an exception here, as it is on a terminal.
    return CliRunner(charset=encoding).invoke(main, [*map(str, arguments)], catch_exceptions=False)


def commands(group: click.Group = main) -> Iterator[list[str]]:
    """Yield all commands, including groups."""
    yield []
    for name, command in group.commands.items():
        yield from ([name, *rest] for rest in (commands(command) if isinstance(command, click.Group) else [[]]))


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_help_of_every_command(encoding: str) -> None:
    for words in commands():
        result = run(encoding, *words, "--help")
        assert result.exit_code == 0
        assert "Usage:" in result.output


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_output_with_names_in_other_scripts(encoding: str, tmp_path: Path) -> None:
    (tmp_path / "फ़ोटो" / "A").mkdir(parents=True)
    frame = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    (tmp_path / "फ़ोटो" / "A" / "1.jpg").write_bytes(encode_jpeg(frame))
    workspace = ("--workspace", tmp_path / "ws é … प्रिया")
    for signer in ("प्रिया", "José"):
        result = run(encoding, "import", tmp_path / "फ़ोटो", "--signer", signer, *workspace)
        assert result.exit_code == 0
        assert "Imported 1 frame of 1 letter for " in result.output
    as_json = run(encoding, "import", tmp_path / "फ़ोटो", "--signer", "प्रिया", "--json", *workspace)
    assert json.loads(as_json.stdout)["signer"] == "प्रिया"
    assert run(encoding, "import", tmp_path / "→", "--signer", "x", *workspace).exit_code == 2
    assert run(encoding, "runs", *workspace).exit_code == 0
    assert run(encoding, "doctor", *workspace).exit_code in (0, 1)


@pytest.mark.parametrize(
    ("encoding", "text", "shown"),
    [
        ("latin-1", "1–64 × “é” → …", '1-64 × "é" -> ...'),
        ("cp437", "1–64 × “é” → …", '1-64 x "é" -> ...'),
        ("koi8-r", "Zoë’s Ⅳ", "Zoe's IV"),
        ("shift_jis", "é × 手 प", "e × 手 ?"),
        ("utf-8", "प्रिया \udcff", "प्रिया ?"),
    ],
)
def test_similar_characters_are_shown(encoding: str, text: str, shown: str) -> None:
    @main.command("say")
    def say() -> None:
        click.echo(text)
        click.echo(text, err=True)

    try:
        result = run(encoding, "say")
    finally:
        del main.commands["say"]
    assert result.stdout == result.stderr == f"{shown}\n"


def test_installed_command() -> None:
    script = Path(sys.executable).with_name("aslkit")
    done = subprocess.run(
        [script, "curate", "--help"], env=os.environ | {"PYTHONIOENCODING": "latin-1"}, capture_output=True, check=True
    )
    assert done.stdout.startswith(b"Usage: aslkit curate")
