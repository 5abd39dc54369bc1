"""A folder that all ranks of a training can read and write: on disk, or on any fsspec store."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from aslkit.datasets.sharing.retry import with_retries

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class SharedFolder:
    """A folder. Temporary failures of a remote store are retried.

    Attributes:
        url: path, or URL such as `s3://…`.
    """

    url: str

    def read(self, name: str) -> bytes:
        """Return the content of a file.

        Raises:
            FileNotFoundError: there is no such file.
        """
        files, folder = self._open()
        files.invalidate_cache()  # another process may have written the file since

        def read() -> bytes | None:
            with suppress(FileNotFoundError):
                return bytes(files.cat_file(f"{folder}/{name}"))
            return None

        data = self._with_retries(read)
        if data is None:
            raise FileNotFoundError(f"{self.url}/{name}")
        return data

    def write(self, name: str, data: bytes) -> None:
        """Write a file atomically (to a temporary file, then renamed), so that no rank reads an incomplete one."""
        files, folder = self._open()
        self._with_retries(partial(files.makedirs, folder, exist_ok=True))
        self._with_retries(partial(files.pipe_file, f"{folder}/.{name}.partial", data))
        self._with_retries(partial(files.mv, f"{folder}/.{name}.partial", f"{folder}/{name}"))

    def upload(self, path: Path) -> None:
        """Copy a file of this machine into the folder, under the same name."""
        files, folder = self._open()
        self._with_retries(partial(files.makedirs, folder, exist_ok=True))
        self._with_retries(partial(files.put_file, str(path), f"{folder}/{path.name}"))

    def delete(self, name: str) -> None:
        """Delete a file."""
        files, folder = self._open()
        self._with_retries(partial(files.rm_file, f"{folder}/{name}"))

    def remove(self) -> None:
        """Delete the folder, if it exists."""
        files, folder = self._open()

        def delete() -> None:
            files.invalidate_cache()
            with suppress(FileNotFoundError):
                files.rm(folder, recursive=True)

        self._with_retries(delete)

    def _open(self) -> tuple[Any, str]:
        """Return the fsspec file system and the folder in it."""
        import fsspec  # type: ignore[import-untyped]

        files, folder = fsspec.core.url_to_fs(self.url)
        return files, folder.rstrip("/")

    def _with_retries(self, action: Callable[[], T]) -> T:
        """Run an action; on a remote store, retry it after a temporary failure."""
        return with_retries(action, self.url) if "://" in self.url else action()
