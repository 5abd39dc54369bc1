"""Clips on disk."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from aslkit.core.errors import AslkitError, InputError
from aslkit.formats.captures import update_session
from aslkit.formats.clips import (
    CLIP_INDEX_FILE,
    ClipFrame,
    clip_landmarks,
    list_clip_folders,
    read_clip,
    walk_clips,
    write_clip,
)
from aslkit.vision.hand_landmarker import Hand


def make_frames(count: int = 5) -> list[tuple[ClipFrame, bytes]]:
    """Return the frames of a clip; the third one has no hand."""
    landmarks = np.linspace(0, 1, 63, dtype=np.float32).reshape(21, 3)
    hand = Hand(landmarks=landmarks, handedness="left", score=0.9)
    return [
        (
            ClipFrame.from_hand(
                None if index == 2 else hand, file=f"{index + 1:04d}.jpg", time_ms=33 * index, width=64, height=48
            ),
            b"not decoded here",
        )
        for index in range(count)
    ]


def test_a_clip_is_read_as_it_was_written(tmp_path: Path) -> None:
    folder = tmp_path / "maria" / "monday" / "J" / "one"
    frames = make_frames()
    write_clip(folder, frames)
    clip = read_clip(folder)
    assert clip.frames == tuple(frame for frame, _ in frames)
    assert (clip.signer, clip.session, clip.letter, clip.key) == ("maria", "monday", "J", "maria/monday/J/one")
    assert clip.duration_s == pytest.approx(0.132)
    landmarks = clip_landmarks(clip.frames)
    assert landmarks.shape == (5, 21, 3)
    assert np.isnan(landmarks[2]).all()
    assert np.isfinite(np.delete(landmarks, 2, axis=0)).all()
    assert (folder / "0001.jpg").read_bytes() == b"not decoded here"


def test_clips_are_listed_by_letter_and_in_natural_order(tmp_path: Path) -> None:
    for name in ("J/clip10", "J/clip9", "Z/a", "none/wave"):
        write_clip(tmp_path / "maria" / "monday" / name, make_frames())
    (tmp_path / "maria" / "monday" / "A").mkdir()
    names = [f"{path.parent.name}/{path.name}" for path in list_clip_folders(tmp_path / "maria" / "monday")]
    assert names == ["J/clip9", "J/clip10", "Z/a", "none/wave"]
    assert len(list(walk_clips(tmp_path))) == 4
    assert list(walk_clips(tmp_path, signer="nobody")) == []


def test_clips_of_an_exam_are_refused(tmp_path: Path) -> None:
    write_clip(tmp_path / "maria" / "exam" / "J" / "one", make_frames())
    update_session(tmp_path / "maria" / "exam" / "session.json", {"purpose": "exam"})
    with pytest.raises(InputError, match="exam"):
        list(walk_clips(tmp_path))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda lines: [], "0 frames"),
        (lambda lines: lines[:1], "1 frames"),
        (lambda lines: [lines[0], {**lines[1], "time_ms": 0}], "do not increase"),
        (lambda lines: [lines[0], {**lines[1], "file": "../../x.jpg"}], "not the name of an image"),
        (lambda lines: [lines[0], {**lines[1], "file": "frames.jsonl"}], "not the name of an image"),
        (lambda lines: [lines[0], {**lines[1], "file": "9999.jpg"}], "missing"),
        (lambda lines: [lines[0], {**lines[1], "landmarks": [0.5] * 62}], "63"),
        (lambda lines: [lines[0], {**lines[1], "width": 0}], "width"),
        (lambda lines: lines * 100, "frames, not 2 to"),
    ],
)
def test_damaged_clips_are_refused(tmp_path: Path, damage: Callable[[Any], list[Any]], message: str) -> None:
    folder = tmp_path / "maria" / "monday" / "J" / "one"
    write_clip(folder, make_frames())
    index = folder / CLIP_INDEX_FILE
    lines = [msgspec.json.decode(line) for line in index.read_bytes().splitlines()]
    index.write_bytes(b"".join(msgspec.json.encode(line) + b"\n" for line in damage(lines)))
    with pytest.raises(AslkitError, match=message):
        read_clip(folder)
