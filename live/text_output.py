"""Handing the text on: spoken by the system's voice, or copied to its clipboard, where it has them."""

import shutil
import subprocess
from collections.abc import Callable
from typing import Final

from aslkit.core.errors import AslkitError

VOICES: Final = (("say",), ("spd-say", "--wait"), ("espeak-ng",), ("espeak",))
CLIPBOARDS: Final = (
    ("pbcopy",),
    ("wl-copy",),
    ("xclip", "-selection", "clipboard"),
    ("xsel", "--clipboard", "--input"),
    ("clip",),
)

_PATIENCE_S: Final = 5

Find = Callable[[str], str | None]


def find_voice(*, find: Find = shutil.which) -> tuple[str, ...]:
    """The command that speaks.

    Raises:
        AslkitError: this system has no voice that is known.
    """
    return _first(VOICES, find, "There is no voice on this system. Install espeak-ng or speech-dispatcher.")


def find_clipboard(*, find: Find = shutil.which) -> tuple[str, ...]:
    """The command that puts its input on the clipboard.

    Raises:
        AslkitError: this system has no clipboard that is known.
    """
    return _first(CLIPBOARDS, find, "There is no clipboard program on this system. Install xclip or wl-clipboard.")


def speak_text(text: str, *, find: Find = shutil.which) -> None:
    """Say the text aloud, and don't wait until it is said.

    Raises:
        AslkitError: this system has no voice that is known, or it cannot be started.
    """
    command = find_voice(find=find)
    if not text.strip():
        return
    try:  # after --, so that no text is taken for an option
        subprocess.Popen(
            [*command, "--", text.strip().lower()] if command[0] != "say" else [*command, text.strip().lower()],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
    except OSError as error:
        raise AslkitError(f"{command[0]} cannot be started: {error.strerror}.") from error


def copy_text(text: str, *, find: Find = shutil.which) -> None:
    """Put the text on the clipboard.

    Raises:
        AslkitError: this system has no clipboard that is known, or it takes nothing.
    """
    command = find_clipboard(find=find)
    try:
        subprocess.run(
            command, input=text.strip().encode(), check=True, timeout=_PATIENCE_S,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError) as error:
        raise AslkitError(f"{command[0]} did not take the text. Is there a screen for it?") from error


def _first(commands: tuple[tuple[str, ...], ...], find: Find, missing: str) -> tuple[str, ...]:
    for command in commands:
        if find(command[0]):
            return command
    raise AslkitError(missing)
