"""The log of decisions: round trips, undo, damage, and the letters that count as recorded."""

import json
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as chance
from hypothesis import strategies as st

from aslkit.core.errors import AslkitError, InputError
from aslkit.core.workspace import Workspace
from aslkit.formats.captures import count_letters, walk_captures
from aslkit.formats.reviews import (
    Action,
    Decision,
    count_usable_letters,
    load_decisions,
    record_batch,
    record_decisions,
    undo_last_batch,
)

KEYS = tuple(f"ada/one/{letter}/{number}.jpg" for letter in "AB" for number in range(2))
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(root=tmp_path)


def current(workspace: Workspace) -> dict[str, tuple[Action, str | None]]:
    return {key: (each.action, each.letter) for key, each in load_decisions(workspace).items()}


def test_last_decision_of_a_frame_counts(workspace: Workspace) -> None:
    assert load_decisions(workspace) == {}
    assert record_decisions(workspace, KEYS[:2], "drop", now=NOW) == 1
    assert record_decisions(workspace, [KEYS[0]], "relabel", letter="e", now=NOW) == 2
    time = "2026-01-02T03:04:05.000+00:00"
    assert load_decisions(workspace) == {
        KEYS[0]: Decision(frame=KEYS[0], action="relabel", letter="E", time=time, batch=2),
        KEYS[1]: Decision(frame=KEYS[1], action="drop", time=time, batch=1),
    }
    record_decisions(workspace, [KEYS[0]], "reset")
    assert [*load_decisions(workspace)] == [KEYS[1]]


def test_different_decisions_are_one_batch(workspace: Workspace) -> None:
    with pytest.raises(InputError, match="signed with a movement"):
        record_batch(workspace, [(KEYS[0], "drop", None), (KEYS[1], "relabel", "Z")])
    assert current(workspace) == {}
    assert record_batch(workspace, [(KEYS[0], "drop", None), (KEYS[1], "relabel", "none")]) == 1
    assert current(workspace) == {KEYS[0]: ("drop", None), KEYS[1]: ("relabel", "none")}
    assert undo_last_batch(workspace) == [*KEYS[:2]]
    assert current(workspace) == {}


def test_undo_restores_the_decisions_before_the_batch(workspace: Workspace) -> None:
    assert undo_last_batch(workspace) == []
    record_decisions(workspace, [KEYS[0]], "keep")
    record_decisions(workspace, KEYS, "drop")
    assert undo_last_batch(workspace) == [*KEYS]
    assert current(workspace) == {KEYS[0]: ("keep", None)}
    assert load_decisions(workspace)[KEYS[0]].undoes == 2
    assert undo_last_batch(workspace) == [KEYS[0]]
    assert undo_last_batch(workspace) == []
    assert current(workspace) == {}
    assert len(workspace.reviews.read_text().splitlines()) == 4  # nothing is deleted


_decision = st.tuples(
    st.lists(st.sampled_from(KEYS), min_size=1, max_size=3),
    st.sampled_from([("keep", None), ("drop", None), ("reset", None), ("relabel", "E"), ("relabel", "none")]),
)


@chance(max_examples=60)
@given(steps=st.lists(st.one_of(_decision, st.none()), max_size=12))
def test_undo_is_the_inverse_of_recording(steps: list[tuple[list[str], tuple[Action, str | None]] | None]) -> None:
    with TemporaryDirectory() as folder:
        workspace = Workspace(root=Path(folder))
        states = [current(workspace)]  # as a person sees them: undo removes the last one
        for step in steps:
            if step is None:
                assert bool(undo_last_batch(workspace)) == (len(states) > 1)
                states = states[: max(len(states) - 1, 1)]
            else:
                frames, (action, letter) = step
                record_decisions(workspace, frames, action, letter=letter)
                states.append(current(workspace))
            assert current(workspace) == states[-1]
        while undo_last_batch(workspace):
            states.pop()
            assert current(workspace) == states[-1]
        assert len(states) == 1


def test_crash_in_the_middle_of_a_line_loses_only_its_batch(workspace: Workspace) -> None:
    record_decisions(workspace, [KEYS[0]], "keep")
    complete = workspace.reviews.read_bytes()
    record_decisions(workspace, KEYS, "drop")
    data = workspace.reviews.read_bytes()
    for size in range(len(complete), len(data) - 1):
        workspace.reviews.write_bytes(data[:size])
        assert current(workspace) == {KEYS[0]: ("keep", None)}
    assert record_decisions(workspace, [KEYS[1]], "drop") == 2
    assert current(workspace) == {KEYS[0]: ("keep", None), KEYS[1]: ("drop", None)}
    assert [json.loads(line)["batch"] for line in workspace.reviews.read_text().splitlines()] == [1, 2]


def test_edited_file_without_last_line_break_is_complete(workspace: Workspace) -> None:
    record_decisions(workspace, [KEYS[0]], "keep")
    workspace.reviews.write_bytes(workspace.reviews.read_bytes().rstrip())
    assert [*load_decisions(workspace)] == [KEYS[0]]
    assert record_decisions(workspace, [KEYS[1]], "drop") == 2
    assert [*load_decisions(workspace)] == [*KEYS[:2]]


