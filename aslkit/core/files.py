"""Writing files so that a crash, a full disk or Ctrl-C never leaves half of one behind."""

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

_PARTIAL: Final = re.compile(r"\..+\.partial-\d+")

_BLOCK: Final = 1_048_576
"""Bytes read at once."""

_ABANDONED_S: Final = 60
"""Seconds since the last change, after which nobody writes there any more, not even on another machine."""


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Yield a path beside `path` to write to; it takes the place of `path` when the block ends well.

    When the block raises, the new file or folder is removed and `path` is as it was. A process that is killed leaves
    the new one behind; of folders, the next that writes to `path` removes it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = _beside(path, "partial")
    remove(partial)
    try:
        yield partial
        if partial.is_dir():
            _remove_abandoned(path)
        if path.is_dir():
            _swap_folder(partial, path)
        else:
            partial.replace(path)
    finally:
        remove(partial)


def write_bytes(path: Path, data: bytes) -> None:
    """Write `data` to `path`, whole or not at all."""
    with atomic_write(path) as partial:
        partial.write_bytes(data)


def write_durably(path: Path, data: bytes) -> None:
    """As `write_bytes`, and on the disk when it returns: not even a power cut takes it away."""
    with atomic_write(path) as partial, partial.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    if sys.platform == "win32":  # a folder cannot be opened there, and its names are journalled
        return
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def is_partial(name: str) -> bool:
    """Whether a file of this name was being written by `atomic_write` when it was interrupted."""
    return _PARTIAL.fullmatch(name) is not None


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path` as UTF-8, whole or not at all."""
    write_bytes(path, text.encode())


def remove(path: Path) -> None:
    """Remove a file or a folder with all in it; a missing one is fine."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def file_hash(path: Path, advance: Callable[[int], None] = lambda _: None) -> str:
    """SHA-256 of a file's content, in hex; `advance` hears of each block's bytes."""
    digest = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        while block := file.read(_BLOCK):
            digest.update(block)
            advance(len(block))
    return digest.hexdigest()


def folder_size(folder: Path) -> int:
    """Bytes of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def natural_key(name: str) -> list[tuple[int, int, str]]:
    """Sort key that puts `9.jpg` before `10.jpg`; no two names have the same."""
    parts = [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in re.split(r"(\d+)", name) if part]
    return [*parts, (-1, 0, name)]  # 1.jpg and 01.jpg: never in the order the disk happens to list them


def _beside(path: Path, what: str) -> Path:
    """A hidden name in the same folder, no longer than a disk allows (255 bytes) even where the name itself is long."""
    name = path.name.encode(errors="surrogateescape")[:200].decode(errors="ignore")
    return path.with_name(f".{name}.{what}-{os.getpid()}")


def _remove_abandoned(path: Path) -> None:
    """Remove the folders beside `path` that processes were writing, or had just replaced, when they were killed."""
    for what in ("partial", "old"):
        begin = _beside(path, what).name.rstrip("0123456789")
        for found in path.parent.iterdir():
            pid = found.name.removeprefix(begin)
            if pid != found.name and pid.isdecimal() and not _lives(int(pid)) and (what == "partial" or path.is_dir()):
                with suppress(OSError):  # another process may be at it too
                    newest = max(each.stat().st_mtime for each in (found, *found.rglob("*")))
                    if time.time() - newest > _ABANDONED_S:
                        remove(found)


def _lives(pid: int) -> bool:
    if sys.platform == "win32":  # there signal 0 is Ctrl-C: nobody is asked, and nothing removed
        return True
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:  # another user's
        return True
    return True


def _swap_folder(new: Path, path: Path) -> None:
    old = _beside(path, "old")
    path.rename(old)
    try:
        new.rename(path)
    except OSError:
        old.rename(path)
        raise
    remove(old)
