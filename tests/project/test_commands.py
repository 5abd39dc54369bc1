"""docs/commands.md is up to date, and commands and links in the documentation exist."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from aslkit.cli.main import main
from aslkit.cli.reference import render_reference

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]

_FENCED = re.compile(r"^```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)
_INDENTED = re.compile(r"(?:(?<=\n\n)|\A)((?: {4}\S.*\n)+)")
_INLINE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
_RUN = ("demo", "test", "check", "bench", "setup")


def extract_commands(text: str) -> Iterator[tuple[str, bool]]:
    """Yield each `aslkit …` or `./run …` of a page, and whether it is in a code block or in a sentence."""
    blocks = [*_FENCED.findall(text), *_INDENTED.findall(text)]
    for block in blocks:
        for line in block.replace("\\\n", " ").splitlines():
            command = line.strip().removeprefix("$ ")
            if command.startswith(("aslkit ", "./run ")):
                yield command, True
    for span in _INLINE.findall(_FENCED.sub("", text)):
        if span.startswith(("aslkit ", "./run ")):
            yield span, False


def check(command: str, *, whole: bool) -> None:
    """Raise click's error if the command, an option or a value does not exist."""
    words = shlex.split(command, comments=True)
    words = words[: next((n for n, word in enumerate(words) if word in ("|", ">", ">>", "&&")), None)]
    if not whole:  # `--to tflite|onnx`: the first
        words = [word.partition("|")[0] for word in words if word != "…"]
    if words[:2] == ["./run", "aslkit"]:
        words = words[1:]
    if words[0] == "./run":
        assert not set(words[1].split("|")) - set(_RUN), command
    elif not {"COMMAND", "[OPTIONS]"} & set(words):
        _parse(click.Context(main, info_name="aslkit", **main.context_settings), words[1:], whole=whole)


def _parse(above: click.Context, words: list[str], *, whole: bool) -> None:
    name, *rest = words
    if name.startswith("-"):
        assert name in ("--help", "--version", "-h")
        return
    assert isinstance(above.command, click.Group)
    command = above.command.get_command(above, name)
    assert command is not None, f"no command {name}"
    if isinstance(command, click.Group):
        if rest or whole:
            _parse(click.Context(command, info_name=name, parent=above), rest, whole=whole)
    elif whole or any(not word.startswith("--") for word in rest):
        try:
            command.make_context(name, [*rest], parent=above, resilient_parsing="--help" in rest)
        except click.BadParameter:
            if whole or not any(word.isupper() and len(word) > 1 for word in rest):  # `--to FORMAT`
                raise
    else:  # only named: an option may stand without its value, an argument be left out
        known = {each for param in command.params for each in (*param.opts, *param.secondary_opts)}
        assert not set(rest) - known - {"--help"}, f"no option {set(rest) - known} of {name}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_in_documentation_exist(page: Path) -> None:
    wrong = []
    for command, whole in extract_commands(page.read_text(encoding="utf-8")):
        try:
            check(command, whole=whole)
        except (click.ClickException, AssertionError, ValueError) as error:
            wrong.append(f"{command}: {error.message if isinstance(error, click.ClickException) else error}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("command", "wrong"),
    [
        ("aslkit capture --letter A --source clip.mp4", False),
        ("aslkit capture --leter A", True),
        ("aslkit record --letter A", True),
        ("aslkit capture --letter 1", True),
        ("aslkit dataset fetch custom", True),
        ("aslkit export custom-both-mlp-1", True),  # without a run
        ("aslkit train --cv person", True),
        ("./run demonstrate", True),
    ],
)
def test_invalid_commands_are_detected(command: str, wrong: bool) -> None:
    if wrong:
        with pytest.raises((click.ClickException, AssertionError)):
            check(command, whole=True)
    else:
        check(command, whole=True)


def test_commands_are_extracted_from_markdown() -> None:
    text = "Do `aslkit runs`, then:\n\n    aslkit curate\n\n```sh\n$ aslkit train \\\n    --cv signer  # long\n```\n"
    assert [command for command, _ in extract_commands(text)] == [
        "aslkit train      --cv signer  # long",
        "aslkit curate",
        "aslkit runs",
    ]


def test_command_reference_is_up_to_date() -> None:
    assert (ROOT / "docs/commands.md").read_text(encoding="utf-8") == render_reference(), (
        "docs/commands.md is not what the commands say. Run: python -m aslkit.cli.reference > docs/commands.md"
    )


def test_command_reference_is_independent_of_environment(tmp_path: Path) -> None:
    settings = {"COLUMNS": "40", "TERM": "dumb", "ASLKIT_WORKSPACE": "elsewhere", "NO_COLOR": "1", "LANG": "C.UTF-8"}
    command = [sys.executable, "-m", "aslkit.cli.reference"]
    done = subprocess.run(command, capture_output=True, cwd=tmp_path, env=os.environ | settings, check=True)
    assert done.stdout.decode() == render_reference()


def test_command_reference_is_complete() -> None:
    text = render_reference()

    def look(group: click.Group, above: str) -> None:
        for name, command in group.commands.items():
            assert f"# {above} {name}\n" in text
            for param in command.params:
                assert isinstance(param, click.Argument) or param.opts[-1] in text
            if isinstance(command, click.Group):
                look(command, f"{above} {name}")

    look(main, "aslkit")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_in_documentation_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", _FENCED.sub("", text)):
        if target.startswith(("http://", "https://")):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path) if path else page
        assert file.exists(), f"{target} is not there"
        if anchor:
            assert anchor in anchors(file.read_text(encoding="utf-8")), f"{target}: no such heading"


def anchors(text: str) -> set[str]:
    """Return the anchors of a page's headings, as created by GitHub."""
    heads = re.findall(r"^#+ (.+)$", _FENCED.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}
