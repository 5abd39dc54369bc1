"""Regions of hands, and the changed frames of the palm detector."""

import math

import cv2
import numpy as np
import pytest

from aslkit.vision.hand_region import (
    MEAN_RGB,
    PALM_INPUT,
    Frame,
    Region,
    Variant,
    brighten,
    change_frame,
    map_back,
    region_around,
    region_from_palm,
)


def _frame(height: int, width: int) -> Frame:
    """Return a bluish frame with a white square of 40 pixels around the point (width / 4, height / 2)."""
    frame = np.full((height, width, 3), (20, 30, 90), np.uint8)
    x, y = width // 4, height // 2
    frame[y - 20 : y + 20, x - 20 : x + 20] = 255
    return frame


@pytest.mark.parametrize(("height", "width"), [(480, 640), (640, 480), (128, 128), (720, 1280)])
@pytest.mark.parametrize("variant", [Variant(1, 0), Variant(0.65, 0), Variant(0.5, 90), Variant(0.85, -30)])
def test_region_of_changed_frame_maps_back_to_frame(height: int, width: int, variant: Variant) -> None:
    changed, matrix = change_frame(_frame(height, width), variant)
    rows, columns = np.nonzero(changed.min(axis=2) > 0.5 * changed.min(axis=2).max())
    upright = Region(columns.mean() + 0.5, rows.mean() + 0.5, 40 * math.hypot(*matrix[0, :2]), 0)
    region = map_back(upright, matrix)
    pixel = 1 / math.hypot(*matrix[0, :2])  # of the changed frame
    assert (region.x, region.y) == pytest.approx((width / 4, height / 2), abs=pixel)
    assert region.side == pytest.approx(40)
    # A hand that is upright in a frame rotated counter-clockwise is rotated clockwise in the original.
    assert math.degrees(region.rotation) == pytest.approx(variant.rotation)


def test_changed_frame_has_size_and_colour_of_the_palm_input() -> None:
    changed, _ = change_frame(_frame(480, 640), Variant(1, 0))
    assert changed.shape == (PALM_INPUT, PALM_INPUT, 3)
    red, _, blue = changed[10, 10].tolist()  # the padding of the border, without the square
    assert red == pytest.approx(MEAN_RGB[0], rel=0.2)
    assert red > blue


def test_fine_pattern_does_not_alias() -> None:
    """The palm detector samples such stripes as broad ones, because it does not filter."""
    frame = np.full((480, 640, 3), MEAN_RGB, np.uint8)
    frame[:, ::3] //= 2
    changed, _ = change_frame(frame, Variant(0.65, 0))
    sampled = cv2.resize(frame, (125, 94), interpolation=cv2.INTER_LINEAR)
    assert changed[..., 0].std() < 0.3 * sampled[..., 0].std()


def test_brightening_keeps_black_and_white() -> None:
    frame = np.array([[[0, 20, 255]]], np.uint8)
    assert brighten(frame, 1.0).tolist() == frame.tolist()
    assert brighten(frame, 0.5).tolist() == [[[0, 71, 255]]]


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 4000), (4000, 1), (3, 2000)])
def test_narrow_frame_is_changed_without_error(height: int, width: int) -> None:
    changed, _ = change_frame(np.full((height, width, 3), 90, np.uint8), Variant(0.5, 90))
    assert changed.shape == (PALM_INPUT, PALM_INPUT, 3)


def test_black_frame_is_changed_without_error() -> None:
    changed, _ = change_frame(np.zeros((48, 64, 3), np.uint8), Variant(0.4, 0))
    assert not changed.any()


@pytest.mark.parametrize("degrees", [-150, -30, 0, 45, 180])
def test_region_from_palm_is_shifted_to_the_fingers(degrees: int) -> None:
    up = np.array([math.sin(math.radians(degrees)), -math.cos(math.radians(degrees))])
    wrist = np.array([100.0, 80.0])
    region = region_from_palm(np.array([80.0, 60.0, 40.0, 40.0]), wrist, wrist + 30 * up)
    assert (region.x, region.y) == pytest.approx((100 + 20 * up[0], 80 + 20 * up[1]))
    assert region.side == pytest.approx(104)
    assert math.cos(region.rotation) == pytest.approx(-up[1])


@pytest.mark.parametrize("degrees", [-120, 0, 30])
def test_region_around_landmarks_rotates_with_the_hand(degrees: int, rng: np.random.Generator) -> None:
    frame, size, centre = np.zeros((480, 640, 3), np.uint8), np.array([640, 480]), np.array([320, 240])
    points = rng.uniform(-60, 60, (21, 2))
    points[[0, 5, 9, 13]] = (0, 70), (-25, -30), (0, -40), (25, -30)
    angle = math.radians(degrees)
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    upright = region_around((points + centre) / size, frame)
    rotated = region_around((points @ turn.T + centre) / size, frame)
    assert rotated.side == pytest.approx(upright.side)
    assert rotated.rotation == pytest.approx(upright.rotation + angle)
    offset = turn @ (upright.x - 320, upright.y - 240)
    assert (rotated.x - 320, rotated.y - 240) == pytest.approx(tuple(offset))
