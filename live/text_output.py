"""Speaks text and copies it to the clipboard, with programs of the operating system."""

import shutil
import subprocess
from collections.abc import Callable
from typing import Final

from aslkit.core.errors import AslkitError

SPEECH_COMMANDS: Final = (("say",), ("spd-say", "--wait"), ("espeak-ng",), ("espeak",))
CLIPBOARD_COMMANDS: Final = (
    ("pbcopy",),
    ("wl-copy",),
    ("xclip", "-selection", "clipboard"),
    ("xsel", "--clipboard", "--input"),
    ("clip",),
)

_COPY_TIMEOUT_S: Final = 5

FindProgram = Callable[[str], str | None]
"""Returns the path of a program, None if it is not installed."""


def find_voice(*, find: FindProgram = shutil.which) -> tuple[str, ...]:
    """Return the command of the first installed text-to-speech program.

    Raises:
        AslkitError: none of SPEECH_COMMANDS is installed.
    """
    return _find_command(
        SPEECH_COMMANDS, find, "No text-to-speech program found. Install espeak-ng or speech-dispatcher."
    )


def find_clipboard(*, find: FindProgram = shutil.which) -> tuple[str, ...]:
    """Return the command of the first installed program that copies its input to the clipboard.

    Raises:
        AslkitError: none of CLIPBOARD_COMMANDS is installed.
    """
    return _find_command(CLIPBOARD_COMMANDS, find, "No clipboard program found. Install xclip or wl-clipboard.")


def speak_text(text: str, *, find: FindProgram = shutil.which) -> None:
    """Start speaking a text, and return without waiting for the end.

    Raises:
        AslkitError: no text-to-speech program is installed, or it cannot be started.
    """
    command = find_voice(find=find)
    if not text.strip():
        return
    try:
        # A list without a shell: the text of a recogniser is never interpreted as a command.
        subprocess.Popen(
            # "--" prevents the text from being parsed as an option. `say` does not support it.
            [*command, "--", text.strip().lower()] if command[0] != "say" else [*command, text.strip().lower()],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
    except OSError as error:
        raise AslkitError(f"{command[0]} cannot be started: {error.strerror}.") from error


def copy_text(text: str, *, find: FindProgram = shutil.which) -> None:
    """Copy a text to the clipboard.

    Raises:
        AslkitError: no clipboard program is installed, or it fails.
    """
    command = find_clipboard(find=find)
    try:
        subprocess.run(
            command, input=text.strip().encode(), check=True, timeout=_COPY_TIMEOUT_S,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError) as error:
        raise AslkitError(f"{command[0]} could not copy the text. It needs a graphical session.") from error


def _find_command(commands: tuple[tuple[str, ...], ...], find: FindProgram, error_message: str) -> tuple[str, ...]:
    for command in commands:
        if find(command[0]):
            return command
    raise AslkitError(error_message)
