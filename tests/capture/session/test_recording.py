"""One signer before one camera: what is stored, counted, undone and asked. No landmarker: looks are made up."""

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
from aslkit.capture.quality.handedness import SURPRISED_AFTER, USUAL_FROM
from aslkit.capture.session.recording import Recording
from aslkit.capture.session.store import TRASH, Session, load_earlier_frames
from aslkit.core.errors import InputError
from aslkit.core.workspace import Workspace
from aslkit.formats.captures import count_letters, walk_captures
from aslkit.formats.frame_index import IndexEntry
from aslkit.vision.images import decode_image

Sit = Callable[..., Any]
Offer = Callable[..., Any]


def on_disk(workspace: Workspace) -> list[str]:
    return [f"{frame.letter}/{frame.path.name}" for frame in walk_captures(workspace.captures)]


def in_trash(sitting: Recording) -> list[str]:
    trash = sitting.session.folder / TRASH
    return sorted(path.relative_to(trash).as_posix() for path in trash.rglob("*.jpg"))


def test_a_good_frame_is_stored_whole_with_all_that_is_known(sit: Sit, offer: Offer, empty: Workspace) -> None:
    at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    with sit() as sitting:
        verdict = offer(sitting, 50, at=at)
        sitting.settle()
        assert verdict.reasons == ()
        assert sitting.session.entries == [verdict.stored]
        path = sitting.session.path(verdict.stored)
    assert decode_image(path.read_bytes()) == pytest.approx(np.full((48, 64, 3), 50), abs=1)
    stored = verdict.stored
    assert (stored.file, stored.time, stored.hand) == ("A/50.jpg", "2026-01-02T03:04:05.000+00:00", "right")
    assert (sitting.counts, sitting.stored) == ({"A": 1}, {"A": 1})


def test_png_is_stored_to_the_bit(sit: Sit, offer: Offer, ways: CaptureConfig) -> None:
    with sit(capture=replace(ways, format="png")) as sitting:
        verdict = offer(sitting, 50)
        sitting.settle()
        assert verdict.stored.file == "A/50.png"
        assert (decode_image(sitting.session.path(verdict.stored).read_bytes()) == 50).all()


def test_a_frame_that_is_not_to_be_kept_is_only_judged(sit: Sit, offer: Offer, empty: Workspace) -> None:
    with sit() as sitting:
        assert offer(sitting, 1, keep=False).reasons == ()
        assert offer(sitting, 2, keep=False, speed=99.0).reasons == ("moved",)
        assert (sitting.counts, sitting.refused) == ({}, {})
    assert on_disk(empty) == []


def test_refused_frames_are_counted_by_their_gravest_reason(sit: Sit, offer: Offer, empty: Workspace) -> None:
    with sit() as sitting:
        for changes in ({"speed": 99.0}, {"speed": 99.0, "blur_fine": 1.0}, {"hand": None, "hands": 0}):
            assert offer(sitting, 1, **changes).stored is None
        assert sitting.refused == {"moved": 2, "no-hand": 1}
        assert sitting.report()["refused"] == {"moved": 2, "no-hand": 1}
    assert on_disk(empty) == []


def test_with_the_gate_off_all_is_stored_and_the_reasons_noted(sit: Sit, offer: Offer, limits: GateConfig) -> None:
    with sit(gate=replace(limits, enabled=False)) as sitting:
        assert offer(sitting, 1, hand=None, hands=0).stored.reasons == ("no-hand",)
        assert offer(sitting, 2, speed=99.0).stored.reasons == ("moved",)
        assert sitting.refused == {}
        sitting.settle()
        first = sitting.session.entries[0]
    assert (first.hand, first.landmarks, first.reasons) == (None, None, ("no-hand",))


def test_the_same_again_is_refused_also_after_a_restart_and_in_another_session(
    sit: Sit, offer: Offer, empty: Workspace
) -> None:
    with sit() as sitting:
        assert offer(sitting, 1).stored
        assert offer(sitting, 1).reasons == ("too-alike",)
        sitting.choose("B")
        assert offer(sitting, 1).stored  # as another letter, it is another one
    with sit() as sitting:
        assert offer(sitting, 1).reasons == ("too-alike",)
    with sit(session="two", before=load_earlier_frames(empty, "ada", but="two")) as sitting:
        assert offer(sitting, 1).reasons == ("too-alike",)


def test_a_frame_that_was_undone_may_be_taken_again(sit: Sit, offer: Offer) -> None:
    with sit() as sitting:
        offer(sitting, 1)
        sitting.undo()
        assert offer(sitting, 1).stored.file == "A/1-1.jpg"  # its first name is in the trash


