"""The index: what was written comes back, whatever happened to the file since."""

import errno
import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aslkit.core.letters import LETTERS
from aslkit.formats.frame_index import INDEX_FILE, FrameIndex, IndexEntry
from aslkit.vision.perceptual_hash import FINE_BITS

MakeEntry = Callable[..., IndexEntry]

numbers = st.floats(-2, 3, width=32)
files = st.builds(
    "{}/{}".format,
    st.sampled_from(LETTERS),
    st.text(st.characters(exclude_characters="/\x00"), min_size=1).filter(lambda name: name not in (".", "..")),
)
entries = st.builds(
    IndexEntry,
    file=files,
    time=st.none() | st.datetimes().map(lambda at: at.isoformat()),
    burst=st.integers(0, 10**6),
    width=st.integers(1, 10**5),
    height=st.integers(1, 10**5),
    phash=st.integers(0, (1 << 64) - 1),
    fine_hash=st.integers(0, (1 << FINE_BITS) - 1),
    hand=st.sampled_from([None, "left", "right"]),
    score=st.none() | st.floats(0.5, 1),
    brightness=st.none() | st.floats(0, 1),
    landmarks=st.none() | st.lists(numbers, min_size=63, max_size=63).map(tuple),
    reasons=st.lists(st.sampled_from(["moved", "blurred"]), unique=True).map(tuple),
    recovered=st.booleans(),
)


@given(entries)
def test_a_line_comes_back_as_the_entry_that_it_was(entry: IndexEntry) -> None:
    line = entry.line()
    assert "\n" not in line
    assert IndexEntry.read(json.loads(line)) == entry


def test_a_name_that_is_no_text_comes_back(tmp_path: Path, entry: MakeEntry) -> None:
    FrameIndex.load(tmp_path).add(entry("A/\udcff.jpg"))
    assert list(FrameIndex.load(tmp_path).entries) == ["A/\udcff.jpg"]


def test_an_entry_has_the_joints_of_the_look_it_was_made_of(entry: MakeEntry, seen: Callable[..., Any]) -> None:
    for made, look in (
        (entry("A/1.jpg"), seen()),
        (IndexEntry.from_metrics(seen(hand=None), file="A/1.jpg"), seen(hand=None)),
    ):
        assert made.joints == pytest.approx(look.joints, abs=1e-4, nan_ok=True)
        assert made.joints.dtype == np.float32


def filled(folder: Path, entry: MakeEntry, count: int = 3) -> tuple[Path, list[IndexEntry]]:
    index, made = FrameIndex.load(folder), [entry(f"A/{number}.jpg", number) for number in range(count)]
    for each in made:
        index.add(each)
    return folder / INDEX_FILE, made


def test_what_is_added_and_removed_is_what_the_next_one_reads(tmp_path: Path, entry: MakeEntry) -> None:
    _, made = filled(tmp_path, entry)
    index = FrameIndex.load(tmp_path)
    index.remove("A/1.jpg")
    index.add(made[1])
    index.remove("A/0.jpg")
    assert list(index.entries.values()) == list(FrameIndex.load(tmp_path).entries.values()) == [made[2], made[1]]


def test_no_file_lists_nothing(tmp_path: Path) -> None:
    index = FrameIndex.load(tmp_path)
    index.repair()
    assert (index.entries, index.broken) == ({}, 0)
    assert list(tmp_path.iterdir()) == []


def test_cut_off_at_any_byte_of_its_last_line_it_keeps_those_before(tmp_path: Path, entry: MakeEntry) -> None:
    path, made = filled(tmp_path, entry)
    whole = path.read_bytes()
    begins = whole.rstrip(b"\n").rfind(b"\n") + 1
    for size in range(begins, len(whole) + 1):
        path.write_bytes(whole[:size])
        index = FrameIndex.load(tmp_path)
        kept = made if size >= len(whole) - 1 else made[:-1]
        assert list(index.entries.values()) == kept
        assert bool(index.broken) == (begins < size < len(whole))
        if size % 50:
            continue
        index.repair()
        index.add(made[-1])
        again = FrameIndex.load(tmp_path)
        assert (list(again.entries.values()), again.broken) == (made, 0)


