"""What the command line adapts to its surroundings: `~` in arguments, and terminals whose encoding is not UTF-8."""

import codecs
import io
import os
import re
import sys
import unicodedata
from collections.abc import Iterable
from typing import Final

from aslkit.core.errors import InputError

_VARIABLES: Final = ("ASLKIT_WORKSPACE",)
"""Environment variables that are paths."""

_HOME: Final = re.compile(r"(--[\w-]+=)?(~[^/\\]*)([/\\].*)?", re.DOTALL)

_ERROR_HANDLER: Final = "aslkit-readable"

_REPLACEMENTS: Final = str.maketrans(
    {
        "–": "-", "—": "-", "−": "-", "…": "...", "“": '"', "”": '"', "‘": "'", "’": "'", "×": "x", "→": "->",
        "←": "<-", "≤": "<=", "≥": ">=", "✓": "+", "✗": "x", "•": "*", "·": "*",
    }
)  # fmt: skip


def expand_home(args: Iterable[str]) -> list[str]:
    """Return arguments with `~` and `~USER` at their beginning, or after `--OPTION=`, replaced by the home folder.

    Shells do not expand it in quotes, in `--option=~/x`, or on Windows; a folder named `~` would be created. The
    environment variables that are paths are expanded, too.

    Raises:
        InputError: the home folder is unknown.
    """
    for variable in _VARIABLES:
        if variable in os.environ:
            os.environ[variable] = _expand(os.environ[variable])
    return [_expand(argument) for argument in args]


def _expand(argument: str) -> str:
    match = _HOME.fullmatch(argument)
    if match is None or (match[2] != "~" and match[3] is None):  # ~X without a slash is some other text
        return argument
    option, path = match[1] or "", f"{match[2]}{match[3] or ''}"
    expanded = os.path.expanduser(path)  # noqa: PTH111, Path.expanduser raises an error without the user's name
    if expanded == path:
        raise InputError(f"The home folder {match[2]} of {path} is not known. Write its full path.")
    return f"{option}{expanded}"


def use_readable_replacements() -> None:
    """Replace characters that standard output or error cannot encode by similar ones, instead of failing."""
    codecs.register_error(_ERROR_HANDLER, _replace)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors in ("strict", "backslashreplace"):
            stream.reconfigure(errors=_ERROR_HANDLER)


def _replace(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end].translate(_REPLACEMENTS)
    decomposed = unicodedata.normalize("NFKD", text)
    plain = (each if each.isascii() else "?" for each in decomposed if not unicodedata.combining(each))
    return "".join(plain), error.end
