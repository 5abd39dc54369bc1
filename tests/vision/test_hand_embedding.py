"""Embeddings of hands: the same region for turned, moved, scaled and mirrored hands."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest

from aslkit.core.errors import AslkitError
from aslkit.vision import hand_embedding
from aslkit.vision.hand_embedding import EMBEDDING_VALUES, SIDE, cut_region, embed_hand, embedding_features
from aslkit.vision.hand_landmarker import Hand, HandLandmarker
from aslkit.vision.hand_region import Points, Region, region_around
from aslkit.vision.images import Frame, decode_image


@pytest.fixture(scope="module")
def photograph(real_data: Path) -> tuple[Frame, Hand]:
    frame = decode_image((real_data / "captures/rahman/L/0000.jpg").read_bytes())
    with HandLandmarker() as landmarker:
        hand = landmarker.find(frame)
    assert hand is not None
    return frame, hand


def _similarity(first: Points, second: Points) -> float:
    """Return the cosine between two embeddings, without their rotation."""
    first, second = first[:-2], second[:-2]
    return float(first @ second / np.linalg.norm(first) / np.linalg.norm(second))


def _turned(frame: Frame, landmarks: Points, degrees: float) -> tuple[Frame, Points]:
    """Return a frame turned clockwise, and its landmarks."""
    height, width = frame.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), -degrees, 1)
    points = landmarks[:, :2] * [width, height] @ matrix[:, :2].T + matrix[:, 2]
    turned = cv2.warpAffine(frame, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(turned, np.uint8), np.column_stack([points / [width, height], landmarks[:, 2]]).astype(np.float32)


def test_cut_region_turns_the_hand_upright(photograph: tuple[Frame, Hand]) -> None:
    frame, hand = photograph
    height, width = frame.shape[:2]
    region = region_around(hand.landmarks, frame)
    marked = frame.copy()
    x, y = hand.landmarks[9, :2] * [width, height]
    cv2.circle(marked, (round(float(x)), round(float(y))), 5, (0, 0, 255), -1)
    for mirror in (False, True):
        cut = cut_region(marked, region, mirror=mirror)
        assert cut.shape == (SIDE, SIDE, 3)
        red = np.argwhere((cut[..., 2] > 200) & (cut[..., 0] < 60) & (cut[..., 1] < 60)).mean(axis=0)
        # The first joint of the middle finger is above the wrist, near the middle line.
        assert abs(red[1] - SIDE / 2) < 25
    plain, mirrored = (cut_region(frame, region, mirror=each) for each in (False, True))
    assert np.abs(plain.astype(int) - mirrored[:, ::-1]).max() <= 1


@pytest.mark.parametrize("side", [100, 700, 2000])
def test_cut_region_maps_positions_in_frames_of_any_size(side: int) -> None:
    frame = np.zeros((2 * side, 2 * side, 3), np.uint8)
    region = Region(side, side, side, 0.3)
    # A quarter of the side to the right of the middle, in the region's own axes.
    x, y = side + 0.25 * side * np.cos(0.3), side + 0.25 * side * np.sin(0.3)
    cv2.circle(frame, (round(x - 0.5), round(y - 0.5)), max(3, side // 30), (255, 255, 255), -1)
    cut = cut_region(frame, region, mirror=False)[..., 0].astype(float)
    rows, columns = np.mgrid[:SIDE, :SIDE]
    tolerance = 0.3 + 0.5 * SIDE / side  # the circle is drawn on whole pixels
    middle = (SIDE - 1) / 2
    assert (columns * cut).sum() / cut.sum() == pytest.approx(middle + SIDE / 4, abs=tolerance)
    assert (rows * cut).sum() / cut.sum() == pytest.approx(middle, abs=tolerance)


@pytest.mark.parametrize("side", [0.0, 1e-3, 1e4, 1e7])
@pytest.mark.parametrize("middle", [-1e6, 50.0, 1e6])
def test_cut_region_accepts_landmarks_far_outside_of_the_frame(side: float, middle: float) -> None:
    frame = np.full((90, 120, 3), 77, np.uint8)
    cut = cut_region(frame, Region(middle, middle, side, 1.0), mirror=True)
    assert cut.shape == (SIDE, SIDE, 3)
    assert (cut == 77).all()


@pytest.mark.parametrize("degrees", [-70, 35, 160])
def test_embedding_does_not_depend_on_rotation_but_contains_it(photograph: tuple[Frame, Hand], degrees: float) -> None:
    frame, hand = photograph
    turned, landmarks = _turned(frame, hand.landmarks, degrees)
    before = embedding_features(frame, region_around(hand.landmarks, frame), mirror=False)
    after = embedding_features(turned, region_around(landmarks, turned), mirror=False)
    assert before.shape == (EMBEDDING_VALUES,)
    assert before.dtype == np.float32
    assert _similarity(before, after) > 0.97
    angle = np.arctan2(after[-2], after[-1]) - np.arctan2(before[-2], before[-1])
    assert np.cos(angle - np.deg2rad(degrees)) == pytest.approx(1, abs=1e-3)


def test_mirrored_left_hand_has_the_embedding_of_a_right_hand(photograph: tuple[Frame, Hand]) -> None:
    frame, hand = photograph
    landmarks = hand.landmarks * np.array([-1, 1, 1], np.float32) + np.array([1, 0, 0], np.float32)
    flipped = np.ascontiguousarray(frame[:, ::-1])
    right = embedding_features(frame, region_around(hand.landmarks, frame), mirror=False)
    left = embedding_features(flipped, region_around(landmarks, flipped), mirror=True)
    assert _similarity(right, left) > 0.99
    np.testing.assert_allclose(left[-2:], right[-2:], atol=1e-3)


def test_embeddings_of_letters_differ(real_data: Path) -> None:
    found = []
    with HandLandmarker() as landmarker:
        for letter in ("L", "Y"):
            frame = decode_image((real_data / f"captures/rahman/{letter}/0000.jpg").read_bytes())
            hand = landmarker.find(frame)
            assert hand is not None
            found.append(embedding_features(frame, region_around(hand.landmarks, frame), mirror=False))
    assert _similarity(*found) < 0.9


def test_threads_compute_the_same_embedding(photograph: tuple[Frame, Hand]) -> None:
    frame, hand = photograph
    cut = cut_region(frame, region_around(hand.landmarks, frame), mirror=False)
    with ThreadPoolExecutor(3) as pool:
        results = list(pool.map(lambda _: embed_hand(cut), range(9)))
    for result in results[1:]:
        np.testing.assert_array_equal(result, results[0])


def test_missing_model_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hand_embedding, "LANDMARK_MODEL", "modules/missing.tflite")
    with pytest.raises(AslkitError, match="aslkit doctor"):
        hand_embedding.embedding_model.__wrapped__()
