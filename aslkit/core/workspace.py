"""Where things lie: one folder that holds captures, datasets, runs and what can be computed again."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aslkit.core.errors import InputError

SYNTHETIC_PREFIX: Final = "synthetic-"
"""Names of synthetic signers begin so, and no real one's does: the two never mix unseen."""

_NAME: Final = re.compile(r"\w(?:[\w .-]{0,62}[\w-])?")


@dataclass(frozen=True, kw_only=True)
class Workspace:
    """The folder that `--workspace` or ASLKIT_WORKSPACE names."""

    root: Path

    @property
    def captures(self) -> Path:
        """SIGNER/SESSION/LETTER/*.jpg, as recorded; never changed by a later stage."""
        return self.root / "captures"

    @property
    def signers(self) -> Path:
        """What signers have stated of licence and consent, and their usual hand."""
        return self.root / "signers.toml"

    @property
    def measurements(self) -> Path:
        """What curation measured of each image. May be deleted: it is measured again."""
        return self.root / "cache" / "descriptions"

    def dataset(self, name: str) -> Path:
        """The folder of the dataset `name`."""
        return self.root / "datasets" / validate_name("dataset", name)

    @property
    def exams(self) -> Path:
        """One folder for each exam; its frames are never trained on."""
        return self.root / "exams"

    @property
    def runs(self) -> Path:
        """One folder for each training."""
        return self.root / "runs"


def validate_name(kind: str, name: str) -> str:
    """Return `name`, which will name a folder, if it is fit for one.

    Raises:
        InputError: when it is empty, longer than 64 characters, or has others than letters, digits, space, . _ -
    """
    if _NAME.fullmatch(name):
        return name
    raise InputError(
        f"{name!r} cannot be the name of a {kind}. Use 1–64 letters, digits, spaces, '.', '_' or '-', "
        "beginning with a letter or digit."
    )


def make_name(text: str) -> str:
    """Make a name of any text, such as a file's name: what no name may have becomes a dash."""
    return re.sub(r"[^\w.]+", "-", text).strip("-._")[:64].rstrip("-._") or "unnamed"


def validate_signer(name: str, *, synthetic: bool) -> str:
    """Return `name` if it is fit for a signer who is, or is not, synthetic."""
    validate_name("signer", name)
    if synthetic == name.startswith(SYNTHETIC_PREFIX):
        return name
    if synthetic:
        raise InputError(
            f"{name!r}: a synthetic signer's name begins with {SYNTHETIC_PREFIX!r}. "
            f"Try --signer {SYNTHETIC_PREFIX}{name}."
        )
    raise InputError(f"{name!r}: names beginning with {SYNTHETIC_PREFIX!r} are for synthetic signers. Choose another.")
