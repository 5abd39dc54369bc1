"""Thumbnails of the report."""

import base64
from pathlib import Path

import numpy as np

from aslkit.train.reporting.thumbnails import SIDE, render_thumbnails
from aslkit.vision.images import decode_image, encode_png
from tests.datasets import factories


def test_render_thumbnails_averages_the_pixels_of_a_large_frame(tmp_path: Path) -> None:
    frame = np.zeros((960, 960, 3), np.uint8)
    frame[:, ::2] = 255  # averages to gray
    key = "ada/one/A/0.png"
    image = {"bytes": encode_png(frame), "path": key}
    folder = factories.write(
        tmp_path, {"train": [factories.row(0, "ada", image=image, hand_box=[0.25, 0.25, 0.75, 0.75])]}
    )
    found = render_thumbnails(folder, [key, "ada/one/A/none.png"])
    assert list(found) == [key]
    thumbnail = decode_image(base64.b64decode(found[key].partition(",")[2]))
    assert thumbnail.shape == (SIDE, SIDE, 3)
    assert np.abs(thumbnail.astype(int) - 128).max() < 30
