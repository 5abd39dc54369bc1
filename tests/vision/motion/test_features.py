"""Features of a movement do not depend on place, size, side and frame size."""

import numpy as np
import numpy.typing as npt
import pytest

from aslkit.synthetic.movements.scripts import ScriptWriter
from aslkit.synthetic.movements.tracks import record_track
from aslkit.synthetic.signer import Signer
from aslkit.vision.motion.features import MOTION_VALUES, STEP_VALUES, motion_features
from aslkit.vision.motion.track import OFFSETS_S, sample_track

Sampled = tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]


@pytest.fixture(scope="module")
def sampled() -> Sampled:
    """Return the hands of some movements, (n, 24, 21, 3), and whether they are valid."""
    rng = np.random.default_rng(0)
    writer = ScriptWriter(Signer.draw("synthetic-ada"), rng)
    tracks = [record_track(writer.draw(), rng) for _ in range(8)]
    pairs = [sample_track(track.time_s, track.points, float(track.time_s[-1])) for track in tracks]
    points, valid = zip(*pairs, strict=True)
    return np.stack(points), np.stack(valid)


def test_shape(sampled: Sampled) -> None:
    features = motion_features(*sampled, left=np.zeros(8, bool))
    assert features.shape == (8, MOTION_VALUES)
    assert features.dtype == np.float32
    assert len(OFFSETS_S) * STEP_VALUES == MOTION_VALUES
    assert np.isfinite(features).all()


def test_place_and_size_do_not_matter(sampled: Sampled) -> None:
    points, valid = sampled
    left = np.zeros(8, bool)
    moved = np.asarray(points * 2.5 + np.array([300, -50, 0]), np.float32)
    assert np.allclose(motion_features(moved, valid, left=left), motion_features(points, valid, left=left), atol=2e-3)


def test_a_left_hand_is_the_mirror_image_of_a_right_one(sampled: Sampled) -> None:
    points, valid = sampled
    mirrored = np.asarray(points * np.array([-1, 1, 1]), np.float32)
    right = motion_features(points, valid, left=np.zeros(8, bool))
    left = motion_features(mirrored, valid, left=np.ones(8, bool))
    assert np.allclose(left, right, atol=1e-4)
    assert not np.allclose(motion_features(mirrored, valid, left=np.zeros(8, bool)), right, atol=0.1)


def test_one_movement_has_the_same_features_alone_and_with_others(sampled: Sampled) -> None:
    points, valid = sampled
    together = motion_features(points, valid, left=np.zeros(8, bool))
    alone = motion_features(points[3:4], valid[3:4], left=np.zeros(1, bool))
    assert np.array_equal(alone[0], together[3])
