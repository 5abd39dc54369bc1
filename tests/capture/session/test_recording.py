"""Storing, counting and undoing frames, and the question about the other hand. Uses synthetic metrics."""

import errno
import json
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread
from typing import Any

import numpy as np
import pytest

from aslkit.capture.config import CaptureConfig, GateConfig
from aslkit.capture.quality.handedness import FRAMES_BEFORE_QUESTION, MIN_FRAMES_TO_LEARN
from aslkit.capture.session.clip_files import TRASH
from aslkit.capture.session.recording import Recording
from aslkit.capture.session.store import Session, load_earlier_frames
from aslkit.core.errors import InputError
from aslkit.core.workspace import Workspace
from aslkit.formats.captures import count_letters, walk_captures
from aslkit.formats.frame_index import IndexEntry
from aslkit.vision.images import decode_image

OpenRecording = Callable[..., Any]
ProcessFrame = Callable[..., Any]


def files_on_disk(workspace: Workspace) -> list[str]:
    return [f"{frame.letter}/{frame.path.name}" for frame in walk_captures(workspace.captures)]


def files_in_trash(recording: Recording) -> list[str]:
    trash = recording.session.folder / TRASH
    return sorted(path.relative_to(trash).as_posix() for path in trash.rglob("*.jpg"))


def test_good_frame_is_stored_with_its_metadata(
    open_recording: OpenRecording, process_frame: ProcessFrame, empty_workspace: Workspace
) -> None:
    captured_at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    with open_recording() as recording:
        decision = process_frame(recording, 50, captured_at=captured_at)
        recording.flush()
        assert decision.reasons == ()
        assert recording.session.entries == [decision.stored]
        path = recording.session.path(decision.stored)
    assert decode_image(path.read_bytes()) == pytest.approx(np.full((48, 64, 3), 50), abs=1)
    stored = decision.stored
    assert (stored.file, stored.time, stored.hand) == ("A/50.jpg", "2026-01-02T03:04:05.000+00:00", "right")
    assert (recording.counts, recording.stored) == ({"A": 1}, {"A": 1})


def test_png_is_stored_losslessly(
    open_recording: OpenRecording, process_frame: ProcessFrame, capture_config: CaptureConfig
) -> None:
    with open_recording(capture=replace(capture_config, format="png")) as recording:
        decision = process_frame(recording, 50)
        recording.flush()
        assert decision.stored.file == "A/50.png"
        assert (decode_image(recording.session.path(decision.stored).read_bytes()) == 50).all()


def test_frame_without_keep_is_only_judged(
    open_recording: OpenRecording, process_frame: ProcessFrame, empty_workspace: Workspace
) -> None:
    with open_recording() as recording:
        assert process_frame(recording, 1, keep=False).reasons == ()
        assert process_frame(recording, 2, keep=False, speed=99.0).reasons == ("moved",)
        assert (recording.counts, recording.rejected) == ({}, {})
    assert files_on_disk(empty_workspace) == []


def test_rejected_frames_are_counted_by_first_reason(
    open_recording: OpenRecording, process_frame: ProcessFrame, empty_workspace: Workspace
) -> None:
    with open_recording() as recording:
        for changes in ({"speed": 99.0}, {"speed": 99.0, "blur_fine": 1.0}, {"hand": None, "hands": 0}):
            assert process_frame(recording, 1, **changes).stored is None
        assert recording.rejected == {"moved": 2, "no-hand": 1}
        assert recording.report()["refused"] == {"moved": 2, "no-hand": 1}
    assert files_on_disk(empty_workspace) == []


def test_disabled_gate_stores_all_frames_with_reasons(
    open_recording: OpenRecording, process_frame: ProcessFrame, gate_config: GateConfig
) -> None:
    with open_recording(gate=replace(gate_config, enabled=False)) as recording:
        assert process_frame(recording, 1, hand=None, hands=0).stored.reasons == ("no-hand",)
        assert process_frame(recording, 2, speed=99.0).stored.reasons == ("moved",)
        assert recording.rejected == {}
        recording.flush()
        first = recording.session.entries[0]
    assert (first.hand, first.landmarks, first.reasons) == (None, None, ("no-hand",))


