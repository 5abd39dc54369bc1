"""Places where a dataset may lie that are no folder of this machine: what reads and writes files there.

https:// is read with Python's own client, which goes on at an offset and holds little; all others go through fsspec.
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
from aslkit.core.retry import redact_url
from aslkit.datasets.sharing.manifest import MAX_BYTES

BLOCK_BYTES: Final = 4_194_304
"""Read at once."""

TIMEOUT_S: Final = 30.0
"""Without a byte."""

WEB: Final = ("https://", "http://")

_NAMED: Final = ("https", "http", "s3", "gs", "hf")
"""Kinds of place that have a name of their own: a server, a bucket."""

_PLACES: Final = "Datasets lie in folders, or at s3://BUCKET/…, gs://BUCKET/…, hf://datasets/ORG/NAME, https://…"

FORBIDDEN: Final = (401, 403, 407)
MISSING: Final = (404, 410)


class ReadableStorage(Protocol):
    """A folder elsewhere, to read from. Paths are relative to it. All may raise whatever network and drivers raise."""

    def read(self, path: str, start: int = 0) -> Iterator[bytes]:
        """Yield a file's bytes from an offset on, in blocks. Raises FileNotFoundError."""


class RemoteStorage(ReadableStorage, Protocol):
    """A folder elsewhere, to read and to write."""

    def size(self, path: str) -> int | None:
        """Size of a file in bytes; None where there is none."""

    def names(self, folder: str) -> list[str]:
        """Names of the files in a folder; none where there is none."""

    def put(self, local: Path, path: str, advance: Callable[[int], None]) -> None:
        """Send a file; `advance` hears of bytes sent."""

    def put_bytes(self, data: bytes, path: str) -> None:
        """Send a small file."""

    def remove(self, path: str) -> None:
        """Remove a file; a missing one is fine."""


def is_url(text: str) -> bool:
    """Whether a dataset's name is a URL."""
    return re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", text) is not None


def base_name(url: str) -> str:
    """The last part of a URL's path, which a dataset may be called by."""
    return url.partition("?")[0].rstrip("/").rpartition("/")[2]


@contextmanager
def open_readable(url: str) -> Iterator[ReadableStorage]:
    """Open the place that a URL names, to read from it, and leave it tidily.

    Raises:
        InputError, AslkitError: as `open_remote`.
    """
    _check_names_a_place(url)
    if url.lower().startswith(WEB):
        yield WebStorage(url)
    else:
        with open_remote(url) as place:
            yield place


@contextmanager
def open_remote(url: str) -> Iterator[RemoteStorage]:
    """Open the place that a URL names, to read and to write, and leave it tidily.

    Raises:
        InputError: no such kind of place.
        AslkitError: what is needed for it is not installed, or it connects at once and cannot.
    """
    _check_names_a_place(url)
    system, root = _file_system(url)
    try:
        yield FsspecStorage(system, root)
    finally:
        _close(system)


def _check_names_a_place(url: str) -> None:
    """Raise InputError where nothing stands between :// and the first slash: no server, no bucket."""
    scheme, _, rest = url.partition("://")
    if scheme.lower() in _NAMED and not rest.partition("?")[0].partition("/")[0]:
        raise InputError(f"{redact_url(url)} names no server or bucket. {_PLACES}")


def _file_system(url: str) -> tuple[Any, str]:
    import fsspec  # type: ignore[import-untyped]

    logging.getLogger("gcsfs").setLevel(logging.CRITICAL)  # of each failure it shows a traceback; `tried` explains it

    scheme = url.partition("://")[0].lower()
    options: dict[str, Any] = {"use_listings_cache": False, "skip_instance_cache": True}
    if scheme == "s3":  # s3fs tries again by itself, and so do we
        options["config_kwargs"] = {"retries": {"max_attempts": 1}}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # Google's, of Python versions to come
            system, root = fsspec.core.url_to_fs(url, **options)
        return system, str(root).rstrip("/")
    except ImportError as error:
        raise AslkitError(
            f"{scheme}:// needs a driver that is not installed ({_first_line(error)}). "
            'Run `pip install "aslkit[remote]"`.'
        ) from error
    except ValueError as error:
        raise InputError(f"{redact_url(url)} cannot be reached ({_first_line(error)}). {_PLACES}") from error
    except OSError as error:  # ftp:// and others connect at once
        raise AslkitError(f"{redact_url(url)} cannot be reached ({_first_line(error)}). {_PLACES}") from error


