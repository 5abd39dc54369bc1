"""Settings and statistics of a dataset that is prepared for sharing."""

from dataclasses import dataclass
from typing import Final

from aslkit.core.errors import InputError

DEFAULT_CROP_SIZE: Final = 224
"""Default of `PrivacyConfig.crop_size`. Measured on 360 webcam frames of 640 × 480 pixels, with crops of 345 pixels on
average, in which the hand was detected again, and its letter predicted by the starter model. At JPEG quality 90:

| maximum side | bytes | correct | median error of the landmarks, in palm lengths |
|---|---|---|---|
| none | 10,965 | 95.3 % | 0.021 |
| 224 | 5,222 | 95.8 % | 0.022 |
| 192 | 4,280 | 96.1 % | 0.024 |
| 160 | 3,394 | 95.3 % | 0.026 |
| 128 | 2,600 | 93.9 % | 0.032 |

At 160 pixels and quality 75, 93.1 % are correct."""

MIN_CROP_SIZE: Final = 64
"""Minimum of `PrivacyConfig.crop_size`: the largest pixel feature has 64 pixels."""

MAX_CROP_SIZE: Final = 4096


@dataclass(frozen=True, kw_only=True)
class PrivacyConfig:
    """What the shared dataset contains.

    Attributes:
        crop: crop images to the hand, and pixelate faces in the crops.
        crop_size: maximum side of a crop in pixels, MIN_CROP_SIZE to MAX_CROP_SIZE. Larger crops are scaled down.
        landmarks_only: remove the images.
        pseudonyms: replace the names of signers, sessions, cameras and files.
    """

    crop: bool = False
    crop_size: int = DEFAULT_CROP_SIZE
    landmarks_only: bool = False
    pseudonyms: bool = False

    def __post_init__(self) -> None:
        """Check that the settings are compatible."""
        if self.crop and self.landmarks_only:
            raise InputError("--crop and --landmarks-only exclude each other: without images there is nothing to crop.")
        if not MIN_CROP_SIZE <= self.crop_size <= MAX_CROP_SIZE:
            raise InputError(f"--crop-size is {self.crop_size}. It must be {MIN_CROP_SIZE}–{MAX_CROP_SIZE} pixels.")


@dataclass(frozen=True, kw_only=True)
class PrivacyReport:
    """Statistics of a prepared dataset.

    Attributes:
        faces: number of images with a visible face.
        pixelated: number of images with a pixelated face.
        images: number of images.
        left_out: number of rows dropped because no hand was detected.
    """

    faces: int
    pixelated: int
    images: int
    left_out: int
