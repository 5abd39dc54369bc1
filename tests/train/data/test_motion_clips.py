"""Recorded clips as tracks to train on."""

from pathlib import Path

import numpy as np
import pytest

from aslkit.datasets.clips import DatasetClip
from aslkit.formats.clips import CLIP_INDEX_FILE, ClipFrame, write_clip
from aslkit.synthetic.movements.motion_poses import MOTION_POSES
from aslkit.synthetic.movements.paths import draw_letter_path
from aslkit.synthetic.movements.performance import HandShape, Segment
from aslkit.synthetic.movements.scripts import Script
from aslkit.synthetic.movements.tracks import Track, record_track
from aslkit.synthetic.signer import Signer
from aslkit.train.data.motion_clips import dataset_track, recorded_negative_tracks, vary_tracks
from aslkit.train.data.motion_samples import NEITHER, cut_windows, still_letter_tracks
from aslkit.vision.hand_landmarker import Hand
from aslkit.vision.motion.contract import MOTION_CLASSES

WIDTH, HEIGHT = 640, 480


def drawn_track(letter: str, seed: int) -> Track:
    """Return a performance of half a second of rest, a letter, and half a second of rest."""
    rng = np.random.default_rng(seed)
    shape = HandShape.draw(MOTION_POSES[letter][0], Signer.draw(f"synthetic-clip-{seed}"), rng)
    hold = Segment(duration_s=0.5, shape=shape)
    drawn = Segment(duration_s=0.9, shape=shape, path=draw_letter_path(letter, rng), letter=letter)
    return record_track(Script(segments=(hold, drawn, hold)), rng)


def to_clip(track: Track, letter: str, *, signer: str = "maria", split: str = "train", number: int = 0) -> DatasetClip:
    """Return a track as a clip of a dataset; every fifth frame has no hand."""
    count = len(track.time_s)
    landmarks = track.points / np.array([WIDTH, HEIGHT, WIDTH], np.float32)
    landmarks[::5] = np.nan
    return DatasetClip(
        name=f"{signer}/monday/{letter}/{number}", letter=letter, signer=signer, session="monday", split=split,
        time_ms=np.round(1000 * (track.time_s - track.time_s[0])).astype(np.int64), landmarks=landmarks,
        left=np.full(count, track.left), width=np.full(count, WIDTH), height=np.full(count, HEIGHT),
    )  # fmt: skip


@pytest.mark.parametrize("letter", ["J", "Z"])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_movement_is_found_in_a_clip(letter: str, seed: int) -> None:
    track = drawn_track(letter, seed)
    found = dataset_track(to_clip(track, letter))
    assert found is not None
    first = float(track.time_s[0])
    ((name, start, end),) = found.letters
    assert name == letter
    assert start + first == pytest.approx(0.5, abs=0.3)
    assert end + first == pytest.approx(1.4, abs=0.3)
    assert found.left == track.left
    assert np.isfinite(found.points).all()


def test_a_clip_with_too_few_hands_is_left_out() -> None:
    clip = to_clip(drawn_track("J", 0), "J")
    clip.landmarks[3:] = np.nan
    assert dataset_track(clip) is None


def test_windows_at_the_end_of_the_movement_have_its_letter() -> None:
    tracks = [track for seed in range(5) if (track := dataset_track(to_clip(drawn_track("Z", seed), "Z")))]
    samples = cut_windows(vary_tracks(tracks, 3, np.random.default_rng(0)), np.random.default_rng(0))
    assert set(samples.label.tolist()) == {MOTION_CLASSES.index("Z"), NEITHER}
    assert np.isfinite(samples.inputs).all()


def test_static_letters_are_no_movement() -> None:
    samples = cut_windows(still_letter_tracks(20, np.random.default_rng(0)), np.random.default_rng(0))
    assert set(samples.label.tolist()) == {NEITHER}


def test_recorded_movements_of_signers_are_read_and_damaged_ones_reported(tmp_path: Path) -> None:
    points = drawn_track("J", 0)
    frames = []
    for index, (time_s, hand) in enumerate(zip(points.time_s, points.points, strict=True)):
        landmarks = hand / np.array([WIDTH, HEIGHT, WIDTH], np.float32)
        line = ClipFrame.from_hand(
            Hand(landmarks=landmarks, handedness="right", score=1.0), file=f"{index:04d}.jpg",
            time_ms=round(1000 * time_s), width=WIDTH, height=HEIGHT,
        )  # fmt: skip
        frames.append((line, b"image"))
    for name in ("maria/monday/none/wave", "maria/monday/none/damaged", "ben/monday/none/wave", "maria/monday/J/one"):
        write_clip(tmp_path / name, frames)
    (tmp_path / "maria/monday/none/damaged" / CLIP_INDEX_FILE).write_bytes(b"{")
    messages: list[str] = []
    tracks = recorded_negative_tracks(tmp_path, {"maria"}, messages.append)
    assert [track.letters for track in tracks] == [()]
    assert len(messages) == 1
    assert "damaged" in messages[0]
