"""The workspace: the folder with captures, datasets, runs and caches."""

import re
import shlex
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aslkit.core.errors import InputError
from aslkit.core.sanitize import JOINERS

SYNTHETIC_PREFIX: Final = "synthetic-"
"""Prefix of the names of synthetic signers; names of real signers must not start with it."""

_MAX_CHARS: Final = 64
_MAX_BYTES: Final = 192
"""Of UTF-8. File systems allow 255 bytes, of which names of runs and temporary files need some."""

_VIRAMA: Final = 9
"""Combining class of the signs that join Indic letters. After them, names need joiners (RFC 5892, appendix A)."""

_UNNAMED: Final = "unnamed"

_RESERVED: Final = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
"""Names that Windows does not allow for a folder."""


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
    def reviews(self) -> Path:
        """Log of the decisions of people about captured frames."""
        return self.root / "reviews.jsonl"

    @property
    def measurements(self) -> Path:
        """Cache of the measurements of each image; can be deleted."""
        return self.root / "cache" / "descriptions"

    @property
    def copies(self) -> Path:
        """Cache of the copies of photos that were found in the captures; can be deleted."""
        return self.root / "cache" / "copies.json"

    @property
    def embeddings(self) -> Path:
        """Cache of the embeddings of datasets; can be deleted."""
        return self.root / "cache" / "embeddings"

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


def compose(name: str) -> str:
    """Return a name in Unicode's composed form (NFC): é can be one character, or e and an accent as macOS writes it."""
    return unicodedata.normalize("NFC", name)


def validate_name(kind: str, name: str) -> str:
    """Return `name` in composed form, so that equal names are equal texts, if it is valid as the name of a folder.

    Raises:
        InputError: empty, longer than 64 characters or 192 bytes, reserved by Windows, or with characters other than
            letters, combining marks, digits, space, . _ -
    """
    normal = compose(name)
    proposal = make_name(normal)
    if _RESERVED.fullmatch(normal):
        raise InputError(f"Windows does not allow {normal!r} as the name of a folder. Use another, such as {proposal}.")
    if _is_valid(normal):
        return normal
    advice = "" if proposal == _UNNAMED else f" For example: {shlex.quote(proposal)}."
    raise InputError(
        f"{name!r} is not a valid name for a {kind}. Use 1–64 letters, digits, spaces, '.', '_' or '-', "
        f"starting with a letter or digit.{advice}"
    )


def make_name(text: str) -> str:
    """Turn any text, such as a file name, into a valid name: invalid characters become dashes."""
    normal = compose(text)
    pairs = zip(" " + normal, normal, strict=False)
    dashed = "".join(each if each == "." or _is_word_character(each, before) else "-" for before, each in pairs)
    # A combining mark needs a letter before it.
    name = _shorten(re.sub("-+", "-", dashed).strip("-._")).rstrip("-._") or _UNNAMED
    while not name[0].isalnum():
        name = name[1:].lstrip("-._") or _UNNAMED
    return f"{name.replace('.', '-')}_" if _RESERVED.fullmatch(name) else name


def _is_valid(name: str) -> bool:
    # No slash and no leading dot: a name from somebody else's dataset must not lead out of the workspace.
    if not name or _shorten(name) != name or not (name[0].isalnum() or name[0] == "_") or name[-1] in " .":
        return False
    return all(
        each in " .-" or _is_word_character(each, before) for before, each in zip(" " + name, name, strict=False)
    )


def _is_word_character(character: str, before: str) -> bool:
    """Return whether a character is part of a word in some script, given the character before it."""
    if character in JOINERS:
        return unicodedata.combining(before) == _VIRAMA
    return character.isalnum() or character == "_" or unicodedata.category(character) in ("Mn", "Mc")


def _shorten(name: str) -> str:
    return name[:_MAX_CHARS].encode(errors="surrogatepass")[:_MAX_BYTES].decode(errors="ignore")


def validate_signer(name: str, *, synthetic: bool) -> str:
    """Return `name` in composed form if it is valid for a synthetic, or for a real, signer.

    Raises:
        InputError: it is not.
    """
    name = validate_name("signer", name)
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
