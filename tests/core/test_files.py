import errno
import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aslkit.core.files import atomic_write, file_hash, natural_key, remove, write_bytes, write_durably, write_text


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_atomic_write_creates_file_and_folders(tmp_path: Path) -> None:
    write_text(tmp_path / "a" / "b" / "c.txt", "ä\n")
    assert (tmp_path / "a" / "b" / "c.txt").read_bytes() == "ä\n".encode()
    assert names(tmp_path / "a" / "b") == ["c.txt"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_failed_write_keeps_old_file(tmp_path: Path, error: type[BaseException]) -> None:
    path = tmp_path / "report.txt"
    path.write_text("old")

    def fails() -> None:
        with atomic_write(path) as partial:
            partial.write_text("half of the n")
            raise error

    with pytest.raises(error):
        fails()
    assert path.read_text() == "old"
    assert names(tmp_path) == ["report.txt"]


def test_failed_write_keeps_old_folder(tmp_path: Path) -> None:
    path = tmp_path / "dataset"
    write_text(path / "data" / "1", "old")

    def fails() -> None:
        with atomic_write(path) as partial:
            write_text(partial / "data" / "1", "new")
            raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        fails()
    assert (path / "data" / "1").read_text() == "old"
    assert names(tmp_path) == ["dataset"]


def test_leftovers_of_killed_processes_are_removed_but_active_writes_kept(tmp_path: Path) -> None:
    killed = subprocess.Popen([sys.executable, "-c", ""])
    killed.wait()
    path, long_ago = tmp_path / "dataset", time.time() - 3600
    write_text(path / "data", "old")
    for name in (f".dataset.partial-{killed.pid}", f".dataset.old-{killed.pid}", f".dataset.partial-{os.getppid()}",
                 f".other.partial-{killed.pid}", ".dataset.partial-x"):  # fmt: skip
        write_text(tmp_path / name / "half", "x")
        for each in (tmp_path / name, tmp_path / name / "half"):
            os.utime(each, (long_ago, long_ago))
    fresh = tmp_path / f".dataset.partial-{killed.pid}0000000"
    write_text(fresh / "half", "just now, on another machine")
    with atomic_write(path) as partial:
        write_text(partial / "data", "new")
    kept = [f".dataset.partial-{os.getppid()}", f".other.partial-{killed.pid}", ".dataset.partial-x", fresh.name]
    assert names(tmp_path) == sorted([*kept, "dataset"])
    assert (path / "data").read_text() == "new"


def test_new_folder_replaces_old_one_completely(tmp_path: Path) -> None:
    path = tmp_path / "dataset"
    write_text(path / "data" / "old", "old")
    with atomic_write(path) as partial:
        write_text(partial / "data" / "new", "new")
    assert names(tmp_path) == ["dataset"]
    assert names(path / "data") == ["new"]


def test_block_that_writes_nothing_keeps_old_file(tmp_path: Path) -> None:
    write_text(tmp_path / "dataset" / "1", "old")
    with pytest.raises(FileNotFoundError), atomic_write(tmp_path / "dataset"):
        pass
    assert (tmp_path / "dataset" / "1").read_text() == "old"
    assert names(tmp_path) == ["dataset"]


def test_full_disk_keeps_old_file(tmp_path: Path) -> None:
    path = tmp_path / "report.txt"
    path.write_text("old")

    def fails() -> None:
        with atomic_write(path) as partial:
            partial.write_text("half")
            with Path("/dev/full").open("wb", buffering=0) as full:
                full.write(b"the other half")

    with pytest.raises(OSError, match="No space left") as caught:
        fails()
    assert caught.value.errno == errno.ENOSPC
    assert path.read_text() == "old"
    assert names(tmp_path) == ["report.txt"]


def test_leftover_of_killed_process_is_overwritten(tmp_path: Path) -> None:
    write_text(tmp_path / f".dataset.partial-{os.getpid()}" / "half", "x")
    with atomic_write(tmp_path / "dataset") as partial:
        write_text(partial / "whole", "x")
    assert names(tmp_path) == ["dataset"]
    assert names(tmp_path / "dataset") == ["whole"]


@pytest.mark.parametrize("name", ["x" * 255, "é" * 127, "x" * 251 + ".jpg", "\udcff.jpg"])
def test_longest_and_strangest_file_names(tmp_path: Path, name: str) -> None:
    write_bytes(tmp_path / name, b"1")
    write_bytes(tmp_path / name, b"2")
    assert (tmp_path / name).read_bytes() == b"2"
    assert names(tmp_path) == [name]


def test_remove_deletes_link_but_not_its_target(tmp_path: Path) -> None:
    write_text(tmp_path / "real" / "1", "kept")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    remove(tmp_path / "link")
    remove(tmp_path / "never was")
    assert names(tmp_path) == ["real"]
    assert (tmp_path / "real" / "1").read_text() == "kept"


def test_natural_key_sorts_numbers() -> None:
    listed = ["1.jpg", "01.jpg", "2.jpg", "10.jpg", "a-9", "a-10", "a", "a-9-2", "b"]
    assert sorted(listed, key=natural_key) == ["01.jpg", "1.jpg", "2.jpg", "10.jpg", "a", "a-9", "a-9-2", "a-10", "b"]


@given(st.lists(st.text("019a.-²٣", max_size=6), unique=True), st.randoms(use_true_random=False))
def test_order_is_independent_of_the_file_system(listed: list[str], random: object) -> None:
    shuffled = listed.copy()
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert sorted(shuffled, key=natural_key) == sorted(listed, key=natural_key)


def test_file_hash_covers_file_and_reports_blocks(tmp_path: Path) -> None:
    path, told = tmp_path / "large", list[int]()
    path.write_bytes(data := bytes(range(256)) * 10_000)
    assert file_hash(path, told.append) == hashlib.sha256(data).hexdigest()
    assert sum(told) == len(data)
    assert len(told) > 1


def test_windows_skips_unsupported_calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows cannot open a folder, and signal 0, which tests whether a process is alive, is Ctrl-C there."""

    def unknown(*_: object) -> None:
        raise PermissionError(errno.EACCES, "as Windows says")

    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(os, "open", unknown)
    monkeypatch.setattr(os, "kill", unknown)
    write_durably(tmp_path / "a.jpg", b"frame")
    assert (tmp_path / "a.jpg").read_bytes() == b"frame"
    left = tmp_path / ".run.partial-1"
    left.mkdir()
    os.utime(left, (0, 0))
    with atomic_write(tmp_path / "run") as partial:
        partial.mkdir()
    assert names(tmp_path) == [".run.partial-1", "a.jpg", "run"]
