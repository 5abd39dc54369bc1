"""Licence, consent and usual hand of each signer: WORKSPACE/signers.toml.

`aslkit capture` and `aslkit import` write it, `aslkit curate` reads it.
"""

import shlex
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

import msgspec
import tomli_w

from aslkit.core.errors import AslkitError, InputError
from aslkit.core.files import lock_file, write_text
from aslkit.core.workspace import Workspace, compose
from aslkit.formats.captures import SessionInfo
from aslkit.formats.licences import PRIVATE, complete_consent, derive_consent
from aslkit.vision.hand_landmarker import Handedness

_HEADER: Final = (
    "# The recorded signers, and what may be done with their images. You can edit this file.\n"
    '# licence = "private" means that only the signer may use them. After a change, run `aslkit curate` again.\n\n'
)

_LOCK_FILE: Final = ".signers.lock"


@dataclass(frozen=True, kw_only=True)
class SignerDetails:
    """Details of a signer.

    Attributes:
        licence: licence of all images of the signer; None if not stated.
        consent: what the signer agrees to; None if not stated.
        hand: hand with which the signer usually signs; None if unknown.
    """

    licence: str | None = None
    consent: str | None = None
    hand: Handedness | None = None

    @property
    def has_chosen(self) -> bool:
        """Whether the signer has chosen a licence. Who was not asked has private images, and no consent."""
        return self.licence is not None and (self.licence != PRIVATE or self.consent is not None)

    def state(self, *, licence: str | None, consent: str | None) -> "SignerDetails":
        """Return the details after the signer has stated a licence or a consent; None keeps what is known."""
        if licence is None:
            return replace(self, consent=consent or self.consent)
        consent = consent or complete_consent(licence, self.consent) or derive_consent(licence)
        return replace(self, licence=licence, consent=consent)

    def update_session(self, info: SessionInfo) -> SessionInfo:
        """Return the session with the signer's current licence and consent.

        Signers may change their mind after a recording, which session.json describes as it was.
        """
        if self.licence is None:
            return info
        return replace(info, licence=self.licence, consent=complete_consent(self.licence, self.consent or info.consent))


def load_signer(workspace: Workspace, signer: str) -> SignerDetails:
    """Load the details of a signer.

    Raises:
        InputError: the name is new and differs from an existing signer's only in case. This is often the same person,
            and on many file systems the same folder.
        AslkitError: the file is damaged.
    """
    names = [path.name for path in workspace.captures.iterdir()] if workspace.captures.is_dir() else []
    similar = [name for name in map(compose, names) if name.casefold() == signer.casefold()]
    if similar and signer not in similar:
        raise InputError(
            f"Signer {similar[0]!r} already exists. If {signer!r} is the same person, give --signer "
            f"{shlex.quote(similar[0])}; otherwise choose a name that differs in more than its case."
        )
    return load_signers(workspace).get(signer, SignerDetails())


def load_signers(workspace: Workspace) -> dict[str, SignerDetails]:
    """Load the details of all signers, by name. A consent that does not match the licence is completed.

    Raises:
        AslkitError: the file is damaged.
    """
    signers = msgspec.convert(_read(workspace.signers), dict[str, SignerDetails])
    return {
        name: replace(details, consent=complete_consent(details.licence, details.consent))
        for name, details in signers.items()
    }


def save_signer(workspace: Workspace, signer: str, details: SignerDetails) -> None:
    """Save the details of a signer. Other signers are kept, including those that another process is saving.

    Raises:
        AslkitError: the file is damaged, or another process does not release its lock.
    """
    known = {key: value for key, value in asdict(details).items() if value is not None}
    if known.items() <= asdict(load_signer(workspace, signer)).items():
        return
    with lock_file(workspace.root / _LOCK_FILE, workspace.signers):
        # Read again under the lock: another process may have added a signer since.
        tables = _read(workspace.signers)
        write_text(workspace.signers, _HEADER + tomli_w.dumps(tables | {signer: tables.get(signer, {}) | known}))


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
