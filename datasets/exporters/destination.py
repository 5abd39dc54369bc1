"""Where an export goes: a folder of its own, which holds nothing but an earlier export."""

from pathlib import Path
from typing import Final

from aslkit.core.errors import AslkitError, InputError

MARK: Final = ".aslkit-export.json"
"""Lies in each export, so that a later one knows that it may take its place."""


def check_destination(
    to: Path, source: Path, *, what: str, option: str, within: Path | None = None, force: bool = False
) -> None:
    """Check that writing `to`, which is replaced as a whole, loses nothing but an earlier export.

    Args:
        to: the folder to write.
        source: what is exported.
        what: that in a word, such as "dataset".
        option: by which the user named `to`.
        within: a folder of the source in which exports may lie.
        force: replace what is there though it is no export.

    Raises:
        InputError: the source, the home or the working folder would be lost, or `to` is a file.
        AslkitError: something else lies there.
    """
    target, own = to.resolve(), source.resolve()
    inside = target.is_relative_to(own) and not (within and target.is_relative_to(within.resolve()))
    if own.is_relative_to(target) or inside:
        raise InputError(f"{to} holds the {what} itself, or lies in it. Choose another {option}.")
    if any(place.resolve().is_relative_to(target) for place in (Path.cwd(), Path.home())):
        raise InputError(f"{to} would be replaced as a whole. Choose a folder of its own for {option}.")
    if to.is_file():
        raise InputError(f"{to} is a file. Choose a folder for {option}.")
    if not force and to.is_dir() and any(to.iterdir()) and not (to / MARK).is_file():
        raise AslkitError(f"{to} holds something that is no export of aslkit. Choose another {option}, or say --force.")
