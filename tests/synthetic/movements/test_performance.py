"""Performances and tracks of synthetic signers."""

from itertools import islice

import numpy as np
import pytest

from aslkit.synthetic import Signer, SyntheticSession, render_frames
from aslkit.synthetic.letter_poses import POSES
from aslkit.synthetic.movements.paths import draw_letter_path
from aslkit.synthetic.movements.performance import HandShape, Segment, perform
from aslkit.synthetic.movements.repeated_letter import RepeatedLetter
from aslkit.synthetic.movements.scripts import ScriptWriter
from aslkit.synthetic.movements.tracks import MAX_FPS, MIN_FPS, record_track

SIGNER = Signer.draw("synthetic-ada")


def test_a_performance_follows_its_segments() -> None:
    rng = np.random.default_rng(0)
    first, second = (HandShape.draw(POSES[letter], SIGNER, rng) for letter in "AB")
    path = draw_letter_path("J", rng)
    segments = [
        Segment(duration_s=0.5, shape=first),
        Segment(duration_s=0.8, shape=first, path=path, letter="J"),
        Segment(duration_s=0.3, shape=second),
        Segment(duration_s=0.4, shape=second, visible=False),
    ]
    performance = perform(segments, np.arange(0, 2, 1 / 30), rng)
    assert performance.letters == (("J", 0.5, 1.3),)
    visible = performance.time_s < 1.6
    assert (performance.visible == visible).all()
    wrist = performance.joints[:, 0]
    held = performance.time_s < 0.5
    assert np.ptp(wrist[held], axis=0).max() < 40
    moved = wrist[performance.time_s > 1.35].mean(axis=0) - wrist[held].mean(axis=0)
    assert np.allclose(moved, path.place[-1], atol=40)


def test_joints_keep_their_distances_while_the_hand_moves() -> None:
    rng = np.random.default_rng(1)
    shape = HandShape.draw(POSES["I"], SIGNER, rng)
    segments = [Segment(duration_s=1.0, shape=shape, path=draw_letter_path("J", rng), letter="J")]
    joints = perform(segments, np.linspace(0, 1, 30), rng).joints
    lengths = np.linalg.norm(joints[:, 20] - joints[:, 0], axis=1)
    assert np.allclose(lengths, lengths[0], rtol=1e-3)


def test_tracks_have_the_frame_rates_and_gaps_of_cameras() -> None:
    rng = np.random.default_rng(2)
    writer = ScriptWriter(SIGNER, rng)
    tracks = [record_track(writer.draw(), rng) for _ in range(60)]
    intervals = [float(np.median(np.diff(track.time_s))) for track in tracks]
    assert min(intervals) > 0.6 / MAX_FPS
    assert max(intervals) < 1.7 / MIN_FPS
    assert {track.left for track in tracks} == {True, False}
    assert {letter for track in tracks for letter, _, _ in track.letters} == {"J", "Z"}
    assert any(not track.letters for track in tracks)
    assert all((np.diff(track.time_s) > 0).all() for track in tracks)


def test_a_word_has_its_letters() -> None:
    rng = np.random.default_rng(3)
    script = ScriptWriter(SIGNER, rng).spell("JAZZ")
    assert [segment.letter for segment in script.segments if segment.letter] == ["J", "Z", "Z"]


def test_repetitions_follow_each_other() -> None:
    session = SyntheticSession.draw(SIGNER, "one")
    repetitions = RepeatedLetter("Z", SIGNER, session, 0).until(10)
    assert len(repetitions) >= 4
    for each in repetitions:
        assert each.begin_s < each.start_s < each.end_s < each.held_s
    again = RepeatedLetter("Z", SIGNER, session, 0)
    again.until(3)
    assert [each.start_s for each in again.until(10)] == [each.start_s for each in repetitions]


@pytest.mark.parametrize("letter", ["J", "Z"])
def test_rendered_movements_stay_in_the_picture(letter: str) -> None:
    session = SyntheticSession.draw(SIGNER, "one")
    frames = list(islice(render_frames(letter, signer=SIGNER, session=session, width=160, height=120, fps=15), 40))
    joints = np.stack([frame.joints for frame in frames])
    assert joints[..., :2].min() > 0
    assert joints[..., :2].max() < 1
    tip = {"J": 20, "Z": 8}[letter]
    assert np.ptp(joints[:, tip, :2], axis=0).max() > 0.05
