"""The contract of a motion network: what it predicts, and when a letter is accepted."""

from dataclasses import dataclass
from typing import Annotated, Final

from msgspec import Meta

from aslkit.core.config import Share
from aslkit.core.letters import MOTION_LETTERS

MOTION_CLASSES: Final = (*MOTION_LETTERS, "neither")
"""Outputs of a motion network, in order."""

MOTION_VERSION: Final = 1


@dataclass(frozen=True, kw_only=True)
class MotionContract:
    """How the outputs of a motion network are interpreted. Its input is `motion.features.motion_features`.

    Attributes:
        classes: its outputs, in order; the last one is "neither".
        threshold: probability from which a letter is accepted.
        version: of the input; a network of another version is refused.
    """

    classes: Annotated[tuple[str, ...], Meta(min_length=2, max_length=100)] = MOTION_CLASSES
    threshold: Share = 0.4
    version: int = MOTION_VERSION

    @property
    def letters(self) -> tuple[str, ...]:
        """The letters that the network predicts."""
        return self.classes[:-1]
