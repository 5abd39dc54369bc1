"""Fetching a dataset that lies elsewhere, so that nothing half-fetched is ever taken for whole.

Files come into a hidden folder beside the dataset's, go on where an earlier try stopped, and are compared with the
manifest; only then the folder gets its name. It can be stopped at any moment; the same command again goes on.
"""

import hashlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from filelock import FileLock, Timeout

from aslkit.core.errors import AslkitError, InputError
from aslkit.core.files import atomic_write, file_hash, folder_size, remove, write_bytes
from aslkit.core.progress import progress_bar
from aslkit.core.retry import redact_url, with_retries
from aslkit.core.workspace import Workspace
from aslkit.datasets import parquet_store
from aslkit.datasets.sharing import manifest
from aslkit.datasets.sharing.manifest import Manifest, ManifestEntry
from aslkit.datasets.sharing.remote_storage import ReadableStorage, base_name, open_readable, read_manifest
from aslkit.datasets.sharing.upload import SENDING


@dataclass(frozen=True, kw_only=True)
class DownloadResult:
    """What fetching did.

    Attributes:
        folder: of the dataset.
        files, size: of it, bytes.
        bytes_fetched: of these; the others were there from an earlier try.
        up_to_date: it was there already, just so.
    """

    folder: Path
    files: int
    size: int
    bytes_fetched: int
    up_to_date: bool


def download_dataset(url: str, folder: Path, *, force: bool = False) -> DownloadResult:
    """Fetch the dataset at a URL into `folder`, whole or not at all.

    Args:
        url: where its manifest lies.
        folder: where it goes.
        force: take the place of another dataset.

    Raises:
        InputError: there is no whole dataset, or another lies in its place.
        AslkitError: the manifest names what no dataset has; a file is not as it says; the connection failed again and
            again; the disk is too small.
    """
    with open_readable(url) as place:
        data = with_retries(partial(read_manifest, place, manifest.FILE), url)
        if data is None:
            raise _no_dataset(place, url)
        wanted = manifest.parse_manifest(data, f"{redact_url(url)}/{manifest.FILE}")
        if _is_there(folder, wanted):
            return DownloadResult(
                folder=folder, files=len(wanted.files), size=wanted.size, bytes_fetched=0, up_to_date=True
            )
        if folder.exists() and any(folder.iterdir()) and not force:
            raise InputError(
                f"{folder} holds another dataset, or an earlier state of this one. Give another --name, or --force."
            )
        return _fetch_all(place, wanted, folder, url)


def local_copy(dataset: str, workspace: Workspace) -> Path:
    """Return a folder that holds the dataset at a URL, fetched into the workspace's cache, anew if it has changed.

    Raises:
        InputError, AslkitError: as `download_dataset`.
    """
    if dataset.lower().startswith("file://"):
        return Path(dataset[len("file://") :])
    mark = hashlib.sha256(dataset.encode()).hexdigest()[:16]
    return download_dataset(
        dataset, workspace.root / "cache" / "remote" / f"{base_name(dataset)[:40]}-{mark}", force=True
    ).folder


def _no_dataset(place: ReadableStorage, url: str) -> InputError:
    if with_retries(partial(read_manifest, place, SENDING), url) is not None:
        return InputError(
            f"A dataset is being sent to {redact_url(url)}, or was and did not arrive whole. Try again later."
        )
    return InputError(
        f"There is no dataset at {redact_url(url)}: it has no {manifest.FILE}. "
        "`aslkit dataset push NAME URL` puts one there."
    )


def _is_there(folder: Path, wanted: Manifest) -> bool:
    """Whether a folder holds just this: the same manifest, and files of those sizes."""
    path = folder / manifest.FILE
    if not path.is_file() or path.read_bytes() != wanted.to_bytes():
        return False
    return all((folder / e.path).is_file() and (folder / e.path).stat().st_size == e.size for e in wanted.files)


def _fetch_all(place: ReadableStorage, wanted: Manifest, folder: Path, url: str) -> DownloadResult:
    hidden = folder.with_name(f".{folder.name}.fetching")
    hidden.mkdir(parents=True, exist_ok=True)
    lock = FileLock(f"{hidden}.lock", timeout=0)
    try:
        with lock, progress_bar("Fetching", wanted.size, in_bytes=True) as advance:
            _check_room(hidden, wanted)
            fetched = sum(_fetch_file(place, entry, hidden / entry.path, url, advance) for entry in wanted.files)
            _tidy(hidden, wanted)
            _check_schema(hidden)
            write_bytes(hidden / manifest.FILE, wanted.to_bytes())
            with atomic_write(folder) as new:
                hidden.rename(new)
            Path(lock.lock_file).unlink(missing_ok=True)
    except Timeout as error:
        raise AslkitError(f"Another process is fetching {folder.name} just now. Wait for it, or stop it.") from error
    return DownloadResult(
        folder=folder, files=len(wanted.files), size=wanted.size, bytes_fetched=fetched, up_to_date=False
    )


def _check_schema(hidden: Path) -> None:
    try:
        parquet_store.read_dataset(hidden, ["label"])
    except AslkitError:  # whole, as the manifest says, and no dataset: fetching the rest of it would not help
        remove(hidden)
        raise


def _check_room(hidden: Path, wanted: Manifest) -> None:
    free, needed = shutil.disk_usage(hidden).free, wanted.size - folder_size(hidden)
    if needed > free:
        raise AslkitError(f"{hidden.parent} has {free:,} bytes free; the dataset needs {needed:,} more.")


def _tidy(hidden: Path, wanted: Manifest) -> None:
    """Remove what an earlier try, of another version, left."""
    names = {entry.path for entry in wanted.files}
    for path in hidden.rglob("*"):
        if path.is_file() and path.relative_to(hidden).as_posix() not in names:
            remove(path)


def _fetch_file(
    place: ReadableStorage, entry: ManifestEntry, path: Path, url: str, advance: Callable[[int], None]
) -> int:
    """Fetch one file, from where an earlier try stopped; returns the bytes fetched."""
    path.parent.mkdir(parents=True, exist_ok=True)
    before = fetched = 0
    if path.exists():
        before = path.stat().st_size
        if before > entry.size or (before == entry.size and file_hash(path) != entry.sha256):
            remove(path)
            before = 0
    advance(before)

    def go_on() -> None:
        nonlocal fetched
        have = path.stat().st_size if path.exists() else 0
        with path.open("ab") as file:
            for block in place.read(entry.path, have) if have < entry.size else ():
                have += len(block)
                if have > entry.size:
                    break
                file.write(block)
                fetched += len(block)
                advance(len(block))
        if have < entry.size:
            raise ConnectionError(f"{have:,} of {entry.size:,} bytes of {entry.path} arrived")
        if have > entry.size or file_hash(path) != entry.sha256:
            remove(path)
            advance(-min(have, entry.size))
            raise ConnectionError(f"{entry.path} is not what the manifest says")

    with_retries(go_on, url)
    return fetched
