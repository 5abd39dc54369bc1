import numpy as np
import pytest

from aslkit.vision.crop import crop_square
from aslkit.vision.images import Frame


def stripes(height: int, width: int) -> Frame:
    """Return alternating white and black pixels, which average to grey."""
    frame = np.zeros((height, width, 3), np.uint8)
    frame[:, ::2] = 255
    return frame


def test_crop_averages_when_downscaling() -> None:
    assert np.abs(crop_square(stripes(1200, 1200), middle=(600, 600), span=1200, side=96).astype(int) - 128).max() < 20


def test_crop_that_fits_keeps_pixels() -> None:
    frame = np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)
    np.testing.assert_array_equal(crop_square(frame, middle=(40, 30), span=20, side=20), frame[20:40, 30:50])


@pytest.mark.parametrize(("outside", "seen"), [(None, 200), ((9, 9, 9), 9)])
def test_area_outside_frame_repeats_edge_or_shows_colour(outside: tuple[int, int, int] | None, seen: int) -> None:
    cut = crop_square(np.full((40, 40, 3), 200, np.uint8), middle=(0, 20), span=40, side=40, outside=outside)
    assert (cut[:, :19] == seen).all()
    assert (cut[:, 20:] == 200).all()


@pytest.mark.parametrize("size", [(16, 9000), (9000, 16)])
@pytest.mark.parametrize("span", [9000, 1e9])
def test_crop_of_longest_strip_is_visible(size: tuple[int, int], span: float) -> None:
    cut = crop_square(np.full((*size, 3), 77, np.uint8), middle=(size[1] / 2, size[0] / 2), span=span, side=28)
    assert (cut == 77).all()
