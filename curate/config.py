"""How to curate."""

from dataclasses import dataclass

from aslkit.config import check_number, check_switch, check_whole


@dataclass(frozen=True, kw_only=True)
class CurateConfig:
    """How to curate; see configs/default.toml for the values and their reasons."""

    min_confidence: float
    second_try: bool
    group_distance: int
    group_hand_distance: float
    keep_per_group: int
    augment: int
    test_share: float
    validation_share: float
    seed: int

    def __post_init__(self) -> None:
        """Check every value once."""
        check_number("min_confidence", self.min_confidence, 0.01, 1)
        check_switch("second_try", self.second_try)
        check_whole("group_distance", self.group_distance, 0, 64)
        check_number("group_hand_distance", self.group_hand_distance, 0, 10)
        check_whole("keep_per_group", self.keep_per_group, 0, 1_000_000)
        check_whole("augment", self.augment, 0, 100)
        check_number("test_share", self.test_share, 0.01, 0.9)
        check_number("validation_share", self.validation_share, 0.01, 0.9)
        check_whole("seed", self.seed, 0, 2**32 - 1)