@pytest.mark.parametrize(
    "line",
    [
        "not JSON",
        '{"batch": 1}',
        '{"batch": 1, "time": "t", "decisions": []}',  # the number of the line before
        '{"batch": 9, "time": "t", "decisions": [{"frame": "a/b/A/1.jpg", "action": "burn"}]}',
        '{"batch": 9, "time": "t", "decisions": [{"frame": "a/b/A/1.jpg", "action": "relabel"}]}',
        '{"batch": 9, "time": "t", "decisions": [{"frame": "a/b/A/1.jpg", "action": "relabel", "letter": "Z"}]}',
        "[" * 10_000,
    ],
)
def test_damaged_line_is_an_error_that_says_where(line: str, workspace: Workspace) -> None:
    record_decisions(workspace, [KEYS[0]], "keep")
    with workspace.reviews.open("a") as file:
        file.write(f"{line}\n")
    before = workspace.reviews.read_bytes()
    for use in (load_decisions, undo_last_batch):
        with pytest.raises(AslkitError, match=r"reviews\.jsonl, line 2 is damaged .*Repair the line, or delete it"):
            use(workspace)
    assert workspace.reviews.read_bytes() == before


def test_full_disk_appends_nothing(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    record_decisions(workspace, [KEYS[0]], "keep")
    before = workspace.reviews.read_bytes()

    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("aslkit.formats.reviews.os.fsync", fail)
    with pytest.raises(OSError, match="No space"):
        record_decisions(workspace, [KEYS[1]], "drop")
    assert workspace.reviews.read_bytes() == before


@pytest.mark.parametrize(
    ("frames", "action", "letter", "message"),
    [
        ([], "keep", None, "No frames were given"),
        (["ada/A/1.jpg"], "keep", None, "Write SIGNER/SESSION/LETTER/NAME"),
        (["ada/one/none/1.jpg"], "keep", None, "is not the key of a frame"),
        (["ada/../A/1.jpg"], "keep", None, "is not the key of a frame"),
        (["ada/one/A/\udcff.jpg"], "keep", None, "is not valid text"),
        ([KEYS[0]], "burn", None, "Use one of: keep, drop, relabel, reset"),
        ([KEYS[0]], "keep", "E", "can only be given to relabel"),
        ([KEYS[0]], "relabel", None, "give their new letter, or 'none'"),
        ([KEYS[0]], "relabel", "J", "signed with a movement"),
        ([KEYS[0]], "relabel", "", "is not a letter"),
    ],
)
def test_invalid_decision_is_an_input_error(
    frames: Sequence[str], action: Any, letter: str | None, message: str, workspace: Workspace
) -> None:
    with pytest.raises(InputError, match=message):
        record_decisions(workspace, frames, action, letter=letter)
    assert not workspace.reviews.exists()


def test_names_are_compared_in_composed_form(workspace: Workspace) -> None:
    record_decisions(workspace, ["Jose\u0301/one/A/1.jpg"], "keep")
    assert [*load_decisions(workspace)] == ["Jos\u00e9/one/A/1.jpg"]


RECORD_MANY = """
import sys
from pathlib import Path
from aslkit.core.workspace import Workspace
from aslkit.formats.reviews import record_decisions

for number in range(20):
    record_decisions(Workspace(root=Path(sys.argv[1])), [f"{sys.argv[2]}/one/A/{number}.jpg"], "drop")
"""


def test_two_processes_lose_no_decision(workspace: Workspace) -> None:
    commands = [(sys.executable, "-c", RECORD_MANY, str(workspace.root), name) for name in ("ada", "ben")]
    processes = [subprocess.Popen(command) for command in commands]
    assert [process.wait(120) for process in processes] == [0, 0]
    assert len(load_decisions(workspace)) == 40


def test_dropped_frames_do_not_count_as_recorded(workspace: Workspace) -> None:
    for key in (*KEYS, "ada/two/A/0.jpg", "ada/two/none/0.jpg", "ben/one/A/0.jpg"):
        (workspace.captures / key).parent.mkdir(parents=True, exist_ok=True)
        (workspace.captures / key).touch()
    assert count_usable_letters(workspace, "ada") == count_letters(workspace.captures, "ada")
    record_decisions(workspace, ["ada/one/A/0.jpg", "ada/one/A/gone.jpg", "ben/one/A/0.jpg"], "drop")
    record_decisions(workspace, ["ada/one/B/0.jpg"], "relabel", letter="E")
    record_decisions(workspace, ["ada/one/B/1.jpg"], "relabel", letter="none")
    record_decisions(workspace, ["ada/two/A/0.jpg"], "keep")
    assert count_usable_letters(workspace, "ada") == {"A": 2, "E": 1, "none": 2}
    assert count_letters(workspace.captures, "ada") == {"A": 3, "B": 2, "none": 1}
    assert count_usable_letters(workspace, "zoe") == {}
    assert len([*walk_captures(workspace.captures)]) == 6
