"""Atomic writes: a crash, a full disk or Ctrl-C never leaves a partial file behind."""

import hashlib
import os
import re
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from aslkit.core.errors import AslkitError, InputError

_PARTIAL: Final = re.compile(r"\..+\.partial-\d+")

LOCK_TIMEOUT_S: Final = 10.0
"""Other processes hold a lock for a few milliseconds."""

_BLOCK: Final = 1_048_576
"""Bytes per read."""

_ABANDONED_S: Final = 60
"""Seconds without a change after which a partial folder is abandoned, also by a process on another computer."""


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Yield a temporary path next to `path`, and rename it to `path` when the block succeeds.

    If the block raises, the temporary file or folder is removed and `path` is unchanged. A killed process leaves it
    behind; a temporary folder is removed by the next process that writes to `path`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = _temporary_path(path, "partial")
    remove(partial)
    try:
        yield partial
        if partial.is_dir():
            _remove_abandoned(path)
        # rename replaces a file in one step, but a folder only if it is empty.
        if path.is_dir():
            _swap_folder(partial, path)
        else:
            partial.replace(path)
    finally:
        remove(partial)


def write_bytes(path: Path, data: bytes) -> None:
    """Write `data` to `path` atomically."""
    with atomic_write(path) as partial:
        partial.write_bytes(data)


def write_durably(path: Path, data: bytes) -> None:
    """Write `data` to `path` atomically and flush it to the disk, so that it survives a power failure."""
    # The content is synced before the rename: otherwise a power failure could leave an empty file under the final name.
    with atomic_write(path) as partial, partial.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    if sys.platform == "win32":  # folders cannot be opened there; NTFS journals the rename
        return
    # The new name is an entry of the folder, which has to be synced as well.
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def lock_file(lock: Path, file: Path) -> Iterator[None]:
    """Prevent other processes that use the same lock from writing a file until the end of the block.

    Args:
        lock: path of the lock.
        file: the file, for the error message.

    Raises:
        AslkitError: another process holds the lock for LOCK_TIMEOUT_S.
    """
    from filelock import FileLock, Timeout

    lock.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(lock, timeout=LOCK_TIMEOUT_S):
            yield
    except Timeout as error:
        raise AslkitError(
            f"Another aslkit process has locked {file} for {LOCK_TIMEOUT_S:.0f} s. Stop it and try again."
        ) from error


def is_partial(name: str) -> bool:
    """Return whether this is the name of a temporary file that an interrupted `atomic_write` left behind."""
    return _PARTIAL.fullmatch(name) is not None


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path` atomically, as UTF-8."""
    write_bytes(path, text.encode())


def remove(path: Path) -> None:
    """Remove a file, or a folder with its content, if it exists."""
    # Of a link, only the link is removed. rmtree would refuse it.
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def check_replaceable(folder: Path, *, is_own: Callable[[Path], bool], advice: str) -> None:
    """Check that replacing a folder deletes no files of other programs or commands.

    Args:
        folder: that will be replaced; missing and empty folders pass.
        is_own: returns whether the command itself wrote the folder before.
        advice: end of the error message, such as "Choose another --name."

    Raises:
        InputError: it is a file, or has other content.
    """
    if folder.is_file():
        raise InputError(f"{folder} is a file. {advice}")
    if folder.is_dir() and any(folder.iterdir()) and not is_own(folder):
        raise InputError(f"{folder} already contains other files. {advice}")


def file_hash(path: Path, advance: Callable[[int], None] = lambda _: None) -> str:
    """Return the SHA-256 of a file's content in hex; `advance` is called with the bytes of each block."""
    digest = hashlib.sha256()
    # The blocks are larger than Python's buffer, so buffering has no use.
    with path.open("rb", buffering=0) as file:
        while block := file.read(_BLOCK):
            digest.update(block)
            advance(len(block))
    return digest.hexdigest()


def folder_size(folder: Path) -> int:
    """Return the total size of the files in a folder, bytes."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def natural_key(name: str) -> list[tuple[int, int, str]]:
    """Return a sort key that puts `9.jpg` before `10.jpg`; different names have different keys."""
    parts = [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in re.split(r"(\d+)", name) if part]
    return [*parts, (-1, 0, name)]  # 1.jpg and 01.jpg must not depend on the order of the directory


def _temporary_path(path: Path, kind: str) -> Path:
    """Return a hidden name in the same folder, within the 255 bytes that file systems allow."""
    # 200 bytes leave room for the suffix. A character cut in the middle is dropped.
    name = path.name.encode(errors="surrogateescape")[:200].decode(errors="ignore")
    return path.with_name(f".{name}.{kind}-{os.getpid()}")


def _remove_abandoned(path: Path) -> None:
    """Remove folders next to `path` that killed processes left behind: partial ones, and old ones being replaced."""
    for kind in ("partial", "old"):
        prefix = _temporary_path(path, kind).name.rstrip("0123456789")
        for found in path.parent.iterdir():
            pid = found.name.removeprefix(prefix)
            if (
                pid != found.name
                and pid.isdecimal()
                and not _is_running(int(pid))
                # A process killed between the two renames of _swap_folder leaves the only copy in "old": keep it.
                and (kind == "partial" or path.is_dir())
            ):
                with suppress(OSError):  # another process may be removing it too
                    # The process may run on another computer that shares the disk, so its number alone does not decide.
                    changed = max(each.stat().st_mtime for each in (found, *found.rglob("*")))
                    if time.time() - changed > _ABANDONED_S:
                        remove(found)


def _is_running(pid: int) -> bool:
    if sys.platform == "win32":  # signal 0 would be Ctrl-C there, so keep the folder
        return True
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:  # the process belongs to another user
        return True
    return True


def _swap_folder(new: Path, path: Path) -> None:
    old = _temporary_path(path, "old")
    path.rename(old)
    try:
        new.rename(path)
    except OSError:
        old.rename(path)
        raise
    remove(old)
