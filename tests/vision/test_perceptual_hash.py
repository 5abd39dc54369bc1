"""Altered copies have similar hashes, other images have not."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aslkit.synthetic import Signer, SyntheticSession, render_frames
from aslkit.vision.images import Frame, decode_image, encode_jpeg, thumbnail_gray, to_gray
from aslkit.vision.perceptual_hash import FINE_BITS, MIRRORED, fine_hash

SAME = 6
"""Limit in bits of a repeated frame in recording."""


def pictures(letter: str = "L", count: int = 3) -> list[Frame]:
    who = Signer.draw("synthetic-ada")
    stream = render_frames(letter, signer=who, session=SyntheticSession.draw(who, "one"), fps=1.0)
    return [next(stream).image for _ in range(count)]


def scene(seed: int = 0) -> Frame:
    """Return an image with contrast at all scales, like a photo."""
    rng = np.random.default_rng(seed)
    layers = [cv2.resize(rng.normal(0, 40, (side, side)), (320, 240)) for side in (3, 6, 12, 24)]
    return np.asarray(np.clip(110 + sum(layers), 0, 255), np.uint8)


def fine(grey: Frame) -> int:
    return fine_hash(thumbnail_gray(grey))


def bits(one: int, other: int) -> int:
    return (one ^ other).bit_count()


@pytest.mark.parametrize("seed", range(5))
def test_altered_copies_have_similar_hashes(seed: int) -> None:
    grey = scene(seed)
    coded = to_gray(decode_image(encode_jpeg(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR), quality=40)))
    smaller = np.asarray(cv2.resize(grey, (160, 120), interpolation=cv2.INTER_AREA), np.uint8)
    brighter = np.clip(grey * 1.3, 0, 255).astype(np.uint8)
    darker = (grey * 0.6).astype(np.uint8)
    for copy in (coded, smaller, brighter, darker):
        assert bits(fine(copy), fine(grey)) <= SAME
    assert min(bits(fine(scene(other)), fine(grey)) for other in range(5) if other != seed) > 40


@given(st.integers(0, 1000))
def test_hash_of_mirror_image_is_derived_from_hash(seed: int) -> None:
    grey = scene(seed)
    mirrored = np.ascontiguousarray(grey[:, ::-1])
    assert bits(fine(mirrored), fine(grey) ^ int.from_bytes(MIRRORED.tobytes())) <= 2


@pytest.mark.parametrize("value", [0, 128, 255])
def test_blank_image_has_a_hash(value: int) -> None:
    assert 0 <= fine(np.full((20, 20), value, np.uint8)) < 1 << FINE_BITS


def test_other_moment_of_same_letter_has_other_hash() -> None:
    first, *others = map(to_gray, pictures())
    assert min(bits(fine(first), fine(other)) for other in others) > SAME
