"""The commands of the tutorials work, one after the other, on rendered hands instead of a webcam."""

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from aslkit.cli.main import main
from aslkit.synthetic import Signer, SyntheticSession, render_frames
from aslkit.vision.images import encode_jpeg

DOCS = Path(__file__).parents[2] / "docs"

SKIPPED = ("./run ", ". .venv/")
"""Beginnings of commands that set up the computer. `.ci/run` executes them."""

TEAM = ("maria", "jon", "lin")
LETTERS = ("A", "B", "L", "Y")
FRAMES = 6


def read_commands(page: str) -> list[str]:
    """Return the shell commands of a page, without comments."""
    blocks = re.findall(r"^```sh\n(.*?)^```", (DOCS / page).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines() if line.strip()]
    return [line for line in lines if not line.startswith(SKIPPED)]


def run(command: str) -> None:
    words = shlex.split(command, comments=True)
    assert words[0] == "aslkit", command
    result = CliRunner().invoke(main, words[1:])
    assert result.exit_code == 0, f"{command}\n{result.output}"


def run_page(
    page: str, added: dict[str, str], monkeypatch: pytest.MonkeyPatch, club: Path = Path("/media/club")
) -> None:
    """Run the commands of a page.

    Args:
        page: name of the page.
        added: for commands that need a camera or much time, options that replace the camera or shorten them.
        monkeypatch: sets the environment variables that the page exports.
        club: the folder that the page calls /media/club.
    """
    commands = read_commands(page)
    assert set(added) < set(commands)
    for command in commands:
        if variable := re.match(r"export (\w+)=(\S+)", command):
            monkeypatch.setenv(*variable.groups())
            continue
        run(f"{command.replace('/media/club', str(club)).partition(' #')[0]} {added.get(command, '')}")


def write_photos(folder: Path, signer: str) -> None:
    """Write photos of a synthetic signer under an ordinary name: FOLDER/LETTER/0.jpg, …"""
    who = Signer.draw(f"synthetic-{signer}")
    for letter in LETTERS:
        (folder / letter).mkdir(parents=True)
        session = SyntheticSession.draw(who, "one")
        stream = render_frames(letter, signer=who, session=session, width=240, height=180, fps=1.0)
        for number in range(FRAMES):
            (folder / letter / f"{number}.jpg").write_bytes(encode_jpeg(next(stream).image))


def test_one_letter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_photos(tmp_path / "photos", "maria")
    run_page(
        "tutorial-one-letter.md",
        {"aslkit capture --letter A --signer maria": "--source photos/A --no-preview --yes"},
        monkeypatch,
    )
    assert (tmp_path / "letters.png").is_file()
    assert (tmp_path / "data/datasets/custom/report.html").is_file()


def test_team(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for signer in TEAM:
        write_photos(tmp_path / signer, signer)
    (tmp_path / "photos").symlink_to("maria")
    share_others(tmp_path)
    run_page(
        "tutorial-team.md",
        {
            "aslkit capture --letters A-Y --signer maria": "--letters A --source photos/A --no-preview --yes",
            "aslkit train --dataset team --cv signer": "--epochs 1",
            "aslkit exam team-both-mlp-1 --signer sam": "--source photos --letters A,B",
        },
        monkeypatch,
        club=tmp_path / "media",
    )
    assert (tmp_path / "club/runs/team-both-mlp-1/report.html").is_file()


def share_others(folder: Path) -> None:
    """Do in other workspaces what Jon and Lin do on their computers."""
    for signer in TEAM[1:]:
        for command in (
            f"import {folder / signer} --signer {signer} --licence CC-BY-4.0",
            f"curate --dataset {signer}",
            f"dataset push {signer} {folder / 'media' / signer} --crop",
        ):
            run(f"aslkit {command} --workspace {folder / 'home' / signer}")
