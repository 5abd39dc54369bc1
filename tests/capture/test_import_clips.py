"""Importing clips: videos and folders of frames of the synthetic signer."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from aslkit.capture.config import GateConfig
from aslkit.capture.import_clips import ClipSettings
from aslkit.capture.import_images import ImportResult, assign_sessions, import_sessions
from aslkit.core.workspace import Workspace
from aslkit.formats.captures import SessionInfo, walk_captures
from aslkit.formats.clips import CapturedClip, clip_landmarks, read_clip, walk_clips
from aslkit.formats.image_folders.read_folder import read_image_folder
from aslkit.vision.images import encode_jpeg
from tests.capture.movies import ONE_J, render_j, write_movie

ImportFolder = Callable[..., ImportResult]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return tmp_path / "photos"


@pytest.fixture
def import_folder(source: Path, empty_workspace: Workspace) -> ImportFolder:
    def run(*, mirrored: bool = False, settings: ClipSettings | None = None) -> ImportResult:
        found = read_image_folder(source, clips=True)
        groups = assign_sessions(
            found, source, signer="maria", one_signer=True, signer_from=None, session=None, keep_split=False
        )
        infos = [SessionInfo(signer=each.signer, session=each.session, camera="import") for each in groups]
        result = import_sessions(
            list(zip(infos, groups, strict=True)), workspace=empty_workspace, mirrored=mirrored,
            clip_settings=settings or ClipSettings(),
        )  # fmt: skip
        result.skipped = found.skipped + result.skipped
        return result

    return run


def write_frames(folder: Path, *, count: int | None = None) -> None:
    folder.mkdir(parents=True)
    for number, frame in enumerate(render_j()[ONE_J][:count]):
        (folder / f"{number}.jpg").write_bytes(encode_jpeg(frame))


def stored(workspace: Workspace) -> list[CapturedClip]:
    return [read_clip(folder) for folder in walk_clips(workspace.captures)]


def test_long_video_is_cut_and_a_second_import_adds_nothing(
    source: Path, import_folder: ImportFolder, empty_workspace: Workspace
) -> None:
    write_movie(source / "J" / "takes.mp4", render_j())
    first = import_folder()
    assert first.clips == {"J": len(stored(empty_workspace))}
    assert first.clips["J"] >= 2
    assert {clip.reason for clip in first.rejected_clips} == {"straight"}  # the ways back to the start
    starts = [clip.start_s for clip in first.rejected_clips]
    assert starts == sorted(starts)
    second = import_folder()
    assert (second.clips, second.clips_already_imported) == ({}, first.clips["J"])
    assert len(stored(empty_workspace)) == first.clips["J"]


def test_frames_and_videos_of_one_movement(
    source: Path, import_folder: ImportFolder, empty_workspace: Workspace
) -> None:
    write_frames(source / "J" / "take")
    write_movie(source / "J" / "video.mp4", render_j()[ONE_J])
    assert import_folder(settings=ClipSettings(fps=20)).clips == {"J": 2}
    frames, video = stored(empty_workspace)
    assert [frame.time_ms for frame in frames.frames[:3]] == [0, 50, 100]
    assert [frame.time_ms for frame in video.frames[:3]] == [0, 33, 67]
    # The same pixels, so nearly the same landmarks: each clip is tracked alone.
    np.testing.assert_allclose(clip_landmarks(frames.frames), clip_landmarks(video.frames), atol=0.05)
    original = (source / "J" / "take" / "3.jpg").read_bytes()
    assert (frames.folder / frames.frames[3].file).read_bytes() == original


def test_captured_clips_keep_their_times_and_landmarks(
    source: Path, import_folder: ImportFolder, empty_workspace: Workspace, tmp_path: Path
) -> None:
    write_frames(source / "J" / "take")
    import_folder(settings=ClipSettings(fps=17))
    (before,) = stored(empty_workspace)
    shutil.rmtree(source)
    shutil.copytree(before.folder, source / "J" / "copied")
    assert import_folder().clips == {"J": 1}
    after = next(clip for clip in stored(empty_workspace) if clip.folder.name == "copied")
    assert after.frames == before.frames


def test_mirrored_clips_are_flipped(source: Path, import_folder: ImportFolder, empty_workspace: Workspace) -> None:
    write_movie(source / "J" / "plain.mp4", render_j()[ONE_J])
    import_folder()
    shutil.rmtree(source)
    write_movie(source / "J" / "selfie.mp4", render_j()[ONE_J], mirrored=True)
    import_folder(mirrored=True)
    plain, selfie = (clip_landmarks(clip.frames) for clip in stored(empty_workspace))
    np.testing.assert_allclose(plain[:, :, :2], selfie[:, :, :2], atol=0.05)


@pytest.mark.parametrize(("count", "reason"), [(8, "too-short"), (20, "no-movement")])
def test_bad_clip_is_listed_with_its_reason(
    source: Path, import_folder: ImportFolder, empty_workspace: Workspace, count: int, reason: str
) -> None:
    frames = render_j()[:1] * count
    write_movie(source / "J" / "bad.mp4", frames)
    (rejected,) = import_folder().rejected_clips
    assert (rejected.path, rejected.start_s, rejected.reason) == (source / "J" / "bad.mp4", 0, reason)
    assert stored(empty_workspace) == []


def test_gate_that_is_off_stores_everything(
    source: Path, import_folder: ImportFolder, empty_workspace: Workspace
) -> None:
    write_movie(source / "J" / "bad.mp4", render_j()[:1] * 8)
    assert import_folder(settings=ClipSettings(gate=GateConfig(enabled=False))).clips == {"J": 1}


def test_files_that_cannot_be_used_are_skipped_with_a_reason(
    source: Path, import_folder: ImportFolder, empty_workspace: Workspace
) -> None:
    write_movie(source / "J" / "good.mp4", render_j()[ONE_J])
    (source / "J" / "broken.mp4").write_bytes(b"\0" * 999)
    write_movie(source / "J" / "still.mp4", render_j()[:1] * 100)
    write_frames(source / "J" / "damaged")
    (source / "J" / "damaged" / "5.jpg").write_bytes(b"x")
    write_frames(source / "J" / "index")
    (source / "J" / "index" / "frames.jsonl").write_text("{")
    (source / "J" / "single.jpg").write_bytes(encode_jpeg(render_j()[0]))
    result = import_folder()
    reasons = {path.name: reason for path, reason in result.skipped}
    assert result.clips == {"J": 1}
    assert "cannot be read as a video" in reasons["broken.mp4"]
    assert "no movement found" in reasons["still.mp4"]
    assert reasons["damaged"].startswith("5.jpg: ")
    assert "is damaged" in reasons["index"]
    assert "its sign is a movement" in reasons["J"]
    assert len(reasons) == 5


def test_negatives_are_frames_and_clips(source: Path, import_folder: ImportFolder, empty_workspace: Workspace) -> None:
    write_movie(source / "nothing" / "wave.mp4", render_j()[40:80])
    (source / "nothing" / "1.jpg").write_bytes(encode_jpeg(render_j()[0]))
    (source / "A").mkdir()
    (source / "A" / "1.jpg").write_bytes(encode_jpeg(render_j()[0]))
    for expected in ((1, 1), (0, 0)):
        result = import_folder()
        assert (result.stored["none"], result.clips["none"]) == expected
    assert [clip.letter for clip in stored(empty_workspace)] == ["none"]
    assert len(list(walk_captures(empty_workspace.captures))) == 1
