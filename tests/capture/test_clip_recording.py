"""Clips in a recording: from frames to the disk and back, counts, undo, damage and crashes."""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aslkit.capture.config import CaptureConfig, GateConfig
from aslkit.capture.movement.clip_frame import TrackedFrame
from aslkit.capture.quality.handedness import FRAMES_BEFORE_QUESTION
from aslkit.capture.session.clip_files import TRASH
from aslkit.capture.session.recording import Recording
from aslkit.core.workspace import Workspace
from aslkit.formats.clips import CLIP_INDEX_FILE, clip_landmarks, read_clip, walk_clips
from aslkit.formats.reviews import count_usable_clips, record_decisions
from aslkit.vision.images import decode_image
from tests.capture.clip_hands import J_PATH, clip_of, signed, tracked_frames

CLIP_LETTERS = ("J", "Z", "none")


def add_clip(recording: Recording, name: str = "one", frames: list[TrackedFrame] | None = None, **other: Any) -> Any:
    letter = other.pop("letter", recording.letter)
    return recording.process_clip(frames or clip_of(letter), name=name, letter=letter, **other)


def left_handed(frame: TrackedFrame) -> TrackedFrame:
    assert frame.hand is not None
    return replace(frame, hand=replace(frame.hand, handedness="left"))


def clips_on_disk(workspace: Workspace) -> list[str]:
    return ["/".join(folder.parts[-2:]) for folder in walk_clips(workspace.captures)]


def test_clip_is_stored_as_it_was_recorded(open_recording: Any, empty_workspace: Workspace) -> None:
    time_s, landmarks = signed(J_PATH)
    landmarks[20] = np.nan
    frames = tracked_frames(time_s + 100, landmarks)
    with open_recording("J") as recording:
        decision = add_clip(recording, "20260102T030405006Z", frames)
        assert (decision.reasons, recording.counts, recording.stored) == ((), {"J": 1}, {"J": 1})
        clip = read_clip(recording.session.folder / decision.stored.file)
    assert clip.key == "ada/one/J/20260102T030405006Z"
    assert [frame.time_ms for frame in clip.frames] == np.round(time_s * 1000).astype(int).tolist()
    np.testing.assert_allclose(clip_landmarks(clip.frames), landmarks, atol=1e-5)
    pixels = decode_image((clip.folder / clip.frames[7].file).read_bytes())
    assert pixels == pytest.approx(np.full((48, 64, 3), 7), abs=1)


def test_hand_that_most_frames_show_is_stored_in_all(open_recording: Any) -> None:
    frames = clip_of()
    frames[3] = left_handed(frames[3])
    with open_recording("J") as recording:
        clip = read_clip(recording.session.folder / add_clip(recording, frames=frames).stored.file)
    assert {frame.hand for frame in clip.frames} == {"right"}


def test_frames_of_one_millisecond_are_stored_once(open_recording: Any) -> None:
    frames = clip_of()
    frames.insert(5, replace(frames[5], time_s=frames[5].time_s - 1e-5))
    with open_recording("J") as recording:
        stored = add_clip(recording, frames=frames).stored
        assert len(read_clip(recording.session.folder / stored.file).frames) == len(frames) - 1


def test_rejected_clip_is_counted_and_not_stored(open_recording: Any, empty_workspace: Workspace) -> None:
    with open_recording("J") as recording:
        decision = add_clip(recording, frames=clip_of(duration_s=0.1, rest_s=0.05))
        assert (decision.reasons, decision.stored) == (("too-short",), None)
        assert (recording.rejected_clips, recording.counts) == ({"too-short": 1}, {})
        assert recording.report()["refused_clips"] == {"too-short": 1}
    assert clips_on_disk(empty_workspace) == []


def test_disabled_gate_stores_all_but_single_frames(open_recording: Any, gate_config: GateConfig) -> None:
    with open_recording("J", gate=replace(gate_config, enabled=False)) as recording:
        frames = clip_of()
        assert add_clip(recording, frames=frames[:2]).stored is not None
        assert add_clip(recording, frames=frames[:1]).stored is None


def test_clips_have_a_goal_of_their_own(open_recording: Any, capture_config: CaptureConfig, process_frame: Any) -> None:
    capture = replace(capture_config, goal=1, clip_goal=2)
    with open_recording("AJ", capture=capture, counts=Counter(J=1)) as recording:
        assert process_frame(recording, 1).stored
        assert recording.is_complete("A")
        recording.select_letter("J")
        assert add_clip(recording, "one").stored
        assert add_clip(recording, "two").stored is None
        assert (recording.is_complete("J"), recording.counts["J"]) == (True, 2)
        report = recording.report()
    assert (report["stored"], report["letters"], report["clips"]) == (1, {"A": 1}, {"J": 1})


def test_single_frames_of_movements_are_judged_but_never_stored(open_recording: Any, process_frame: Any) -> None:
    with open_recording("J") as recording:
        assert process_frame(recording, 1, speed=99.0, blur_fine=1.0).reasons == ()
        assert process_frame(recording, 2, hand=None, hands=0).reasons == ("no-hand",)
        assert (recording.stored, recording.rejected) == ({}, {})
    with open_recording(["none"], clip_letters=CLIP_LETTERS) as recording:
        assert process_frame(recording, 3, hand=None, hands=0).reasons == ()
    with open_recording(["none"]) as recording:  # without --clips, as before
        assert process_frame(recording, 4).stored


