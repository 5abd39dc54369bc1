"""Settings of curation."""

from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

from aslkit.core.config import Seed


@dataclass(frozen=True, kw_only=True)
class NearDuplicateLimits:
    """Maximum distances between two near-duplicate frames.

    Attributes:
        distance: differing bits of the 64-bit perceptual hashes; `hand_distance` must hold as well.
        hand_distance: mean distance of the hands' joints in the frame, in lengths of the smaller palm.
    """

    distance: int
    hand_distance: float


_PalmLengths = Annotated[float, Meta(ge=0, le=10)]


@dataclass(frozen=True, kw_only=True)
class CurateConfig:
    """Settings of curation, section [curate]."""

    min_confidence: Annotated[
        float,
        Meta(
            ge=0.01,
            le=1,
            description="Confidence of the palm detection; at 0.5 MediaPipe misses clearly visible fists.",
        ),
    ] = 0.3
    second_try: Annotated[
        bool,
        Meta(description="Search again in the padded, filtered, scaled and rotated frame if no hand is found."),
    ] = True
    group_distance: Annotated[
        int,
        Meta(ge=0, le=64, description="Maximum differing bits of the 64-bit perceptual hashes of near-duplicates."),
    ] = 4
    group_hand_distance: Annotated[
        _PalmLengths, Meta(description="And maximum mean distance between their joints, in palm lengths.")
    ] = 0.05
    keep_per_group: Annotated[
        int,
        Meta(
            ge=0, le=1_000_000,
            description="Sharpest near-duplicates to keep per group; 0 keeps all of them, in the same split.",
        ),
    ] = 0  # fmt: skip
    augment: Annotated[
        int,
        Meta(
            ge=0, le=100,
            description="Augmented copies of each frame in the train split; training augments landmarks on the fly.",
        ),
    ] = 0  # fmt: skip
    test_share: Annotated[
        float,
        Meta(ge=0.01, le=0.9, description="Share of frames to test on, if no whole signer or session can be held out."),
    ] = 0.2
    gap_share: Annotated[
        float,
        Meta(ge=0, le=0.5, description="Share of frames left out between train and such a test, which are similar."),
    ] = 0.05
    validation_share: Annotated[
        float, Meta(ge=0.01, le=0.9, description="Share of the remaining frames used for validation.")
    ] = 0.15
    seed: Annotated[Seed, Meta(description="Seed of the random number generator.")] = 0

    @property
    def limits(self) -> NearDuplicateLimits:
        """Maximum distances between near-duplicates."""
        return NearDuplicateLimits(
            distance=self.group_distance,
            hand_distance=self.group_hand_distance,
        )
