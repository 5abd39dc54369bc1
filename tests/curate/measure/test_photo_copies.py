"""Modified copies of a photo are recognised; other moments and other people are not."""

from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from aslkit.curate.measure.photo_copies import ComparedPhoto, is_copy, prepare_photo
from aslkit.synthetic import Signer, SyntheticSession, render_frames
from aslkit.vision.images import Frame, to_gray
from aslkit.vision.near_duplicate import joints_in_pixels

Change = Callable[[Frame], Frame]


def photo(signer: str = "synthetic-ada", moment: int = 0, letter: str = "L") -> tuple[Frame, npt.NDArray[np.float32]]:
    """Return a gray frame and the joints of its hand in pixels."""
    who = Signer.draw(signer)
    stream = render_frames(letter, signer=who, session=SyntheticSession.draw(who, "one"), fps=1.0)
    frame = [next(stream) for _ in range(moment + 1)][moment]
    gray = to_gray(frame.image)
    return gray, joints_in_pixels(frame.joints, gray.shape[1], gray.shape[0])


def warp(transform: npt.NDArray[np.float64]) -> Change:
    return lambda gray: np.asarray(cv2.warpAffine(gray, transform, gray.shape[::-1]), np.uint8)


def rotate(degrees: float) -> Change:
    return warp(np.asarray(cv2.getRotationMatrix2D((160, 120), degrees, 1.0)))


def shear(degrees: float) -> Change:
    slope = np.tan(np.deg2rad(degrees))
    return warp(np.array([[1, slope, -slope * 120], [0, 1, 0]]))


def crop(gray: Frame) -> Frame:
    height, width = gray.shape
    return np.asarray(cv2.resize(gray[height // 10 :, width // 5 :], (width, height)), np.uint8)


def brighten(factor: float) -> Change:
    return lambda gray: np.clip(gray * factor, 0, 255).astype(np.uint8)


def add_noise(gray: Frame) -> Frame:
    noise = np.random.default_rng(0).normal(0, 8, gray.shape)
    return np.clip(gray + noise, 0, 255).astype(np.uint8)


CHANGES: dict[str, list[Change]] = {
    "rotated 15°": [rotate(15)],
    "sheared 10°": [shear(10)],
    "cropped": [crop],
    "brightened, blurred": [brighten(1.25), lambda gray: np.asarray(cv2.GaussianBlur(gray, (0, 0), 1.2), np.uint8)],
    "darkened, noisy, rotated": [brighten(0.75), add_noise, rotate(-10)],
    "cropped, sheared": [crop, shear(-8)],
}


@pytest.mark.parametrize("letter", ["A", "L"])
@pytest.mark.parametrize("name", CHANGES)
def test_modified_copy_is_recognised(name: str, letter: str) -> None:
    gray, joints = photo(letter=letter)
    copy = gray
    for change in CHANGES[name]:
        copy = change(copy)
    original = prepare_photo(gray, joints)
    assert is_copy(original, prepare_photo(copy))
    mirrored = prepare_photo(np.ascontiguousarray(copy[:, ::-1]))
    assert is_copy(original, mirrored.mirror())
    assert not is_copy(original, mirrored)


def test_other_person_is_not_a_copy() -> None:
    first = prepare_photo(*photo())
    assert not any(is_copy(first, prepare_photo(*photo(f"synthetic-{name}"))) for name in ("ben", "cleo", "dora"))


def test_moved_hand_in_front_of_the_same_background_is_not_a_copy() -> None:
    gray, joints = photo()
    low, high = joints.min(axis=0).astype(int), joints.max(axis=0).astype(int)
    without = cv2.inpaint(gray, _box_mask(gray, low, high), 3, cv2.INPAINT_TELEA)
    moved = np.asarray(without, np.uint8).copy()
    shift = 60 if high[0] < gray.shape[1] // 2 else -60
    patch = gray[low[1] : high[1], low[0] : high[0]]
    moved[low[1] : high[1], low[0] + shift : high[0] + shift] = patch
    assert not is_copy(prepare_photo(gray, joints), prepare_photo(moved, joints + np.array([shift, 0], np.float32)))


def _box_mask(gray: Frame, low: npt.NDArray[np.int64], high: npt.NDArray[np.int64]) -> Frame:
    mask = np.zeros_like(gray)
    mask[low[1] : high[1], low[0] : high[0]] = 255
    return mask


@pytest.mark.parametrize("value", [0, 128, 255])
@pytest.mark.parametrize("shape", [(16, 16), (16, 4000), (240, 320)])
def test_image_without_detail_is_no_copy(value: int, shape: tuple[int, int]) -> None:
    blank = prepare_photo(np.full(shape, value, np.uint8), np.full((21, 2), np.nan))
    assert blank.joints is None
    assert not is_copy(blank, blank)


def test_mirror_of_mirror_is_the_same() -> None:
    original: ComparedPhoto = prepare_photo(*photo())
    twice = original.mirror().mirror()
    assert np.array_equal(twice.gray, original.gray)
    assert original.joints is not None
    assert twice.joints == pytest.approx(original.joints)