def test_undo_and_put_back_take_clips_and_frames_in_turn(
    open_recording: Any, process_frame: Any, empty_workspace: Workspace
) -> None:
    with open_recording("AJ") as recording:
        process_frame(recording, 1)
        recording.select_letter("J")
        for name in ("one", "two"):
            add_clip(recording, name)
        assert [entry.file for entry in recording.undo()] == ["J/two"]
        assert clips_on_disk(empty_workspace) == ["J/one"]
        assert (recording.session.folder / TRASH / "J" / "two" / CLIP_INDEX_FILE).is_file()
        assert [entry.file for entry in recording.put_back()] == ["J/two"]
        assert (clips_on_disk(empty_workspace), recording.counts["J"], recording.undone) == (["J/one", "J/two"], 2, 0)
        for expected in ("J/two", "J/one", "A/1.jpg"):
            assert [entry.file for entry in recording.undo()] == [expected]
        assert recording.undo() == []
        assert recording.stored == {"A": 0, "J": 0}
        assert add_clip(recording, "one").stored.file == "J/one-1"  # the name in the trash is not used again


def test_one_clip_can_be_deleted(open_recording: Any, empty_workspace: Workspace) -> None:
    with open_recording("J") as recording:
        for name in ("one", "two"):
            add_clip(recording, name)
        assert recording.remove("J/one")
        assert not recording.remove("J/one")
        assert [entry.file for entry in recording.recent(9)] == ["J/two"]
    assert clips_on_disk(empty_workspace) == ["J/two"]


def test_clips_of_an_earlier_recording_are_not_undone(open_recording: Any) -> None:
    with open_recording("J") as recording:
        add_clip(recording, "one")
    with open_recording("J", counts=Counter(J=1)) as recording:
        assert [entry.file for entry in recording.recent(9)] == ["J/one"]
        assert recording.undo() == []
        assert add_clip(recording, "one").stored.file == "J/one-1"
        assert (recording.counts["J"], recording.stored["J"]) == (2, 1)


def test_clip_that_began_before_an_undo_or_another_letter_is_dropped(open_recording: Any) -> None:
    with open_recording("JZ") as recording:
        revision = recording.revision
        recording.select_letter("Z")
        assert add_clip(recording, letter="J", revision=revision).stored is None
        assert add_clip(recording, letter="Z", revision=recording.revision).stored
        assert recording.counts == {"Z": 1}


def test_nothing_is_stored_before_the_licence_and_the_hand_are_known(open_recording: Any) -> None:
    with open_recording("J", save_licence=lambda licence: None) as recording:
        assert add_clip(recording).stored is None
        recording.choose_licence("private")
        assert add_clip(recording).stored
    frames = [left_handed(frame) for frame in clip_of()]
    with open_recording("J", usual_hand="right", counts=Counter(J=1)) as recording:
        for number in range(FRAMES_BEFORE_QUESTION):
            decision = add_clip(recording, str(number), frames)
        assert (decision.question, decision.stored) == ("left", None)
        recording.answer_question(confirmed=False)
        stored = add_clip(recording, frames=frames).stored
        assert read_clip(recording.session.folder / stored.file).frames[0].hand == "right"


def test_full_disk_leaves_no_half_clip(
    open_recording: Any, empty_workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_bytes, written = Path.write_bytes, []

    def write(path: Path, data: bytes) -> int:
        written.append(path)
        if len(written) > 10:
            raise OSError(28, "No space left on device")
        return write_bytes(path, data)

    with open_recording("J") as recording:
        monkeypatch.setattr(Path, "write_bytes", write)
        with pytest.raises(OSError, match="No space left"):
            add_clip(recording)
        assert recording.counts == {}
        assert list((recording.session.folder / "J").iterdir()) == []
        monkeypatch.undo()
        assert add_clip(recording).stored
    assert clips_on_disk(empty_workspace) == ["J/one"]


def test_what_a_crash_leaves_is_repaired(open_recording: Any, empty_workspace: Workspace) -> None:
    with open_recording("J") as recording:
        folder = recording.session.folder
        for name in ("good", "damaged"):
            add_clip(recording, name)
    (folder / "J" / "damaged" / CLIP_INDEX_FILE).write_text("{")
    half = folder / "none" / ".20260102T030405006Z.partial-123"
    half.mkdir(parents=True)
    (half / "0000.jpg").write_bytes(b"x")
    with open_recording("J", counts=Counter(J=2)) as recording:
        recovered = recording.session.recovered
        assert (recovered.half_clips, recovered.damaged_clips, recovered.relisted) == (1, 1, 0)
        assert "1 incomplete clips deleted" in str(recovered)
    assert clips_on_disk(empty_workspace) == ["J/good"]
    assert not half.exists()
    assert (folder / TRASH / "J" / "damaged").is_dir()


def test_frames_and_clips_of_negatives_share_a_folder(
    open_recording: Any, process_frame: Any, empty_workspace: Workspace
) -> None:
    with open_recording(["none"]) as recording:
        process_frame(recording, 1)
    with open_recording(["none"], clip_letters=CLIP_LETTERS, counts=Counter()) as recording:
        assert recording.session.recovered.relisted == 0
        add_clip(recording)
        assert recording.counts == {"none": 1}
        assert recording.remove("none/1.jpg")
        assert recording.counts == {"none": 1}
    assert clips_on_disk(empty_workspace) == ["none/one"]


def test_dropped_clips_do_not_count(open_recording: Any, empty_workspace: Workspace) -> None:
    with open_recording("J") as recording:
        for name in ("one", "two"):
            add_clip(recording, name)
    record_decisions(empty_workspace, ["ada/one/J/one"], "drop")
    assert count_usable_clips(empty_workspace, "ada") == {"J": 1}
