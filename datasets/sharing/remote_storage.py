"""Read and write files at remote locations.

https:// is read with Python's own HTTP client, which can resume at an offset and needs little memory. All other
locations are accessed through fsspec.
"""

import base64
import http.client
import logging
import re
import urllib.error
import urllib.parse
import urllib.request
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, Protocol

from aslkit import __version__
from aslkit.core.errors import AslkitError, InputError
from aslkit.core.installation import install_extra_command
from aslkit.datasets.sharing.manifest import MAX_BYTES
from aslkit.datasets.sharing.retry import redact_url

BLOCK_BYTES: Final = 4_194_304
"""Number of bytes read at once."""

TIMEOUT_S: Final = 30.0
"""Time without data after which a request fails."""

WEB: Final = ("https://", "http://")

_FILE: Final = "file://"

_SCHEMES_WITH_HOST: Final = ("https", "http", "s3", "gs", "hf")
"""URL schemes that need a server or bucket after ://."""

_SUPPORTED_URLS: Final = "Supported: a folder, s3://BUCKET/…, gs://BUCKET/…, hf://datasets/ORG/NAME or https://…"

_FORBIDDEN_STATUS: Final = (401, 403, 407)
_MISSING_STATUS: Final = (404, 410)


class ReadableStorage(Protocol):
    """A remote folder that can be read. Paths are relative to it. All methods can raise any network or driver error."""

    def read(self, path: str, start: int = 0) -> Iterator[bytes]:
        """Yield the bytes of a file from the offset `start`, in blocks. Raise FileNotFoundError if it is missing."""


class RemoteStorage(ReadableStorage, Protocol):
    """A remote folder that can be read and written."""

    def size(self, path: str) -> int | None:
        """Return the size of a file in bytes, or None if it does not exist."""

    def names(self, folder: str) -> list[str]:
        """Return the names of the files in a folder. The list is empty if the folder does not exist."""

    def put(self, local: Path, path: str, advance: Callable[[int], None]) -> None:
        """Upload a file, calling `advance` with the number of bytes sent."""

    def put_bytes(self, data: bytes, path: str) -> None:
        """Upload a small file."""

    def remove(self, path: str) -> None:
        """Remove a file, if it exists."""


def is_url(text: str) -> bool:
    """Return whether the text is a URL."""
    return re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", text) is not None


def local_folder(location: str) -> Path | None:
    """Return the folder of a path or a file:// URL, or None for another URL.

    A file:// URL is taken literally if that folder exists, and otherwise decoded: browsers write %20 for a space.

    Raises:
        InputError: the path is empty.
    """
    if location in ("", _FILE):
        raise InputError("The path is empty. Is a variable unset?")
    if not is_url(location):
        return Path(location)
    if not location.lower().startswith(_FILE):
        return None
    literal = location[len(_FILE) :].removeprefix("localhost")
    return Path(literal) if Path(literal).exists() else Path(urllib.parse.unquote(literal)).expanduser()


def base_name(location: str) -> str:
    """Return the last part of a path, or of a URL's path, which is the default name of a dataset."""
    folder = local_folder(location)
    path = location.partition("?")[0] if folder is None else folder.as_posix()
    return path.rstrip("/").rpartition("/")[2]


@contextmanager
def open_readable(url: str) -> Iterator[ReadableStorage]:
    """Open a remote folder for reading, and close the connection at the end of the block.

    Raises:
        InputError, AslkitError: see `open_remote`.
    """
    _check_has_host(url)
    if url.lower().startswith(WEB):
        yield WebStorage(url)
    else:
        with open_remote(url) as storage:
            yield storage


@contextmanager
def open_remote(url: str) -> Iterator[RemoteStorage]:
    """Open a remote folder for reading and writing, and close the connection at the end of the block.

    Raises:
        InputError: the URL is not supported.
        AslkitError: a required package is not installed, or the connection failed. Most drivers connect later, on
            the first request.
    """
    _check_has_host(url)
    system, root = _open_file_system(url)
    try:
        yield FsspecStorage(system, root)
    finally:
        _close(system)


def _check_has_host(url: str) -> None:
    """Raise InputError if the URL has no server or bucket."""
    scheme, _, rest = url.partition("://")
    if scheme.lower() in _SCHEMES_WITH_HOST and not rest.partition("?")[0].partition("/")[0]:
        raise InputError(f"{redact_url(url)} names no server or bucket. {_SUPPORTED_URLS}")


def _open_file_system(url: str) -> tuple[Any, str]:
    import fsspec  # type: ignore[import-untyped]

    # gcsfs logs a traceback for each failed request. `with_retries` reports the error instead.
    logging.getLogger("gcsfs").setLevel(logging.CRITICAL)

    scheme = url.partition("://")[0].lower()
    # fsspec would reuse listings, which change during an upload, and file systems, which `_close` has closed.
    options: dict[str, Any] = {"use_listings_cache": False, "skip_instance_cache": True}
    if scheme == "s3":  # `with_retries` already retries, so botocore must not
        options["config_kwargs"] = {"retries": {"max_attempts": 1}}
    if (folder := local_folder(url)) is not None:  # fsspec would take :: in a path for a chain of URLs
        return fsspec.filesystem("file", **options), folder.absolute().as_posix()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # Google's packages warn about old Python versions
            system, root = fsspec.core.url_to_fs(url, **options)
        return system, str(root).rstrip("/")
    except ImportError as error:
        raise AslkitError(
            f"{scheme}:// needs a package that is not installed ({_first_line(error)}). "
            f"Install it with: {install_extra_command('remote')}"
        ) from error
    except ValueError as error:
        raise InputError(f"{redact_url(url)} cannot be opened ({_first_line(error)}). {_SUPPORTED_URLS}") from error
    except OSError as error:  # ftp:// and others connect immediately
        raise AslkitError(f"{redact_url(url)} cannot be opened ({_first_line(error)}). {_SUPPORTED_URLS}") from error