def test_a_complete_letter_takes_no_more(sit: Sit, offer: Offer, ways: CaptureConfig, empty: Workspace) -> None:
    with sit(capture=replace(ways, goal=2)) as sitting:
        for number in range(4):
            offer(sitting, number)
        assert sitting.complete("A")
        assert not sitting.complete("B")
        assert sitting.counts["A"] == 2
        sitting.undo()
        assert not sitting.complete("A")
    with sit(capture=replace(ways, goal=2), counts=Counter(A=2)) as sitting:
        assert offer(sitting, 9).stored is None


def test_count_asks_for_so_many_now_whatever_there_is(sit: Sit, offer: Offer, ways: CaptureConfig) -> None:
    with sit(capture=replace(ways, goal=2), counts=Counter(A=500), count=3) as sitting:
        for number in range(5):
            offer(sitting, number)
        assert (sitting.stored["A"], sitting.counts["A"]) == (3, 503)


def test_next_and_previous_pass_over_what_is_complete(sit: Sit, ways: CaptureConfig) -> None:
    with sit("ABCD", capture=replace(ways, goal=5), counts=Counter(B=5)) as sitting:
        walked = [sitting.letter]
        for by in (1, 1, 1, -1, -1):
            sitting.step(by)
            walked.append(sitting.letter)
    assert "".join(walked) == "ACDADC"


def test_a_letter_alone_has_none_beside_it(sit: Sit) -> None:
    with sit("A") as sitting:
        sitting.step(1)
        assert sitting.letter == "A"
        with pytest.raises(InputError, match="Choose one of A"):
            sitting.choose("B")


def test_undo_takes_away_burst_after_burst_and_no_more_than_this_sitting(
    sit: Sit, offer: Offer, empty: Workspace
) -> None:
    with sit() as sitting:
        offer(sitting, 0)
    with sit() as sitting:
        for number in range(1, 6):
            if number in (3, 5):
                sitting.begin_burst()
            if number == 5:
                sitting.choose("B")
            offer(sitting, number)
        sitting.begin_burst()  # in which nothing was recorded
        undone = [[entry.file for entry in sitting.undo()] for _ in range(4)]
        assert undone == [["B/5.jpg"], ["A/3.jpg", "A/4.jpg"], ["A/1.jpg", "A/2.jpg"], []]
        assert in_trash(sitting) == ["A/1.jpg", "A/2.jpg", "A/3.jpg", "A/4.jpg", "B/5.jpg"]
        assert (sitting.counts["A"], sitting.counts["B"], sitting.stored.total(), sitting.undone) == (1, 0, 0, 5)
        assert sitting.report()["stored"] == 0
    assert on_disk(empty) == ["A/0.jpg"]


def test_one_frame_can_be_removed_also_of_an_earlier_sitting(sit: Sit, offer: Offer, empty: Workspace) -> None:
    with sit() as sitting:
        offer(sitting, 0)
    with sit() as sitting:
        for number in (1, 2):
            offer(sitting, number)
        assert [sitting.remove(file) for file in ("A/0.jpg", "A/1.jpg", "A/1.jpg", "../x")] == [
            True,
            True,
            False,
            False,
        ]
        assert (sitting.counts["A"], sitting.stored["A"]) == (1, 1)
        assert [entry.file for entry in sitting.recent(5)] == ["A/2.jpg"]
    assert on_disk(empty) == ["A/2.jpg"]


def test_the_newest_come_first(sit: Sit, offer: Offer) -> None:
    with sit() as sitting:
        for number in range(5):
            offer(sitting, number)
        assert [entry.file for entry in sitting.recent(2)] == ["A/4.jpg", "A/3.jpg"]
        assert len(sitting.recent(50)) == 5
        assert sitting.recent(0) == []


def test_a_frame_taken_before_an_undo_or_another_letter_is_not_recorded_after(sit: Sit, offer: Offer) -> None:
    with sit() as sitting:
        turn = sitting.turn
        sitting.choose("A")
        assert offer(sitting, 1, turn=turn).stored
        sitting.choose("B")
        assert offer(sitting, 2, turn=turn).stored is None
        turn = sitting.turn
        sitting.undo()
        assert offer(sitting, 3, turn=turn).stored is None
        assert offer(sitting, 3, turn=sitting.turn).stored.letter == "B"


def test_nothing_is_recorded_while_a_question_stands_and_the_answer_is_stored(sit: Sit, offer: Offer) -> None:
    for is_so, side in ((True, "left"), (False, "right")):
        with sit(session=side, usual_hand="right") as sitting:
            verdicts = [offer(sitting, number, side="left") for number in range(SURPRISED_AFTER + 2)]
            assert [bool(each.stored) for each in verdicts] == [True] * (SURPRISED_AFTER - 1) + [False] * 3
            assert verdicts[-1].question == "left"
            sitting.answer(is_so=is_so)
            assert offer(sitting, 99, side="left").stored.hand == side
            assert sitting.report()["usual_hand"] == "right"


