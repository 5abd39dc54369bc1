"""The workspace: the folder with captures, datasets, runs and caches."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aslkit.core.errors import InputError

SYNTHETIC_PREFIX: Final = "synthetic-"
"""Prefix of the names of synthetic signers; names of real signers must not start with it."""

# No slash and no leading dot: a name from somebody else's dataset must not lead out of the workspace.
_NAME: Final = re.compile(r"\w(?:[\w .-]{0,62}[\w-])?")


@dataclass(frozen=True, kw_only=True)
class Workspace:
    """The folder given with `--workspace` or ASLKIT_WORKSPACE."""

    root: Path

    @property
    def captures(self) -> Path:
        """Folder of the recorded images, SIGNER/SESSION/LETTER/*.jpg; later stages never change it."""
        return self.root / "captures"

    @property
    def signers(self) -> Path:
        """File with licence, consent and dominant hand of each signer."""
        return self.root / "signers.toml"

    @property
    def measurements(self) -> Path:
        """Cache of the measurements of each image; can be deleted."""
        return self.root / "cache" / "descriptions"

    @property
    def datasets(self) -> Path:
        """Folder of the datasets."""
        return self.root / "datasets"

    def dataset(self, name: str) -> Path:
        """Return the folder of a dataset."""
        return self.datasets / validate_name("dataset", name)

    @property
    def exams(self) -> Path:
        """Folder with one folder per exam; its frames are never trained on."""
        return self.root / "exams"

    @property
    def runs(self) -> Path:
        """Folder with one folder per run."""
        return self.root / "runs"


def validate_name(kind: str, name: str) -> str:
    """Return `name` if it is valid as the name of a folder.

    Raises:
        InputError: empty, longer than 64 characters, or with characters other than letters, digits, space, . _ -
    """
    if _NAME.fullmatch(name):
        return name
    raise InputError(
        f"{name!r} is not a valid name for a {kind}. Use 1–64 letters, digits, spaces, '.', '_' or '-', "
        "starting with a letter or digit."
    )


def make_name(text: str) -> str:
    """Turn any text, such as a file name, into a valid name: invalid characters become dashes."""
    return re.sub(r"[^\w.]+", "-", text).strip("-._")[:64].rstrip("-._") or "unnamed"


def validate_signer(name: str, *, synthetic: bool) -> str:
    """Return `name` if it is valid for a synthetic, or for a real, signer.

    Raises:
        InputError: it is not.
    """
    validate_name("signer", name)
    if synthetic == name.startswith(SYNTHETIC_PREFIX):
        return name
    if synthetic:
        raise InputError(
            f"The name of a synthetic signer must start with {SYNTHETIC_PREFIX!r}, unlike {name!r}. "
            f"Use --signer {SYNTHETIC_PREFIX}{name}."
        )
    raise InputError(
        f"Names that start with {SYNTHETIC_PREFIX!r}, like {name!r}, are reserved for synthetic signers. Use another."
    )
