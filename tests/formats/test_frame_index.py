"""The frame index: round trips, and recovery of damaged files."""

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
index_entries = st.builds(
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


@given(index_entries)
def test_entry_survives_json_round_trip(entry: IndexEntry) -> None:
    line = entry.to_json()
    assert "\n" not in line
    assert IndexEntry.from_dict(json.loads(line)) == entry


def test_undecodable_file_name_is_preserved(tmp_path: Path, make_entry: MakeEntry) -> None:
    FrameIndex.load(tmp_path).add(make_entry("A/\udcff.jpg"))
    assert list(FrameIndex.load(tmp_path).entries) == ["A/\udcff.jpg"]


def test_entry_has_same_joints_as_metrics(make_entry: MakeEntry, make_metrics: Callable[..., Any]) -> None:
    for entry, metrics in (
        (make_entry("A/1.jpg"), make_metrics()),
        (IndexEntry.from_metrics(make_metrics(hand=None), file="A/1.jpg"), make_metrics(hand=None)),
    ):
        assert entry.joints == pytest.approx(metrics.joints, abs=1e-4, nan_ok=True)
        assert entry.joints.dtype == np.float32


def create_index(folder: Path, make_entry: MakeEntry, count: int = 3) -> tuple[Path, list[IndexEntry]]:
    index, entries = FrameIndex.load(folder), [make_entry(f"A/{number}.jpg", number) for number in range(count)]
    for entry in entries:
        index.add(entry)
    return folder / INDEX_FILE, entries


def test_added_and_removed_entries_are_loaded(tmp_path: Path, make_entry: MakeEntry) -> None:
    _, entries = create_index(tmp_path, make_entry)
    index = FrameIndex.load(tmp_path)
    index.remove("A/1.jpg")
    index.add(entries[1])
    index.remove("A/0.jpg")
    assert list(index.entries.values()) == list(FrameIndex.load(tmp_path).entries.values()) == [entries[2], entries[1]]


def test_missing_file_is_an_empty_index(tmp_path: Path) -> None:
    index = FrameIndex.load(tmp_path)
    index.repair()
    assert (index.entries, index.broken_lines) == ({}, 0)
    assert list(tmp_path.iterdir()) == []


def test_truncated_last_line_loses_only_that_entry(tmp_path: Path, make_entry: MakeEntry) -> None:
    path, entries = create_index(tmp_path, make_entry)
    content = path.read_bytes()
    last_line_start = content.rstrip(b"\n").rfind(b"\n") + 1
    for size in range(last_line_start, len(content) + 1):
        path.write_bytes(content[:size])
        index = FrameIndex.load(tmp_path)
        expected = entries if size >= len(content) - 1 else entries[:-1]
        assert list(index.entries.values()) == expected
        assert bool(index.broken_lines) == (last_line_start < size < len(content))
        if size % 50:
            continue
        index.repair()
        index.add(entries[-1])
        reloaded = FrameIndex.load(tmp_path)
        assert (list(reloaded.entries.values()), reloaded.broken_lines) == (entries, 0)


BROKEN_LINES = [
    b"{", b"null", b"5", b"[]", b'"removed"', b"{}", b"\x00\xff\xfe\x80", b"[" * 50_000,
    b'{"file": "A/1.jpg"}', b"NaN",
]  # fmt: skip


@pytest.mark.parametrize("line", BROKEN_LINES, ids=lambda line: repr(line[:20]))
@pytest.mark.parametrize("position", [0, 1, 3])
def test_broken_line_is_dropped_and_others_are_kept(
    tmp_path: Path, make_entry: MakeEntry, line: bytes, position: int
) -> None:
    path, entries = create_index(tmp_path, make_entry)
    lines = path.read_bytes().splitlines()
    path.write_bytes(b"\n".join([*lines[:position], line, *lines[position:]]) + b"\n")
    index = FrameIndex.load(tmp_path)
    assert (list(index.entries.values()), index.broken_lines) == (entries, 1)
    index.repair()
    assert path.read_bytes().splitlines() == lines


@given(st.binary(max_size=300))
def test_any_file_can_be_loaded_and_repaired(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    folder = tmp_path_factory.mktemp("session")
    (folder / INDEX_FILE).write_bytes(data)
    FrameIndex.load(folder).repair()
    assert FrameIndex.load(folder).broken_lines == 0


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
def test_invalid_values_are_a_broken_line(tmp_path: Path, make_entry: MakeEntry, change: dict[str, Any]) -> None:
    values = json.loads(make_entry("A/1.jpg").to_json()) | change
    (tmp_path / INDEX_FILE).write_text(json.dumps(values) + "\n")
    index = FrameIndex.load(tmp_path)
    assert (index.entries, index.broken_lines) == ({}, 1)


def test_unknown_keys_are_ignored_and_kept(tmp_path: Path, make_entry: MakeEntry) -> None:
    text = json.dumps(json.loads(make_entry("A/1.jpg").to_json()) | {"weather": "fair"}) + "\n"
    (tmp_path / INDEX_FILE).write_text(text)
    index = FrameIndex.load(tmp_path)
    index.repair()
    assert (list(index.entries.values()), index.broken_lines) == ([make_entry("A/1.jpg")], 0)
    assert (tmp_path / INDEX_FILE).read_text() == text


def test_line_of_older_version_is_valid(make_entry: MakeEntry) -> None:
    values = json.loads(make_entry("A/1.jpg").to_json())
    del values["recovered"], values["score"]
    assert IndexEntry.from_dict(values) == replace(make_entry("A/1.jpg"), score=None)


@pytest.mark.parametrize("written", [0, 10])
def test_full_disk_leaves_no_partial_line(
    tmp_path: Path, make_entry: MakeEntry, monkeypatch: pytest.MonkeyPatch, written: int
) -> None:
    path, entries = create_index(tmp_path, make_entry)
    before, index = path.read_bytes(), FrameIndex.load(tmp_path)

    def raise_disk_full(handle: int) -> None:
        os.ftruncate(handle, len(before) + written)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", raise_disk_full)
    with pytest.raises(OSError, match="No space left"):
        index.add(make_entry("A/new.jpg"))
    assert path.read_bytes() == before
    assert list(index.entries.values()) == entries