def test_duplicate_is_rejected_after_restart_and_in_other_sessions(
    open_recording: OpenRecording, process_frame: ProcessFrame, empty_workspace: Workspace
) -> None:
    with open_recording() as recording:
        assert process_frame(recording, 1).stored
        assert process_frame(recording, 1).reasons == ("too-alike",)
        recording.select_letter("B")
        assert process_frame(recording, 1).stored  # duplicates are only compared within a letter
    with open_recording() as recording:
        assert process_frame(recording, 1).reasons == ("too-alike",)
    with open_recording(
        session="two", earlier_frames=load_earlier_frames(empty_workspace, "ada", exclude="two")
    ) as recording:
        assert process_frame(recording, 1).reasons == ("too-alike",)


def test_undone_frame_can_be_recorded_again(open_recording: OpenRecording, process_frame: ProcessFrame) -> None:
    with open_recording() as recording:
        process_frame(recording, 1)
        recording.undo()
        assert (
            process_frame(recording, 1).stored.file == "A/1-1.jpg"
        )  # the name 1.jpg is taken by the file in the trash


def test_complete_letter_stores_no_more_frames(
    open_recording: OpenRecording,
    process_frame: ProcessFrame,
    capture_config: CaptureConfig,
    empty_workspace: Workspace,
) -> None:
    with open_recording(capture=replace(capture_config, goal=2)) as recording:
        for number in range(4):
            process_frame(recording, number)
        assert recording.is_complete("A")
        assert not recording.is_complete("B")
        assert recording.counts["A"] == 2
        recording.undo()
        assert not recording.is_complete("A")
    with open_recording(capture=replace(capture_config, goal=2), counts=Counter(A=2)) as recording:
        assert process_frame(recording, 9).stored is None


def test_count_ignores_existing_frames(
    open_recording: OpenRecording, process_frame: ProcessFrame, capture_config: CaptureConfig
) -> None:
    with open_recording(capture=replace(capture_config, goal=2), counts=Counter(A=500), count=3) as recording:
        for number in range(5):
            process_frame(recording, number)
        assert (recording.stored["A"], recording.counts["A"]) == (3, 503)


def test_adjacent_letter_skips_complete_letters(open_recording: OpenRecording, capture_config: CaptureConfig) -> None:
    with open_recording("ABCD", capture=replace(capture_config, goal=5), counts=Counter(B=5)) as recording:
        visited = [recording.letter]
        for by in (1, 1, 1, -1, -1):
            recording.select_adjacent_letter(by)
            visited.append(recording.letter)
    assert "".join(visited) == "ACDADC"


def test_single_letter_has_no_adjacent_letter(open_recording: OpenRecording) -> None:
    with open_recording("A") as recording:
        recording.select_adjacent_letter(1)
        assert recording.letter == "A"
        with pytest.raises(InputError, match="Choose one of A"):
            recording.select_letter("B")


def test_undo_removes_bursts_of_this_recording_only(
    open_recording: OpenRecording, process_frame: ProcessFrame, empty_workspace: Workspace
) -> None:
    with open_recording() as recording:
        process_frame(recording, 0)
    with open_recording() as recording:
        for number in range(1, 6):
            if number in (3, 5):
                recording.start_burst()
            if number == 5:
                recording.select_letter("B")
            process_frame(recording, number)
        recording.start_burst()  # an empty burst
        undone = [[entry.file for entry in recording.undo()] for _ in range(4)]
        assert undone == [["B/5.jpg"], ["A/3.jpg", "A/4.jpg"], ["A/1.jpg", "A/2.jpg"], []]
        assert files_in_trash(recording) == ["A/1.jpg", "A/2.jpg", "A/3.jpg", "A/4.jpg", "B/5.jpg"]
        assert (recording.counts["A"], recording.counts["B"], recording.stored.total(), recording.undone) == (
            1,
            0,
            0,
            5,
        )
        assert recording.report()["stored"] == 0
    assert files_on_disk(empty_workspace) == ["A/0.jpg"]


