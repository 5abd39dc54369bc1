"""Clips with the commands `aslkit capture` and `aslkit import`."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from aslkit.cli.capture import LettersType
from aslkit.cli.main import main
from aslkit.core.errors import InputError
from aslkit.core.letters import ALPHABET, LETTERS, parse_alphabet_letters
from aslkit.formats.clips import walk_clips
from tests.capture.movies import ONE_J, render_j, write_movie


@pytest.fixture
def run(tmp_path: Path) -> Any:
    """Runs aslkit in a workspace, tmp_path/data."""

    def invoke(*arguments: object, code: int = 0) -> Result:
        options = ("--workspace", tmp_path / "data", "--signer", "maria")
        result = CliRunner().invoke(main, [*map(str, (*arguments, *options))], catch_exceptions=False)
        assert result.exit_code == code, result.output
        return result

    return invoke


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A-Z", ALPHABET), ("A-Y", LETTERS), ("J,Z", ("J", "Z")), ("i-k", ("I", "K")), ("J-L", ("J", "K", "L")),
        ("azj", ("A", "Z", "J")),
    ],
)  # fmt: skip
def test_lists_of_letters(text: str, expected: tuple[str, ...]) -> None:
    assert parse_alphabet_letters(text) == expected
    assert LettersType().convert(text, None, None) == expected


@pytest.mark.parametrize("text", ["", "A-", "Z-A", "Ä", "A-1"])
def test_other_texts_are_no_letters(text: str) -> None:
    with pytest.raises(InputError, match="letter"):
        parse_alphabet_letters(text)


def test_video_of_j_is_recorded_as_clips(run: Any, tmp_path: Path) -> None:
    video = write_movie(tmp_path / "j.mp4", render_j())
    result = run("capture", "--letter", "j", "--source", video)
    clips = list(walk_clips(tmp_path / "data" / "captures"))
    assert f"Stored {len(clips)} clips of J; maria has {len(clips)} of 20." in result.stdout
    assert "Rejected clips: straight" in result.stdout
    again = json.loads(run("capture", "--letter", "J", "--source", video, "--clip-goal", 4, "--json").stdout)
    assert (again["clips"], again["letters"], again["clip_goal"]) == ({"J": 4 - len(clips)}, {}, 4)
    assert run("capture", "--letter", "J", "--source", video, "--clip-goal", 4).stdout.startswith("Nothing was stored")


def test_negatives_are_frames_or_clips(run: Any, tmp_path: Path) -> None:
    video = write_movie(tmp_path / "wave.mp4", render_j()[ONE_J])
    frames = json.loads(run("capture", "--letter", "none", "--source", video, "--no-gate", "--json").stdout)
    assert (frames["clips"], set(frames["letters"])) == ({}, {"none"})
    clips = json.loads(run("capture", "--letter", "none", "--clips", "--source", video, "--json").stdout)
    assert (clips["clips"], clips["letters"]) == ({"none": 1}, {})


def test_import_lists_clips(run: Any, tmp_path: Path) -> None:
    source = tmp_path / "photos"
    write_movie(source / "J" / "good.mp4", render_j()[ONE_J])
    write_movie(source / "J" / "bad.mp4", render_j()[:1] * 20)
    result = run("import", source)
    assert "Imported 1 clip of J for maria, session photos." in result.stdout
    assert "Rejected clips: J/bad.mp4 at 0.0 s. Hardly any movement." in result.stdout
    assert "Imported nothing for maria, session photos." in run("import", source).stdout
    again = json.loads(run("import", source, "--json").stdout)
    assert (again["clips"], again["clips_already_there"]) == ({}, 1)
    assert [clip["reason"] for clip in again["rejected_clips"]] == ["no-movement"]


def test_synthetic_signer_draws_j(run: Any, tmp_path: Path) -> None:
    options = ("--letter", "J", "--source", "synthetic", "--count", 1, "--json", "--workspace", tmp_path / "data")
    result = CliRunner().invoke(main, ["capture", *map(str, options)], catch_exceptions=False)
    assert json.loads(result.stdout)["clips"] == {"J": 1}