JUNK = [
    b"{", b"null", b"5", b"[]", b'"removed"', b"{}", b"\x00\xff\xfe\x80", b"[" * 50_000,
    b'{"file": "A/1.jpg"}', b"NaN",
]  # fmt: skip


@pytest.mark.parametrize("junk", JUNK, ids=lambda junk: repr(junk[:20]))
@pytest.mark.parametrize("place", [0, 1, 3])
def test_junk_is_dropped_and_all_else_kept(tmp_path: Path, entry: MakeEntry, junk: bytes, place: int) -> None:
    path, made = filled(tmp_path, entry)
    lines = path.read_bytes().splitlines()
    path.write_bytes(b"\n".join([*lines[:place], junk, *lines[place:]]) + b"\n")
    index = FrameIndex.load(tmp_path)
    assert (list(index.entries.values()), index.broken) == (made, 1)
    index.repair()
    assert path.read_bytes().splitlines() == lines


@given(st.binary(max_size=300))
def test_whatever_the_file_holds_it_can_be_read_and_mended(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    folder = tmp_path_factory.mktemp("session")
    (folder / INDEX_FILE).write_bytes(data)
    FrameIndex.load(folder).repair()
    assert FrameIndex.load(folder).broken == 0


@pytest.mark.parametrize(
    "change",
    [
        {"file": "J/1.jpg"}, {"file": "../1.jpg"}, {"file": "A/../1.jpg"}, {"file": "A/"}, {"file": "A"}, {"file": 5},
        {"width": 0}, {"height": -1}, {"width": "640"}, {"burst": None}, {"phash": "1" + "0" * 16}, {"phash": "-1"},
        {"phash": 5}, {"fine_hash": "1" + "0" * 64}, {"landmarks": [0.5] * 62}, {"landmarks": "x"},
        {"landmarks": []}, {"landmarks": [float("nan")] * 63}, {"landmarks": [1e300] + [0.5] * 62},
        {"landmarks": [10**400] + [0.5] * 62}, {"width": 10**40},
        {"hand": "both"}, {"reasons": None},
    ],
    ids=str,
)  # fmt: skip
def test_a_line_that_says_what_cannot_be_is_no_entry(tmp_path: Path, entry: MakeEntry, change: dict[str, Any]) -> None:
    values = json.loads(entry("A/1.jpg").line()) | change
    (tmp_path / INDEX_FILE).write_text(json.dumps(values) + "\n")
    index = FrameIndex.load(tmp_path)
    assert (index.entries, index.broken) == ({}, 1)


def test_keys_of_a_later_version_do_no_harm_and_are_kept(tmp_path: Path, entry: MakeEntry) -> None:
    text = json.dumps(json.loads(entry("A/1.jpg").line()) | {"weather": "fair"}) + "\n"
    (tmp_path / INDEX_FILE).write_text(text)
    index = FrameIndex.load(tmp_path)
    index.repair()
    assert (list(index.entries.values()), index.broken) == ([entry("A/1.jpg")], 0)
    assert (tmp_path / INDEX_FILE).read_text() == text


def test_an_older_line_without_what_came_later_is_an_entry(entry: MakeEntry) -> None:
    values = json.loads(entry("A/1.jpg").line())
    del values["recovered"], values["score"]
    assert IndexEntry.read(values) == replace(entry("A/1.jpg"), score=None)


@pytest.mark.parametrize("written", [0, 10])
def test_a_full_disk_leaves_no_part_of_a_line(
    tmp_path: Path, entry: MakeEntry, monkeypatch: pytest.MonkeyPatch, written: int
) -> None:
    path, made = filled(tmp_path, entry)
    before, index = path.read_bytes(), FrameIndex.load(tmp_path)

    def full(handle: int) -> None:
        os.ftruncate(handle, len(before) + written)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        index.add(entry("A/new.jpg"))
    assert path.read_bytes() == before
    assert list(index.entries.values()) == made
