"""Sending a dataset elsewhere, so that nothing half-sent is ever taken for whole.

What is whole there already stays; manifest.json goes first and comes last, and between them another file says what has
arrived. It can be stopped at any moment; the same command again goes on.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from aslkit.core.errors import AslkitError, InputError
from aslkit.core.files import atomic_write, folder_size, write_bytes
from aslkit.core.progress import progress_bar
from aslkit.core.retry import redact_url, with_retries
from aslkit.datasets.sharing import manifest
from aslkit.datasets.sharing.manifest import Manifest, ManifestEntry
from aslkit.datasets.sharing.remote_storage import WEB, RemoteStorage, is_url, open_remote, read_manifest

SENDING: Final = "manifest.sending.json"
"""While a dataset is being sent, what of it is there. The manifest itself is not."""


@dataclass(frozen=True, kw_only=True)
class UploadResult:
    """What sending did: `files` and `size` (bytes) in all, and how many of either had to be sent."""

    url: str
    files: int
    size: int
    files_sent: int
    bytes_sent: int


def check_upload_target(url: str) -> None:
    """Check that something can be sent to a URL, before the long work of preparing it.

    Raises:
        InputError: a web server, or no such kind of place.
        AslkitError: its driver is not installed.
    """
    if url.lower().startswith(WEB):
        raise InputError(
            "A web server takes no dataset. Push to s3://, gs://, hf:// or a folder, and let the web server show that."
        )
    if is_url(url) and not url.startswith("file://"):
        with open_remote(url):
            pass


def upload_dataset(folder: Path, url: str) -> UploadResult:
    """Send a dataset's folder to a URL; what is there already, from an interrupted try or an earlier version, stays.

    Raises:
        InputError: there are other data files, which would mix with these; or nothing can be sent there.
        AslkitError: the connection failed again and again.
    """
    check_upload_target(url)
    with progress_bar("Reading", folder_size(folder), in_bytes=True) as advance:
        wanted = manifest.build_manifest(folder, advance)
    with open_remote(url) as place:
        whole = with_retries(partial(_known, place, manifest.FILE), url)
        begun = with_retries(partial(_known, place, SENDING), url)
        there = set(whole.files if whole else ()) | set(begun.files if begun else ())
        if whole == wanted and begun is None:
            return UploadResult(
                url=redact_url(url), files=len(wanted.files), size=wanted.size, files_sent=0, bytes_sent=0
            )
        stale = _stale(place, wanted, there, url)
        done = [entry for entry in wanted.files if entry in there and _arrived(place, entry, url)]
        missing = [entry for entry in wanted.files if entry not in done]
        _note(place, done, url)
        with_retries(partial(place.remove, manifest.FILE), url)
        with progress_bar("Sending", sum(entry.size for entry in missing), in_bytes=True) as advance:
            for entry in missing:
                _send_file(place, folder / entry.path, entry, url, advance)
                done.append(entry)
                _note(place, done, url)
        for path in stale:
            with_retries(partial(place.remove, path), url)
        with_retries(partial(place.put_bytes, wanted.to_bytes(), manifest.FILE), url)
        with_retries(partial(place.remove, SENDING), url)
    sent = sum(entry.size for entry in missing)
    return UploadResult(
        url=redact_url(url), files=len(wanted.files), size=wanted.size, files_sent=len(missing), bytes_sent=sent
    )


def copy_dataset(folder: Path, target: Path) -> UploadResult:
    """As `upload_dataset`, to a folder of this machine, which is replaced whole or not at all.

    Raises:
        InputError: something else lies there.
    """
    if target.resolve() == folder.resolve():
        raise InputError(f"{target} is the dataset itself. Name another folder.")
    if file := next((each for each in (target, *target.parents) if each.is_file()), None):
        raise InputError(f"{file} is a file. Name a folder.")
    if target.exists() and not (target / manifest.FILE).is_file() and any(target.iterdir()):
        raise InputError(f"{target} holds something that `aslkit dataset push` did not put there. Name another folder.")
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


def _known(place: RemoteStorage, path: str) -> Manifest | None:
    """What a manifest there says; None where there is none that can be read, and all will be sent."""
    data = read_manifest(place, path)
    try:
        return None if data is None else manifest.parse_manifest(data, path)
    except AslkitError:
        return None


def _stale(place: RemoteStorage, wanted: Manifest, there: set[ManifestEntry], url: str) -> list[str]:
    """Data files of an earlier version, which must go: whoever opens the folder would read them too."""
    new, old = {entry.path for entry in wanted.files}, {entry.path for entry in there}
    names = [f"data/{name}" for name in with_retries(partial(place.names, "data"), url)]
    if strange := [name for name in names if name not in new | old]:
        raise InputError(
            f"{redact_url(url)} holds {strange[0]}, which `aslkit dataset push` did not put there: it would be taken for a "
            "part of the dataset. Remove it, or push to another place."
        )
    return sorted(old - new)


def _note(place: RemoteStorage, done: list[ManifestEntry], url: str) -> None:
    with_retries(partial(place.put_bytes, Manifest(files=tuple(done)).to_bytes(), SENDING), url)


def _arrived(place: RemoteStorage, entry: ManifestEntry, url: str) -> bool:
    return with_retries(partial(place.size, entry.path), url) == entry.size


def _send_file(
    place: RemoteStorage, local: Path, entry: ManifestEntry, url: str, advance: Callable[[int], None]
) -> None:
    heard: list[int] = []

    def hear(count: int) -> None:
        heard.append(count)
        advance(count)

    def put() -> None:
        advance(-sum(heard))
        heard.clear()
        place.put(local, entry.path, hear)
        if (size := place.size(entry.path)) != entry.size:
            raise ConnectionError(f"{size} of {entry.size} bytes of {entry.path} arrived")

    with_retries(put, url)
