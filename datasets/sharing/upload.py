"""Upload a dataset so that an incomplete upload is never used.

Files that are already complete at the target are not uploaded again. The manifest is removed first and uploaded last.
In between, a second file lists the files uploaded so far. An upload can be interrupted at any time; repeating it
resumes where it stopped.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from aslkit.core.errors import AslkitError, InputError
from aslkit.core.files import atomic_write, check_replaceable, folder_size, write_bytes
from aslkit.core.progress import progress_bar
from aslkit.datasets.sharing import manifest
from aslkit.datasets.sharing.manifest import Manifest, ManifestEntry
from aslkit.datasets.sharing.remote_storage import WEB, RemoteStorage, local_folder, open_remote, read_manifest
from aslkit.datasets.sharing.retry import redact_url, with_retries

UPLOAD_STATE_FILE: Final = "manifest.sending.json"
"""During an upload, lists the files uploaded so far. The manifest itself does not exist during that time."""


@dataclass(frozen=True, kw_only=True)
class UploadResult:
    """Result of an upload.

    Attributes:
        url: the target, without credentials.
        files: number of files.
        size: total size of the files in bytes.
        files_sent: number of files uploaded now; the others were already there.
        bytes_sent: number of bytes uploaded now.
    """

    url: str
    files: int
    size: int
    files_sent: int
    bytes_sent: int


def check_upload_target(url: str) -> None:
    """Check that a target supports uploads, before the dataset is prepared, which takes time.

    Raises:
        InputError: the URL is that of a web server, or is not supported.
        AslkitError: a required package is not installed.
    """
    if url.lower().startswith(WEB):
        raise InputError(
            "Cannot upload to a web server. Push to s3://, gs://, hf:// or a folder, and let the web server serve that."
        )
    if local_folder(url) is None:
        with open_remote(url):
            pass


def upload_dataset(folder: Path, url: str) -> UploadResult:
    """Upload a dataset folder to a URL. Files from an interrupted upload or an earlier version are reused.

    Raises:
        InputError: the target contains unknown data files, which would be read as part of the dataset, or it does not
            support uploads.
        AslkitError: the connection failed repeatedly.
    """
    check_upload_target(url)
    with progress_bar("Reading", folder_size(folder), in_bytes=True) as advance:
        wanted = manifest.build_manifest(folder, advance)
    with open_remote(url) as storage:
        complete = with_retries(partial(_read_valid_manifest, storage, manifest.FILE), url)
        started = with_retries(partial(_read_valid_manifest, storage, UPLOAD_STATE_FILE), url)
        known = set(complete.files if complete else ()) | set(started.files if started else ())
        if complete == wanted and started is None:
            return UploadResult(
                url=redact_url(url), files=len(wanted.files), size=wanted.size, files_sent=0, bytes_sent=0
            )
        stale = _find_stale_files(storage, wanted, known, url)
        done = [entry for entry in wanted.files if entry in known and _has_size(storage, entry, url)]
        missing = [entry for entry in wanted.files if entry not in done]
        # Write the state before removing the manifest, so that an interruption never leaves the target without either.
        _write_state(storage, done, url)
        with_retries(partial(storage.remove, manifest.FILE), url)
        with progress_bar("Uploading", sum(entry.size for entry in missing), in_bytes=True) as advance:
            for entry in missing:
                _upload_file(storage, folder / entry.path, entry, url, advance)
                done.append(entry)
                _write_state(storage, done, url)
        # Only now, when the new files are complete; the manifest does not exist yet, so nobody reads either.
        for path in stale:
            with_retries(partial(storage.remove, path), url)
        with_retries(partial(storage.put_bytes, wanted.to_bytes(), manifest.FILE), url)
        # Last: if this fails, the next upload finds the state and all files, and only repeats the end.
        with_retries(partial(storage.remove, UPLOAD_STATE_FILE), url)
    sent = sum(entry.size for entry in missing)
    return UploadResult(
        url=redact_url(url), files=len(wanted.files), size=wanted.size, files_sent=len(missing), bytes_sent=sent
    )


def copy_dataset(folder: Path, target: Path) -> UploadResult:
    """Copy a dataset to a local folder, which is replaced atomically. See `upload_dataset`.

    Raises:
        InputError: the target contains other files.
    """
    if target.resolve() == folder.resolve():
        raise InputError(f"{target} is the dataset itself. Choose another folder.")
    if file := next((parent for parent in target.parents if parent.is_file()), None):
        raise InputError(f"{file} is a file. Choose another folder.")
    check_replaceable(
        target, is_own=lambda existing: (existing / manifest.FILE).is_file(), advice="Choose another folder."
    )
    with progress_bar("Copying", 2 * folder_size(folder), in_bytes=True) as advance, atomic_write(target) as new:
        wanted = manifest.build_manifest(folder, advance)
        for entry in wanted.files:
            (new / entry.path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(folder / entry.path, new / entry.path)
            advance(entry.size)
        write_bytes(new / manifest.FILE, wanted.to_bytes())
    return UploadResult(
        url=str(target), files=len(wanted.files), size=wanted.size, files_sent=len(wanted.files), bytes_sent=wanted.size
    )


def _read_valid_manifest(storage: RemoteStorage, path: str) -> Manifest | None:
    """Read a manifest, or return None if it is missing or invalid; all files are then uploaded."""
    data = read_manifest(storage, path)
    try:
        return None if data is None else manifest.parse_manifest(data, path)
    except AslkitError:
        return None


def _find_stale_files(storage: RemoteStorage, wanted: Manifest, known: set[ManifestEntry], url: str) -> list[str]:
    """Return the files of an earlier version, which must be removed because readers would read them too."""
    new, old = {entry.path for entry in wanted.files}, {entry.path for entry in known}
    names = [f"data/{name}" for name in with_retries(partial(storage.names, "data"), url)]
    if unknown := [name for name in names if name not in new | old]:
        raise InputError(
            f"{redact_url(url)} contains {unknown[0]}, which was not written by `aslkit dataset push`. It would be "
            "read as part of the dataset. Remove it, or push to another location."
        )
    return sorted(old - new)


def _write_state(storage: RemoteStorage, done: list[ManifestEntry], url: str) -> None:
    with_retries(partial(storage.put_bytes, Manifest(files=tuple(done)).to_bytes(), UPLOAD_STATE_FILE), url)


def _has_size(storage: RemoteStorage, entry: ManifestEntry, url: str) -> bool:
    return with_retries(partial(storage.size, entry.path), url) == entry.size


def _upload_file(
    storage: RemoteStorage, local: Path, entry: ManifestEntry, url: str, advance: Callable[[int], None]
) -> None:
    reported: list[int] = []

    def report(count: int) -> None:
        reported.append(count)
        advance(count)

    def put() -> None:
        # Undo the progress of a failed attempt.
        advance(-sum(reported))
        reported.clear()
        storage.put(local, entry.path, report)
        # A driver can return without an error although the connection was cut.
        if (size := storage.size(entry.path)) != entry.size:
            raise ConnectionError(f"{size} of {entry.size} bytes of {entry.path} were uploaded")

    with_retries(put, url)
