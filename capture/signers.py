"""What signers have stated, once for all their recordings: WORKSPACE/signers.toml."""

import shlex
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

import tomli_w

from aslkit.core.errors import AslkitError, InputError
from aslkit.core.files import write_text
from aslkit.core.workspace import Workspace
from aslkit.vision.hand_landmarker import Handedness

_HEAD: Final = "# Who is recorded, and what they have said may be done with their images. May be edited.\n\n"

_LOCK_FILE: Final = ".signers.lock"
_WAIT_S: Final = 10.0
"""For another process, which needs some milliseconds."""

Ask = Callable[[str, str], str]
"""Given a question and a proposed answer, the answer."""


@dataclass(frozen=True, kw_only=True)
class SignerDetails:
    """What one signer has stated.

    Attributes:
        licence: of the images; None when not stated.
        consent: what the signer agrees to, in their words; None when not stated.
        hand: with which the signer usually signs; None until it is known.
    """

    licence: str | None = None
    consent: str | None = None
    hand: Handedness | None = None


def load_signer(workspace: Workspace, signer: str) -> SignerDetails:
    """Read what a signer has stated.

    Raises:
        InputError: a new name that differs from another signer's only in case: often the same person, and on many
            systems the same folder.
        AslkitError: the file is damaged.
    """
    there = [path.name for path in workspace.captures.iterdir()] if workspace.captures.is_dir() else []
    alike = [name for name in there if name.casefold() == signer.casefold()]
    if alike and signer not in alike:
        raise InputError(
            f"There is a signer {alike[0]!r} already. If that is who {signer!r} is, give --signer "
            f"{shlex.quote(alike[0])}; otherwise a name that differs in more than its case."
        )
    values = _read(workspace.signers).get(signer, {})
    hand: Literal["left", "right"] | None = values.get("hand")
    return SignerDetails(licence=values.get("licence"), consent=values.get("consent"), hand=hand)


def save_signer(workspace: Workspace, signer: str, stated: SignerDetails) -> None:
    """Keep what a signer has stated; other signers' entries stay, also those that are being written just now.

    Raises:
        AslkitError: the file is damaged, or another process keeps it to itself.
    """
    known = {key: value for key, value in asdict(stated).items() if value is not None}
    if not known or load_signer(workspace, signer) == stated:
        return
    with _alone(workspace):
        tables = _read(workspace.signers)
        write_text(workspace.signers, _HEAD + tomli_w.dumps(tables | {signer: tables.get(signer, {}) | known}))


@contextmanager
def _alone(workspace: Workspace) -> Iterator[None]:
    """Keep other processes from writing until the block ends: each writes all signers."""
    from filelock import FileLock, Timeout

    workspace.root.mkdir(parents=True, exist_ok=True)
    lock = FileLock(workspace.root / _LOCK_FILE)
    try:
        lock.acquire(timeout=_WAIT_S)
    except Timeout as error:
        raise AslkitError(
            f"Another aslkit has been writing {workspace.signers} for {_WAIT_S:.0f} s. Stop it, and try again."
        ) from error
    try:
        yield
    finally:
        lock.release()


def ask_signer_details(stated: SignerDetails, signer: str, *, ask: Ask, proposed: SignerDetails) -> SignerDetails:
    """Ask for what is not stated yet.

    Args:
        stated: so far.
        signer: whom it is about.
        ask: puts one question.
        proposed: the answers to propose.
    """
    if stated.licence is None:
        question = f"Under which licence may the images of {signer} be shared?"
        stated = replace(stated, licence=ask(question, proposed.licence or "") or None)
    if stated.consent is None:
        question = f"What does {signer} agree to, in a few words?"
        stated = replace(stated, consent=ask(question, proposed.consent or "") or None)
    return stated


def _read(path: Path) -> dict[str, dict[str, Any]]:
    if not path.exists():
        return {}
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
        for signer, values in tables.items():
            if any(not isinstance(value, str) for value in values.values()):
                raise ValueError(f"[{signer}] has a value that is not text")
            if values.get("hand") not in (None, "left", "right"):
                raise ValueError(f"hand of [{signer}] must be left or right")
    except (ValueError, AttributeError) as error:
        raise AslkitError(f"{path} is damaged ({error}). Mend it, or delete it: signers are asked again.") from error
    return tables