def _close(system: Any) -> None:
    """Close the connections of a file system. s3fs and gcsfs provide the static method `close_session` for this."""
    session = getattr(system, "_s3", None) or getattr(system, "_session", None)
    if session is not None and hasattr(system, "close_session"):
        system.close_session(system.loop, session)


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def read_manifest(storage: ReadableStorage, path: str) -> bytes | None:
    """Read a manifest, or return None if it does not exist.

    Raises:
        AslkitError: the file is larger than any manifest.
    """
    data = b""
    try:
        for block in storage.read(path):
            data += block
            if len(data) > MAX_BYTES:
                raise AslkitError(f"{path} has more than {MAX_BYTES:,} bytes, so it is not a manifest of a dataset.")
    except FileNotFoundError:
        return None
    return data


class FsspecStorage:
    """A folder of an fsspec file system.

    Args:
        system: the file system.
        root: path of the folder in the file system.
    """

    def __init__(self, system: Any, root: str) -> None:
        self._system, self._root = system, root

    def read(self, path: str, start: int = 0) -> Iterator[bytes]:
        """See `ReadableStorage.read`."""
        size = self.size(path)
        if size is None:
            raise FileNotFoundError(path)
        # In blocks, because cat_file of a complete shard would hold all of it in memory.
        for at in range(start, size, BLOCK_BYTES):
            yield self._system.cat_file(self._full_path(path), start=at, end=min(size, at + BLOCK_BYTES))

    def size(self, path: str) -> int | None:
        """See `RemoteStorage.size`."""
        try:
            return int(self._system.info(self._full_path(path))["size"])
        except FileNotFoundError:
            return None

    def names(self, folder: str) -> list[str]:
        """See `RemoteStorage.names`."""
        try:
            return [str(name).rpartition("/")[2] for name in self._system.ls(self._full_path(folder), detail=False)]
        except (FileNotFoundError, NotADirectoryError):
            return []

    def put(self, local: Path, path: str, advance: Callable[[int], None]) -> None:
        """See `RemoteStorage.put`."""
        from fsspec.callbacks import Callback  # type: ignore[import-untyped]

        class ProgressCallback(Callback):  # type: ignore[misc]
            def relative_update(self, inc: int = 1) -> None:
                advance(inc)

        self._system.put_file(str(local), self._full_path(path), callback=ProgressCallback())

    def put_bytes(self, data: bytes, path: str) -> None:
        """See `RemoteStorage.put_bytes`."""
        self._system.pipe_file(self._full_path(path), data)

    def remove(self, path: str) -> None:
        """See `RemoteStorage.remove`."""
        with suppress(FileNotFoundError):
            self._system.rm_file(self._full_path(path))

    def _full_path(self, path: str) -> str:
        return f"{self._root}/{path}"


class WebStorage:
    """A folder of a web server, which can only be read.

    Args:
        url: URL of the folder. User, password and query are sent with each request, and not to other servers.
    """

    def __init__(self, url: str) -> None:
        parts = urllib.parse.urlsplit(url)
        # identity: sizes and offsets in the manifest refer to the uncompressed file.
        self._headers = {"User-Agent": f"aslkit/{__version__}", "Accept-Encoding": "identity"}
        self._authorization = None
        if parts.username is not None:
            credentials = (urllib.parse.unquote(parts.username), urllib.parse.unquote(parts.password or ""))
            self._authorization = "Basic " + base64.b64encode(":".join(credentials).encode()).decode()
        self._parts = parts._replace(netloc=parts.netloc.rpartition("@")[2])

    def read(self, path: str, start: int = 0) -> Iterator[bytes]:
        """See `ReadableStorage.read`. If the server ignores the offset, the first `start` bytes are skipped."""
        with self._request(path, {"Range": f"bytes={start}-"} if start else {}) as response:
            # 206 means that the server honours the range; 200 is the complete file.
            skip = start if response.status == 200 else 0
            while block := response.read(BLOCK_BYTES):
                if len(block) > skip:
                    yield block[skip:]
                skip = max(0, skip - len(block))

    def _request(self, path: str, headers: dict[str, str]) -> http.client.HTTPResponse:
        folder = self._parts.path.rstrip("/")
        url = urllib.parse.urlunsplit(self._parts._replace(path=f"{folder}/{urllib.parse.quote(path)}"))
        request = urllib.request.Request(url, headers={**self._headers, **headers})
        if self._authorization:
            request.add_unredirected_header("Authorization", self._authorization)  # not sent to other servers
        try:
            response: http.client.HTTPResponse = urllib.request.urlopen(request, timeout=TIMEOUT_S)
            return response
        except urllib.error.HTTPError as error:
            error.close()
            if error.code in _MISSING_STATUS:
                raise FileNotFoundError(path) from error
            if error.code in _FORBIDDEN_STATUS:
                raise PermissionError(f"{error.code} {error.reason}") from error
            raise
