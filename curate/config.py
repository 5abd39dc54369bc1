"""How to curate."""

from dataclasses import dataclass

from aslkit.core.config import check_bool, check_integer, check_number
from aslkit.vision.perceptual_hash import FINE_BITS


@dataclass(frozen=True, kw_only=True)
class NearDuplicateLimits:
    """Up to what frames are near-duplicates; see configs/default.toml.

    Attributes:
        distance: bits of 64 between frames, and
        hand_distance: between their hands, where they are in the frame, in lengths of the smaller palm.
        fine_distance: bits of 256 between frames, or a frame and the mirror image of the other.
        crop_distance: bits of 256 between hands, wherever they are, and
        crop_hand_distance: between these hands' joints, once both are upright, in lengths of the smaller palm.
    """

    distance: int
    hand_distance: float
    fine_distance: int
    crop_distance: int
    crop_hand_distance: float


@dataclass(frozen=True, kw_only=True)
class CurateConfig:
    """How to curate; see configs/default.toml for the values and their reasons."""

    min_confidence: float
    second_try: bool
    group_distance: int
    group_hand_distance: float
    group_fine_distance: int
    group_crop_distance: int
    group_crop_hand_distance: float
    keep_per_group: int
    augment: int
    test_share: float
    gap_share: float
    validation_share: float
    seed: int

    def __post_init__(self) -> None:
        """Check every value once."""
        check_number("min_confidence", self.min_confidence, 0.01, 1)
        check_bool("second_try", self.second_try)
        check_integer("group_distance", self.group_distance, 0, 64)
        for name in ("group_hand_distance", "group_crop_hand_distance"):
            check_number(name, getattr(self, name), 0, 10)
        for name in ("group_fine_distance", "group_crop_distance"):
            check_integer(name, getattr(self, name), 0, FINE_BITS)
        check_integer("keep_per_group", self.keep_per_group, 0, 1_000_000)
        check_integer("augment", self.augment, 0, 100)
        check_number("test_share", self.test_share, 0.01, 0.9)
        check_number("gap_share", self.gap_share, 0, 0.5)
        check_number("validation_share", self.validation_share, 0.01, 0.9)
        check_integer("seed", self.seed, 0, 2**32 - 1)

    @property
    def limits(self) -> NearDuplicateLimits:
        """Up to what frames are near-duplicates."""
        return NearDuplicateLimits(
            distance=self.group_distance,
            hand_distance=self.group_hand_distance,
            fine_distance=self.group_fine_distance,
            crop_distance=self.group_crop_distance,
            crop_hand_distance=self.group_crop_hand_distance,
        )