def test_bad_frames_tell_nothing_of_the_usual_hand(sit: Sit, offer: Offer) -> None:
    with sit() as sitting:
        for number in range(2 * USUAL_FROM):
            offer(sitting, number, keep=False, speed=99.0)
        assert sitting.sides.usual is None
        for number in range(USUAL_FROM):
            offer(sitting, number, keep=False)
        assert sitting.sides.usual == "right"


def test_where_hardly_a_frame_is_new_there_is_a_nudge(sit: Sit, offer: Offer) -> None:
    with sit() as sitting:
        for number in range(40):
            offer(sitting, number)
        again = [offer(sitting, number).nudge for number in range(40)]
        assert again[-1] is not None
        sitting.choose("B")
        assert offer(sitting, 0).nudge is None


def test_frames_wait_for_a_slow_disk_only_where_they_can(
    sit: Sit, offer: Offer, monkeypatch: pytest.MonkeyPatch
) -> None:
    on, real = Event(), Session.add

    def slow(session: Session, entry: IndexEntry, data: bytes) -> None:
        on.wait(20)
        real(session, entry, data)

    monkeypatch.setattr(Session, "add", slow)
    with sit() as sitting:
        stored = [offer(sitting, number, wait=False).stored for number in range(5)]
        late = stored.count(None)
        assert late == 4  # one is being written: so much a kill can cost
        assert sitting.late == late
        assert sitting.counts["A"] == len(stored) - late
        waits = Thread(target=lambda: offer(sitting, 999, wait=True))
        waits.start()
        on.set()
        waits.join(20)
        sitting.settle()
        assert len(sitting.session.entries) == len(stored) - late + 1


def full_from(number: int) -> Callable[[Session, IndexEntry, bytes], None]:
    """`Session.add`, on a disk that is full from the frame of that number on."""
    real = Session.add

    def add(session: Session, entry: IndexEntry, data: bytes) -> None:
        if int(Path(entry.file).stem) >= number:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(session, entry, data)

    return add


def test_a_full_disk_reaches_the_next_frame_and_what_was_not_written_does_not_count(
    sit: Sit, offer: Offer, monkeypatch: pytest.MonkeyPatch, empty: Workspace
) -> None:
    monkeypatch.setattr(Session, "add", full_from(3))
    with sit() as sitting:
        for number in range(3):
            offer(sitting, number)
        sitting.settle()
        offer(sitting, 3)
        with pytest.raises(OSError, match="No space left"):
            sitting.settle()
        with pytest.raises(OSError, match="No space left"):
            offer(sitting, 4)
    assert (sitting.stored, sitting.counts) == ({"A": 3}, {"A": 3})
    assert sitting.report()["stored"] == 3
    assert on_disk(empty) == ["A/0.jpg", "A/1.jpg", "A/2.jpg"]


def test_a_disk_that_fills_with_the_very_last_frames_is_not_passed_over(
    sit: Sit, offer: Offer, monkeypatch: pytest.MonkeyPatch, empty: Workspace
) -> None:
    monkeypatch.setattr(Session, "add", full_from(1))
    with sit() as sitting:
        offer(sitting, 0)
        offer(sitting, 1)
    assert sitting.stored["A"] == 1
    with pytest.raises(OSError, match="No space left"):
        sitting.settle()


def test_two_threads_offer_and_undo_and_the_books_stay_right(sit: Sit, offer: Offer, empty: Workspace) -> None:
    with sit() as sitting:

        def give(first: int) -> None:
            for number in range(first, first + 60):
                offer(sitting, number)
                if number % 7 == 0:
                    sitting.begin_burst()
                if number % 20 == 0:
                    sitting.undo()

        threads = [Thread(target=give, args=(first,)) for first in (0, 1000)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        sitting.settle()
        assert sitting.counts["A"] == sitting.stored["A"] == 120 - sitting.undone
        assert len(in_trash(sitting)) == sitting.undone
        assert sorted(entry.file for entry in sitting.session.entries) == sorted(on_disk(empty))
        assert len(on_disk(empty)) == sitting.counts["A"]
    assert count_letters(empty.captures, "ada")["A"] == sitting.counts["A"]


def test_the_report_is_fit_for_a_file(sit: Sit, offer: Offer) -> None:
    with sit() as sitting:
        offer(sitting, 1)
        offer(sitting, 2, speed=99.0)
        report = json.loads(json.dumps(sitting.report()))
    assert report["letters"] == {"A": 1}
    assert (report["stored"], report["undone"], report["refused"]) == (1, 0, {"moved": 1})
