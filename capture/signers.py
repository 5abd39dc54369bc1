"""Licence, consent and usual hand of each signer, stored in WORKSPACE/signers.toml."""

import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

import msgspec
import tomli_w

from aslkit.core.errors import AslkitError, InputError
from aslkit.core.files import write_text
from aslkit.core.workspace import Workspace
from aslkit.vision.hand_landmarker import Handedness

_HEADER: Final = "# The recorded signers, and what may be done with their images. You can edit this file.\n\n"

_LOCK_FILE: Final = ".signers.lock"
_LOCK_TIMEOUT_S: Final = 10.0
"""Other processes hold the lock for a few milliseconds."""

Ask = Callable[[str, str], str]
"""Asks a question and returns the answer. Arguments: question, proposed answer."""


@dataclass(frozen=True, kw_only=True)
class SignerDetails:
    """Details of a signer.

    Attributes:
        licence: licence of the images; None if not stated.
        consent: what the signer agrees to, in their own words; None if not stated.
        hand: hand with which the signer usually signs; None if unknown.
    """

    licence: str | None = None
    consent: str | None = None
    hand: Handedness | None = None


def load_signer(workspace: Workspace, signer: str) -> SignerDetails:
    """Load the details of a signer.

    Raises:
        InputError: the name is new and differs from an existing signer's only in case. This is often the same person,
            and on many file systems the same folder.
        AslkitError: the file is damaged.
    """
    names = [path.name for path in workspace.captures.iterdir()] if workspace.captures.is_dir() else []
    similar = [name for name in names if name.casefold() == signer.casefold()]
    if similar and signer not in similar:
        raise InputError(
            f"Signer {similar[0]!r} already exists. If {signer!r} is the same person, give --signer "
            f"{shlex.quote(similar[0])}; otherwise choose a name that differs in more than its case."
        )
    return msgspec.convert(_read(workspace.signers).get(signer, {}), SignerDetails)


def save_signer(workspace: Workspace, signer: str, details: SignerDetails) -> None:
    """Save the details of a signer. Other signers are kept, including those that another process is saving.

    Raises:
        AslkitError: the file is damaged, or another process does not release its lock.
    """
    known = {key: value for key, value in asdict(details).items() if value is not None}
    if not known or load_signer(workspace, signer) == details:
        return
    with _lock(workspace):
        # Read again under the lock: another process may have added a signer since.
        tables = _read(workspace.signers)
        write_text(workspace.signers, _HEADER + tomli_w.dumps(tables | {signer: tables.get(signer, {}) | known}))


@contextmanager
def _lock(workspace: Workspace) -> Iterator[None]:
    """Prevent other processes from writing the file, which they rewrite completely, until the end of the block."""
    from filelock import FileLock, Timeout

    workspace.root.mkdir(parents=True, exist_ok=True)
    lock = FileLock(workspace.root / _LOCK_FILE)
    try:
        lock.acquire(timeout=_LOCK_TIMEOUT_S)
    except Timeout as error:
        raise AslkitError(
            f"Another aslkit process has locked {workspace.signers} for {_LOCK_TIMEOUT_S:.0f} s. Stop it and try again."
        ) from error
    try:
        yield
    finally:
        lock.release()


def ask_signer_details(details: SignerDetails, signer: str, *, ask: Ask, proposed: SignerDetails) -> SignerDetails:
    """Ask for licence and consent if they are missing, and return the completed details.

    Args:
        details: details known so far.
        signer: name of the signer.
        ask: asks one question.
        proposed: proposed answers.
    """
    if details.licence is None:
        question = f"Under which licence may the images of {signer} be shared?"
        details = replace(details, licence=ask(question, proposed.licence or "") or None)
    if details.consent is None:
        question = f"What does {signer} agree to, in a few words?"
        details = replace(details, consent=ask(question, proposed.consent or "") or None)
    return details


def _read(path: Path) -> dict[str, dict[str, str]]:
    if not path.exists():
        return {}
    try:
        tables = msgspec.toml.decode(path.read_bytes(), type=dict[str, dict[str, str]])
        # Validates the values; the plain tables are returned, because they keep keys that this version does not know.
        msgspec.convert(tables, dict[str, SignerDetails])
    except ValueError as error:
        raise AslkitError(
            f"{path} is damaged ({error}). Repair or delete it; if you delete it, signers are asked again."
        ) from error
    return tables
