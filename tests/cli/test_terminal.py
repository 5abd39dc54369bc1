"""Colours and progress bars appear on a terminal, not in a pipe. NO_COLOR disables colours."""

import os
import pty
import re
import select
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from aslkit.core.progress import iterate_with_progress
from aslkit.core.workspace import Workspace

ASLKIT = Path(sys.executable).with_name("aslkit")
COLOURFUL = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "COLUMNS": "100"}
COLOUR = re.compile(r"\x1b\[(?:\d+;)*(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])(?:;\d+)*m")
BAR = [
    "import time", "from aslkit.core.progress import progress_bar",
    "with progress_bar('Counting', 3) as advance:", "    for _ in range(3): time.sleep(0.2); advance()",
]  # fmt: skip
COUNT = [sys.executable, "-c", "\n".join(BAR)]
COMMANDS = [["doctor"], ["runs"], ["dataset", "verify", "custom", "--processes", "1"], ["curate"]]
SHOWN = [["doctor"], ["curate"]]  # these have colours: the one by rich, the other by click


def environment(**more: str) -> dict[str, str]:
    unwanted = ("NO_COLOR", "FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "CI")
    return {name: value for name, value in os.environ.items() if name not in unwanted} | COLOURFUL | more


def on_a_terminal(command: Sequence[str | Path], env: Mapping[str, str]) -> str:
    """Return the output of a command on a terminal, both streams."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=env) as process:
        os.close(theirs)
        shown = b""
        while select.select([ours], [], [], 60)[0]:
            try:
                shown += os.read(ours, 65536)
            except OSError:  # Linux, when the last that writes is gone
                break
            if not shown:
                break
    os.close(ours)
    assert process.returncode in (0, 1), shown.decode(errors="replace")
    return shown.decode(errors="replace")


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_pipe_gets_plain_text(command: list[str], workspace: Workspace) -> None:
    done = subprocess.run(
        [ASLKIT, *command, "--workspace", workspace.root], capture_output=True, text=True, env=environment()
    )
    assert done.returncode in (0, 1), done.stderr
    assert done.stdout
    for stream in (done.stdout, done.stderr):
        assert "\x1b" not in stream
        assert "\r" not in stream
        assert "━" not in stream


@pytest.mark.parametrize("command", SHOWN, ids=" ".join)
def test_no_color_is_respected(command: list[str], workspace: Workspace) -> None:
    shown = on_a_terminal([ASLKIT, *command, "--workspace", workspace.root], environment(NO_COLOR="1"))
    assert not COLOUR.findall(shown)


@pytest.mark.parametrize("command", SHOWN, ids=" ".join)
def test_force_color_enables_colours(command: list[str], workspace: Workspace) -> None:
    env = environment(NO_COLOR="")  # empty is as good as unset: no-color.org
    assert COLOUR.search(on_a_terminal([ASLKIT, *command, "--workspace", workspace.root], env))


def test_terminal_images_need_colours(workspace: Workspace) -> None:
    asked = ["dataset", "show", "custom", "--letter", "A", "--workspace", str(workspace.root)]
    command: list[str | Path] = [ASLKIT, *asked]
    assert COLOUR.search(on_a_terminal(command, environment()))
    done = subprocess.run(command, capture_output=True, text=True, env=environment(), cwd=workspace.root)
    assert (done.returncode, done.stdout) == (0, "Wrote 18 images: custom.png\n")


def test_progress_bar_shows_time_left_and_is_hidden_in_a_pipe() -> None:
    shown = on_a_terminal(COUNT, environment())
    assert "Counting" in shown
    assert re.search(r"\d/3", shown)
    assert re.search(r"\d:\d\d:\d\d|-:--:--", shown)
    done = subprocess.run(COUNT, capture_output=True, text=True, env=environment())
    assert (done.stdout, done.stderr) == ("", "")


def test_iterate_with_progress_yields_unchanged_items() -> None:
    tables = ["ab", "c", "def"]
    assert list(iterate_with_progress("Writing", 6, iter(tables), size=len)) == tables
    assert list(iterate_with_progress("Writing", 0, [])) == []
