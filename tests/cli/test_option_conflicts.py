"""Options that would change nothing are refused before anything is done, and only where they were typed."""

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from aslkit.cli.main import main
from aslkit.cli.shared.option_conflicts import reject_options


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("live --web --source 1", "--source does not go with --web."),
        ("live --web --letter B", "--letter does not go with --web."),
        ("live --web --limit-s 5", "--limit-s does not go with --web."),
        ("live --web --no-preview", "--no-preview does not go with --web."),
        ("live --web --preview", "--preview does not go with --web."),
        ("live --host 0.0.0.0", "--host goes with --web."),
        ("live --port 9000", "--port goes with --web."),
        ("live --letter B", "--letter goes with --source synthetic."),
        ("capture --web --source nowhere", "--source does not go with --web."),
        ("capture --web --preview", "--preview does not go with --web."),
        ("capture --letter A --certificate own.pem", "--certificate goes with --web."),
        ("capture --letter A --key own.pem", "--key goes with --web."),
        ("curate --renumbered", "--renumbered goes with --audit."),
        ("curate --audit custom --hold-out maria", "--hold-out does not go with --audit."),
        ("curate --audit custom --restore blurred", "--restore does not go with --audit."),
        ("curate --audit custom --augment none", "--augment does not go with --audit."),
        ("curate --audit custom --engine local", "--engine does not go with --audit."),
        ("curate --audit custom --name mine", "--name does not go with --audit."),
        ("exam --source 0 --letter A --letters A-Y", "--letters does not go with --letter."),
        ("exam --source . --no-preview", "--no-preview goes with a camera."),
        ("exam --source . --rest-s 2", "--rest-s goes with a camera."),
    ],
)
def test_what_would_have_no_effect_is_refused(command: str, says: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(main, [*command.split(), "--workspace", str(tmp_path / "none")])
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1] == f"Error: {says}"
    assert not (tmp_path / "none").exists()


def test_what_nobody_typed_is_no_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    @click.command()
    @click.option("--source", default="0", envvar="SOURCE")
    @click.option("--preview/--no-preview", default=False)
    def show(source: str, preview: bool) -> None:
        reject_options(("source", "preview"), "does not go with --web")

    monkeypatch.setenv("SOURCE", "1")
    assert CliRunner().invoke(show).exit_code == 0
    assert CliRunner().invoke(show, ["--source", "0"]).exit_code == 2