def test_remove_deletes_one_frame_of_any_recording(
    open_recording: OpenRecording, process_frame: ProcessFrame, empty_workspace: Workspace
) -> None:
    with open_recording() as recording:
        process_frame(recording, 0)
    with open_recording() as recording:
        for number in (1, 2):
            process_frame(recording, number)
        assert [recording.remove(file) for file in ("A/0.jpg", "A/1.jpg", "A/1.jpg", "../x")] == [
            True,
            True,
            False,
            False,
        ]
        assert (recording.counts["A"], recording.stored["A"]) == (1, 1)
        assert [entry.file for entry in recording.recent(5)] == ["A/2.jpg"]
    assert files_on_disk(empty_workspace) == ["A/2.jpg"]


def test_recent_returns_newest_first(open_recording: OpenRecording, process_frame: ProcessFrame) -> None:
    with open_recording() as recording:
        for number in range(5):
            process_frame(recording, number)
        assert [entry.file for entry in recording.recent(2)] == ["A/4.jpg", "A/3.jpg"]
        assert len(recording.recent(50)) == 5
        assert recording.recent(0) == []


def test_frame_of_earlier_revision_is_not_stored(open_recording: OpenRecording, process_frame: ProcessFrame) -> None:
    with open_recording() as recording:
        revision = recording.revision
        recording.select_letter("A")
        assert process_frame(recording, 1, revision=revision).stored
        recording.select_letter("B")
        assert process_frame(recording, 2, revision=revision).stored is None
        revision = recording.revision
        recording.undo()
        assert process_frame(recording, 3, revision=revision).stored is None
        assert process_frame(recording, 3, revision=recording.revision).stored.letter == "B"


def test_open_question_blocks_recording_until_answered(
    open_recording: OpenRecording, process_frame: ProcessFrame
) -> None:
    for confirmed, side in ((True, "left"), (False, "right")):
        with open_recording(session=side, usual_hand="right") as recording:
            decisions = [process_frame(recording, number, side="left") for number in range(FRAMES_BEFORE_QUESTION + 2)]
            assert [bool(decision.stored) for decision in decisions] == [True] * (FRAMES_BEFORE_QUESTION - 1) + [
                False
            ] * 3
            assert decisions[-1].question == "left"
            recording.answer_question(confirmed=confirmed)
            assert process_frame(recording, 99, side="left").stored.hand == side
            assert recording.report()["usual_hand"] == "right"


def test_usual_hand_is_learned_from_good_frames_only(
    open_recording: OpenRecording, process_frame: ProcessFrame
) -> None:
    with open_recording() as recording:
        for number in range(2 * MIN_FRAMES_TO_LEARN):
            process_frame(recording, number, keep=False, speed=99.0)
        assert recording.handedness.usual is None
        for number in range(MIN_FRAMES_TO_LEARN):
            process_frame(recording, number, keep=False)
        assert recording.handedness.usual == "right"


def test_hint_is_given_when_most_frames_are_duplicates(
    open_recording: OpenRecording, process_frame: ProcessFrame
) -> None:
    with open_recording() as recording:
        for number in range(40):
            process_frame(recording, number)
        again = [process_frame(recording, number).hint for number in range(40)]
        assert again[-1] is not None
        recording.select_letter("B")
        assert process_frame(recording, 0).hint is None


