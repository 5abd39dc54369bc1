"""manifest.json: which files a dataset has that lies elsewhere, with size and SHA-256. It is written last.

A reader can tell a whole dataset from half of one: without a manifest there is none, and a file that is not as the
manifest says is not taken.
"""

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from aslkit.core.errors import AslkitError
from aslkit.core.files import file_hash

FILE: Final = "manifest.json"
FORMAT: Final = "aslkit-dataset"
VERSION: Final = 1

SHARED: Final = re.compile(
    r"data/(train|validation|test)-\d{5}-of-\d{5}\.parquet|(rejected|flagged)\.parquet|README\.md|croissant\.json"
)
"""Files of a dataset that are handed on; no others are sent or fetched, whatever a manifest says. Not the report: it is
a program to a browser, and full of pictures."""

MAX_BYTES: Final = 32_000_000
"""Of a manifest: 200,000 files."""

MAX_FILES: Final = 100_000
MAX_FILE_BYTES: Final = 1_000_000_000_000


@dataclass(frozen=True, kw_only=True)
class ManifestEntry:
    """One file: its path within the dataset, its size in bytes, the SHA-256 of its content in hex."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """The files of a dataset, by path."""

    files: tuple[ManifestEntry, ...]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(entry.size for entry in self.files)

    def to_bytes(self) -> bytes:
        """As JSON; the same for the same files."""
        about = {"format": FORMAT, "version": VERSION, "files": [asdict(entry) for entry in self.files]}
        return (json.dumps(about, indent=1) + "\n").encode()


def build_manifest(folder: Path, advance: Callable[[int], None] = lambda _: None) -> Manifest:
    """Look at the files of a dataset's folder that are handed on; `advance` hears of each block's bytes."""
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    entries = []
    for name in filter(SHARED.fullmatch, names):
        path = folder / name
        entries.append(ManifestEntry(path=name, size=path.stat().st_size, sha256=file_hash(path, advance)))
    return Manifest(files=tuple(entries))


def parse_manifest(data: bytes, where: str) -> Manifest:
    """Read a manifest that anybody may have written.

    Raises:
        AslkitError: it is none, is of a later version, or names files that no dataset has: a path that climbs out of
            its folder, a program, one file twice, a size beyond reason.
    """
    try:
        about = json.loads(data)
        if about["format"] != FORMAT:
            raise ValueError(f"format {about['format']!r}")
        version, files = about["version"], about["files"]
        entries = tuple(_entry(file) for file in _bounded(files)) if version == VERSION else ()
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise AslkitError(
            f"{where} is not the manifest of an aslkit dataset ({error}). Ask whoever put it there."
        ) from error
    if version != VERSION:
        raise AslkitError(f"{where} has version {version!r}; this aslkit reads {VERSION}. Update aslkit.")
    if len({entry.path for entry in entries}) != len(entries):
        raise AslkitError(f"{where} names a file twice. Ask whoever put it there.")
    if not any(entry.path.startswith("data/") for entry in entries):
        raise AslkitError(f"{where} names no file of a dataset. Ask whoever put it there.")
    return Manifest(files=entries)


def _bounded(files: Any) -> Iterable[Any]:
    if not isinstance(files, list) or len(files) > MAX_FILES:
        raise ValueError(f"files must be a list of at most {MAX_FILES:,}")
    return files


def _entry(values: Any) -> ManifestEntry:
    path, size, sha256 = values["path"], values["size"], values["sha256"]
    if not isinstance(path, str) or not SHARED.fullmatch(path):
        raise ValueError(f"no dataset has a file {str(path)[:80]!r}")
    if isinstance(size, bool) or not isinstance(size, int) or not 0 <= size <= MAX_FILE_BYTES:
        raise ValueError(f"{path}: {str(size)[:40]} is no size in bytes")
    if not isinstance(sha256, str) or not re.fullmatch("[0-9a-f]{64}", sha256):
        raise ValueError(f"{path}: no SHA-256")
    return ManifestEntry(path=path, size=size, sha256=sha256)
