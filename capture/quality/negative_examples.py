"""Movements that are no letter, for clips of negative samples."""

from typing import Final

NEGATIVE_EXAMPLES: Final = (
    "Wave at the camera.",
    "Move your hand into the image.",
    "Move your hand out of the image.",
    "Carry a held I across the image.",
    "Carry a held D across the image.",
    "Scratch your head, or point at something.",
)
"""What to do, one after another: the movements that are most often taken for J or Z."""


def choose_negative_example(count: int) -> str:
    """Return what to do next, after a number of clips."""
    return NEGATIVE_EXAMPLES[count % len(NEGATIVE_EXAMPLES)]
