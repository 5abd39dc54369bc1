"""Check the destination of an export: a folder of its own that contains nothing except an earlier export."""

from pathlib import Path
from typing import Final

from aslkit.core.errors import InputError
from aslkit.core.files import check_replaceable

MARKER_FILE: Final = ".aslkit-export.json"
"""File that marks a folder as an export, so that a later export may replace it."""


def check_destination(
    to: Path, source: Path, *, source_kind: str, option: str, within: Path | None = None, force: bool = False
) -> None:
    """Check that replacing the folder `to` deletes nothing except an earlier export.

    Args:
        to: the folder to write.
        source: the folder that is exported.
        source_kind: what `source` is, for error messages, such as "dataset".
        option: the command-line option that sets `to`, for error messages.
        within: a folder inside `source` in which exports are allowed.
        force: replace a folder that is not an export.

    Raises:
        InputError: the source, the home folder or the working folder would be deleted, or `to` is not an export.
    """
    # Resolved, so that links and ".." cannot hide that the folders overlap.
    target, resolved_source = to.resolve(), source.resolve()
    inside = target.is_relative_to(resolved_source) and not (within and target.is_relative_to(within.resolve()))
    if resolved_source.is_relative_to(target) or inside:
        raise InputError(f"{to} contains the {source_kind} itself, or is inside it. Choose another {option}.")
    if any(folder.resolve().is_relative_to(target) for folder in (Path.cwd(), Path.home())):
        raise InputError(
            f"Everything in {to} would be replaced, including your home or working folder. Choose another {option}."
        )
    check_replaceable(
        to,
        is_own=lambda folder: force or (folder / MARKER_FILE).is_file(),
        advice=f"Choose another {option}, or replace them with --force.",
    )
