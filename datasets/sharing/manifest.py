"""manifest.json: the files of a shared dataset with size and SHA-256. It is uploaded last.

The manifest lets a reader recognise an incomplete dataset: a folder without a manifest contains no dataset, and a file
that does not match the manifest is rejected.
"""

import json
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from aslkit.core.errors import AslkitError
from aslkit.core.files import file_hash

FILE: Final = "manifest.json"
FORMAT: Final = "aslkit-dataset"
VERSION: Final = 1

SHARED_FILES: Final = re.compile(
    r"data/(train|validation|test)-\d{5}-of-\d{5}\.parquet|(rejected|flagged|reviewed)\.parquet|"
    r"README\.md|croissant\.json"
)
"""Pattern of the dataset files that are shared. No other files are uploaded or downloaded, whatever a manifest lists.
The report is not shared: browsers would run it, and it contains images."""

MAX_BYTES: Final = 32_000_000
"""Maximum size of a manifest, enough for 200,000 files."""

MAX_FILES: Final = 100_000
MAX_FILE_BYTES: Final = 1_000_000_000_000


@dataclass(frozen=True, kw_only=True)
class ManifestEntry:
    """One file of a dataset.

    Attributes:
        path: path relative to the dataset folder.
        size: size in bytes.
        sha256: hexadecimal SHA-256 of the content.
    """

    path: str
    size: Annotated[int, Meta(ge=0, le=MAX_FILE_BYTES)]
    sha256: Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")]


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """The files of a dataset, sorted by path."""

    files: tuple[ManifestEntry, ...]

    @property
    def size(self) -> int:
        """Total size of all files in bytes."""
        return sum(entry.size for entry in self.files)

    def to_bytes(self) -> bytes:
        """Encode the manifest as JSON. The same files always give the same bytes."""
        content = {"format": FORMAT, "version": VERSION, "files": [asdict(entry) for entry in self.files]}
        return (json.dumps(content, indent=1) + "\n").encode()


class _Header(msgspec.Struct):
    """A manifest whose list of files is parsed only if this version of aslkit can read it."""

    format: Any
    version: Any
    files: msgspec.Raw


_Entries = Annotated[tuple[ManifestEntry, ...], Meta(max_length=MAX_FILES)]


def build_manifest(folder: Path, advance: Callable[[int], None] = lambda _: None) -> Manifest:
    """Build the manifest of a dataset folder.

    Args:
        folder: the dataset folder.
        advance: called with the number of bytes of each block read.
    """
    # Sorted, because the order of a directory differs between file systems.
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    entries = []
    for name in filter(SHARED_FILES.fullmatch, names):
        path = folder / name
        entries.append(ManifestEntry(path=name, size=path.stat().st_size, sha256=file_hash(path, advance)))
    return Manifest(files=tuple(entries))


def parse_manifest(data: bytes, location: str) -> Manifest:
    """Parse and validate an untrusted manifest.

    Args:
        data: content of the file.
        location: path or URL of the file in error messages.

    Raises:
        AslkitError: the manifest is invalid or has a newer version, or it lists files that are not part of a dataset,
            such as paths outside the folder, programs, duplicates or files of impossible size.
    """
    try:
        header = msgspec.json.decode(data, type=_Header)
        if header.format != FORMAT:
            raise ValueError(f"format {header.format!r:.80}")
        # Only for a known version: the files of a later one may be described differently.
        entries = msgspec.json.decode(header.files, type=_Entries) if header.version == VERSION else ()
        if unknown := [entry.path for entry in entries if not SHARED_FILES.fullmatch(entry.path)]:
            raise ValueError(f"{unknown[0][:80]!r} is not a file of a dataset")
    except (ValueError, RecursionError) as error:
        raise AslkitError(
            f"{location} is not a valid manifest of an aslkit dataset ({error}). Ask the owner to push it again."
        ) from error
    if header.version != VERSION:
        raise AslkitError(
            f"{location} has version {header.version!r:.80}, but this version of aslkit reads version {VERSION} only. "
            "Update aslkit."
        )
    if len({entry.path for entry in entries}) != len(entries):
        raise AslkitError(f"{location} lists a file twice. Ask the owner to push it again.")
    if not any(entry.path.startswith("data/") for entry in entries):
        raise AslkitError(f"{location} lists no data files. Ask the owner to push it again.")
    return Manifest(files=entries)
