"""Options without effect are rejected first, but only if they were given."""

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from aslkit.cli.main import main
from aslkit.cli.shared.option_conflicts import reject_options


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("live --web --source 1", "--source cannot be combined with --web."),
        ("live --web --letter B", "--letter cannot be combined with --web."),
        ("live --web --limit-s 5", "--limit-s cannot be combined with --web."),
        ("live --web --no-preview", "--no-preview cannot be combined with --web."),
        ("live --web --preview", "--preview cannot be combined with --web."),
        ("live --host 0.0.0.0", "--host requires --web."),
        ("live --port 9000", "--port requires --web."),
        ("live --letter B", "--letter requires --source synthetic."),
        ("capture --web --source nowhere", "--source cannot be combined with --web."),
        ("capture --web --preview", "--preview cannot be combined with --web."),
        ("capture --letter A --certificate own.pem", "--certificate requires --web."),
        ("capture --letter A --key own.pem", "--key requires --web."),
        ("curate --renumbered", "--renumbered requires --audit."),
        ("curate --audit custom --hold-out maria", "--hold-out cannot be combined with --audit."),
        ("curate --audit custom --restore blurred", "--restore cannot be combined with --audit."),
        ("curate --audit custom --augment none", "--augment cannot be combined with --audit."),
        ("curate --audit custom --engine local", "--engine cannot be combined with --audit."),
        ("curate --audit custom --name mine", "--dataset cannot be combined with --audit."),
        ("exam --source 0 --letter A --letters A-Y", "--letters cannot be combined with --letter."),
        ("exam --source . --no-preview", "--no-preview requires a camera."),
        ("exam --source . --rest-s 2", "--rest-s requires a camera."),
    ],
)
def test_options_without_effect_are_rejected(command: str, says: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(main, [*command.split(), "--workspace", str(tmp_path / "none")])
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1] == f"Error: {says}"
    assert not (tmp_path / "none").exists()


def test_defaults_never_conflict(monkeypatch: pytest.MonkeyPatch) -> None:
    @click.command()
    @click.option("--source", default="0", envvar="SOURCE")
    @click.option("--preview/--no-preview", default=False)
    def show(source: str, preview: bool) -> None:
        reject_options(("source", "preview"), "cannot be combined with --web")

    monkeypatch.setenv("SOURCE", "1")
    assert CliRunner().invoke(show).exit_code == 0
    assert CliRunner().invoke(show, ["--source", "0"]).exit_code == 2