def _close(system: Any) -> None:
    """Close the connections of a file system: s3fs and gcsfs have a static `close_session` for it."""
    session = getattr(system, "_s3", None) or getattr(system, "_session", None)
    if session is not None and hasattr(system, "close_session"):
        system.close_session(system.loop, session)


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def read_manifest(place: ReadableStorage, path: str) -> bytes | None:
    """A manifest's bytes; None where there is none.

    Raises:
        AslkitError: it is larger than any manifest.
    """
    data = b""
    try:
        for block in place.read(path):
            data += block
            if len(data) > MAX_BYTES:
                raise AslkitError(f"{path} has more than {MAX_BYTES:,} bytes: it is no manifest of a dataset.")
    except FileNotFoundError:
        return None
    return data


class FsspecStorage:
    """A folder of an fsspec file system.

    Args:
        system: the file system.
        root: the folder's path in it.
    """

    def __init__(self, system: Any, root: str) -> None:
        self._system, self._root = system, root

    def read(self, path: str, start: int = 0) -> Iterator[bytes]:
        """As `Place.read`."""
        size = self.size(path)
        if size is None:
            raise FileNotFoundError(path)
        for at in range(start, size, BLOCK_BYTES):
            yield self._system.cat_file(self._at(path), start=at, end=min(size, at + BLOCK_BYTES))

    def size(self, path: str) -> int | None:
        """As `Place.size`."""
        try:
            return int(self._system.info(self._at(path))["size"])
        except FileNotFoundError:
            return None

    def names(self, folder: str) -> list[str]:
        """As `Place.names`."""
        try:
            return [str(name).rpartition("/")[2] for name in self._system.ls(self._at(folder), detail=False)]
        except (FileNotFoundError, NotADirectoryError):
            return []

    def put(self, local: Path, path: str, advance: Callable[[int], None]) -> None:
        """As `Place.put`."""
        from fsspec.callbacks import Callback  # type: ignore[import-untyped]

        class Heard(Callback):  # type: ignore[misc]
            def relative_update(self, inc: int = 1) -> None:
                advance(inc)

        self._system.put_file(str(local), self._at(path), callback=Heard())

    def put_bytes(self, data: bytes, path: str) -> None:
        """As `Place.put_bytes`."""
        self._system.pipe_file(self._at(path), data)

    def remove(self, path: str) -> None:
        """As `Place.remove`."""
        with suppress(FileNotFoundError):
            self._system.rm_file(self._at(path))

    def _at(self, path: str) -> str:
        return f"{self._root}/{path}"


class WebStorage:
    """A folder of a web server, to read from.

    Args:
        url: of the folder; user, password and what follows a question mark are sent with each request, and only to it.
    """

    def __init__(self, url: str) -> None:
        parts = urllib.parse.urlsplit(url)
        self._headers = {"User-Agent": f"aslkit/{__version__}", "Accept-Encoding": "identity"}
        self._secret = None
        if parts.username is not None:
            names = (urllib.parse.unquote(parts.username), urllib.parse.unquote(parts.password or ""))
            self._secret = "Basic " + base64.b64encode(":".join(names).encode()).decode()
        self._parts = parts._replace(netloc=parts.netloc.rpartition("@")[2])

    def read(self, path: str, start: int = 0) -> Iterator[bytes]:
        """As `Place.read`; a server that knows no offsets sends all again, of which the first part is passed over."""
        with self._asked(path, {"Range": f"bytes={start}-"} if start else {}) as answer:
            skip = start if answer.status == 200 else 0
            while block := answer.read(BLOCK_BYTES):
                if len(block) > skip:
                    yield block[skip:]
                skip = max(0, skip - len(block))

    def _asked(self, path: str, headers: dict[str, str]) -> http.client.HTTPResponse:
        folder = self._parts.path.rstrip("/")
        url = urllib.parse.urlunsplit(self._parts._replace(path=f"{folder}/{urllib.parse.quote(path)}"))
        request = urllib.request.Request(url, headers={**self._headers, **headers})
        if self._secret:
            request.add_unredirected_header("Authorization", self._secret)
        try:
            answer: http.client.HTTPResponse = urllib.request.urlopen(request, timeout=TIMEOUT_S)
            return answer
        except urllib.error.HTTPError as error:
            error.close()
            if error.code in MISSING:
                raise FileNotFoundError(path) from error
            if error.code in FORBIDDEN:
                raise PermissionError(f"{error.code} {error.reason}") from error
            raise
