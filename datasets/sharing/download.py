"""Download a dataset so that an incomplete download is never used.

Files are downloaded into a hidden folder next to the target and compared with the manifest. The folder is renamed only
when all files are complete. A download can be interrupted at any time; repeating it resumes where it stopped.
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
from aslkit.core.workspace import Workspace
from aslkit.datasets import parquet_store
from aslkit.datasets.sharing import manifest
from aslkit.datasets.sharing.manifest import Manifest, ManifestEntry
from aslkit.datasets.sharing.remote_storage import (
    ReadableStorage,
    base_name,
    local_folder,
    open_readable,
    read_manifest,
)
from aslkit.datasets.sharing.retry import redact_url, with_retries
from aslkit.datasets.sharing.upload import UPLOAD_STATE_FILE


@dataclass(frozen=True, kw_only=True)
class DownloadResult:
    """Result of a download.

    Attributes:
        folder: the dataset folder.
        files: number of files.
        size: total size of the files in bytes.
        bytes_fetched: number of bytes downloaded now; the others were already there.
        up_to_date: whether the dataset was already complete, so nothing was downloaded.
    """

    folder: Path
    files: int
    size: int
    bytes_fetched: int
    up_to_date: bool


def download_dataset(url: str, folder: Path, *, force: bool = False) -> DownloadResult:
    """Download the dataset at a URL into `folder`, atomically.

    Args:
        url: URL of the folder that contains the manifest.
        folder: the folder to write.
        force: replace another dataset in `folder`.

    Raises:
        InputError: there is no complete dataset at the URL, or `folder` contains another dataset.
        AslkitError: the manifest is invalid, a file does not match it, the connection failed repeatedly, or the disk
            is too small.
    """
    with open_readable(url) as storage:
        data = with_retries(partial(read_manifest, storage, manifest.FILE), url)
        if data is None:
            raise _not_found_error(storage, url)
        wanted = manifest.parse_manifest(data, f"{redact_url(url)}/{manifest.FILE}")
        if _is_complete(folder, wanted):
            return DownloadResult(
                folder=folder, files=len(wanted.files), size=wanted.size, bytes_fetched=0, up_to_date=True
            )
        if folder.exists() and any(folder.iterdir()) and not force:
            raise InputError(
                f"{folder} contains another dataset or an older version of this one. Choose another --name, or replace "
                "it with --force."
            )
        return _download_files(storage, wanted, folder, url)


def local_copy(dataset: str, workspace: Workspace) -> Path:
    """Return a local folder with the dataset at a URL.

    The dataset is downloaded into the workspace's cache, and again if it has changed.

    Raises:
        InputError, AslkitError: see `download_dataset`.
    """
    if (folder := local_folder(dataset)) is not None:
        return folder
    # Two datasets with the same last part of the URL need different folders.
    url_hash = hashlib.sha256(dataset.encode()).hexdigest()[:16]
    return download_dataset(
        dataset, workspace.root / "cache" / "remote" / f"{base_name(dataset)[:40]}-{url_hash}", force=True
    ).folder


def _not_found_error(storage: ReadableStorage, url: str) -> InputError:
    if with_retries(partial(read_manifest, storage, UPLOAD_STATE_FILE), url) is not None:
        return InputError(
            f"The upload of the dataset to {redact_url(url)} is in progress or was interrupted. Try again later."
        )
    return InputError(
        f"No dataset found at {local_folder(url) or redact_url(url)}: {manifest.FILE} is missing. "
        "Use `aslkit dataset push NAME URL` to upload one."
    )


def _is_complete(folder: Path, wanted: Manifest) -> bool:
    """Return whether a folder has the same manifest, and files of the sizes in it."""
    path = folder / manifest.FILE
    if not path.is_file() or path.read_bytes() != wanted.to_bytes():
        return False
    return all((folder / e.path).is_file() and (folder / e.path).stat().st_size == e.size for e in wanted.files)


def _download_files(storage: ReadableStorage, wanted: Manifest, folder: Path, url: str) -> DownloadResult:
    hidden = folder.with_name(f".{folder.name}.fetching")
    hidden.mkdir(parents=True, exist_ok=True)
    lock = FileLock(f"{hidden}.lock", timeout=0)
    try:
        # Two downloads into one hidden folder would append to the same files.
        with lock, progress_bar("Downloading", wanted.size, in_bytes=True) as advance:
            _check_disk_space(hidden, wanted)
            fetched = sum(_download_file(storage, entry, hidden / entry.path, url, advance) for entry in wanted.files)
            _remove_other_files(hidden, wanted)
            # Before the folder gets its name, so that an invalid dataset never replaces a valid one.
            _check_schema(hidden)
            # Last, because the manifest marks the folder as complete.
            write_bytes(hidden / manifest.FILE, wanted.to_bytes())
            with atomic_write(folder) as new:
                hidden.rename(new)
            Path(lock.lock_file).unlink(missing_ok=True)
    except Timeout as error:
        raise AslkitError(
            f"Another process is already downloading {folder.name}. Wait until it has finished, or stop it."
        ) from error
    return DownloadResult(
        folder=folder, files=len(wanted.files), size=wanted.size, bytes_fetched=fetched, up_to_date=False
    )


def _check_schema(hidden: Path) -> None:
    try:
        parquet_store.read_dataset(hidden, ["label"])
    except AslkitError:  # the files match the manifest but are no valid dataset, so resuming would not help
        remove(hidden)
        raise


def _check_disk_space(hidden: Path, wanted: Manifest) -> None:
    free, needed = shutil.disk_usage(hidden).free, wanted.size - folder_size(hidden)
    if needed > free:
        raise AslkitError(f"{hidden.parent} has {free:,} bytes free, but the dataset needs {needed:,} more.")


def _remove_other_files(hidden: Path, wanted: Manifest) -> None:
    """Remove files of another version of the dataset that an earlier attempt left."""
    names = {entry.path for entry in wanted.files}
    for path in hidden.rglob("*"):
        if path.is_file() and path.relative_to(hidden).as_posix() not in names:
            remove(path)


def _download_file(
    storage: ReadableStorage, entry: ManifestEntry, path: Path, url: str, advance: Callable[[int], None]
) -> int:
    """Download one file, resuming an earlier attempt, and return the number of bytes downloaded."""
    path.parent.mkdir(parents=True, exist_ok=True)
    before = fetched = 0
    if path.exists():
        before = path.stat().st_size
        if before > entry.size or (before == entry.size and file_hash(path) != entry.sha256):
            remove(path)
            before = 0
    advance(before)

    def resume() -> None:
        nonlocal fetched
        size = path.stat().st_size if path.exists() else 0
        # Append to what an earlier attempt received; the hash at the end covers both.
        with path.open("ab") as file:
            for block in storage.read(entry.path, size) if size < entry.size else ():
                size += len(block)
                # Stop at the stated size: a server could send bytes until the disk is full.
                if size > entry.size:
                    break
                file.write(block)
                fetched += len(block)
                advance(len(block))
        if size < entry.size:
            raise ConnectionError(f"received {size:,} of {entry.size:,} bytes of {entry.path}")
        if size > entry.size or file_hash(path) != entry.sha256:
            remove(path)
            advance(-min(size, entry.size))
            raise ConnectionError(f"{entry.path} does not match the manifest")

    with_retries(resume, url)
    return fetched