def test_slow_disk_drops_frames_unless_waiting(
    open_recording: OpenRecording, process_frame: ProcessFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk_ready, real = Event(), Session.add

    def slow(session: Session, entry: IndexEntry, data: bytes) -> None:
        disk_ready.wait(20)
        real(session, entry, data)

    monkeypatch.setattr(Session, "add", slow)
    with open_recording() as recording:
        stored = [process_frame(recording, number, wait=False).stored for number in range(5)]
        dropped = stored.count(None)
        assert dropped == 4  # only one frame is written at a time
        assert recording.dropped == dropped
        assert recording.counts["A"] == len(stored) - dropped
        waiting_thread = Thread(target=lambda: process_frame(recording, 999, wait=True))
        waiting_thread.start()
        disk_ready.set()
        waiting_thread.join(20)
        recording.flush()
        assert len(recording.session.entries) == len(stored) - dropped + 1


def full_disk_from(number: int) -> Callable[[Session, IndexEntry, bytes], None]:
    """Return a replacement for `Session.add` that raises "disk full" from this frame number on."""
    real = Session.add

    def add(session: Session, entry: IndexEntry, data: bytes) -> None:
        if int(Path(entry.file).stem) >= number:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(session, entry, data)

    return add


def test_full_disk_raises_and_unwritten_frames_are_not_counted(
    open_recording: OpenRecording,
    process_frame: ProcessFrame,
    monkeypatch: pytest.MonkeyPatch,
    empty_workspace: Workspace,
) -> None:
    monkeypatch.setattr(Session, "add", full_disk_from(3))
    with open_recording() as recording:
        for number in range(3):
            process_frame(recording, number)
        recording.flush()
        process_frame(recording, 3)
        with pytest.raises(OSError, match="No space left"):
            recording.flush()
        with pytest.raises(OSError, match="No space left"):
            process_frame(recording, 4)
    assert (recording.stored, recording.counts) == ({"A": 3}, {"A": 3})
    assert recording.report()["stored"] == 3
    assert files_on_disk(empty_workspace) == ["A/0.jpg", "A/1.jpg", "A/2.jpg"]


def test_full_disk_at_last_frame_is_reported_by_flush(
    open_recording: OpenRecording,
    process_frame: ProcessFrame,
    monkeypatch: pytest.MonkeyPatch,
    empty_workspace: Workspace,
) -> None:
    monkeypatch.setattr(Session, "add", full_disk_from(1))
    with open_recording() as recording:
        process_frame(recording, 0)
        process_frame(recording, 1)
    assert recording.stored["A"] == 1
    with pytest.raises(OSError, match="No space left"):
        recording.flush()


def test_counts_are_consistent_with_concurrent_frames_and_undo(
    open_recording: OpenRecording,
    process_frame: ProcessFrame,
    empty_workspace: Workspace,
    capture_config: CaptureConfig,
) -> None:
    with open_recording(capture=replace(capture_config, goal=120)) as recording:

        def process_frames(first: int) -> None:
            for number in range(first, first + 60):
                process_frame(recording, number)
                if number % 7 == 0:
                    recording.start_burst()
                if number % 20 == 0:
                    recording.undo()

        threads = [Thread(target=process_frames, args=(first,)) for first in (0, 1000)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        recording.flush()
        assert recording.counts["A"] == recording.stored["A"] == 120 - recording.undone
        assert len(files_in_trash(recording)) == recording.undone
        assert sorted(entry.file for entry in recording.session.entries) == sorted(files_on_disk(empty_workspace))
        assert len(files_on_disk(empty_workspace)) == recording.counts["A"]
    assert count_letters(empty_workspace.captures, "ada")["A"] == recording.counts["A"]


def test_report_can_be_serialised_as_json(open_recording: OpenRecording, process_frame: ProcessFrame) -> None:
    with open_recording() as recording:
        process_frame(recording, 1)
        process_frame(recording, 2, speed=99.0)
        report = json.loads(json.dumps(recording.report()))
    assert report["letters"] == {"A": 1}
    assert (report["stored"], report["undone"], report["refused"]) == (1, 0, {"moved": 1})
