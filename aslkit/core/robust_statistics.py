"""How far values lie apart, in a way that a few strange ones among them do not move."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

MAD_TO_SD: Final = 1.4826
"""The median absolute deviation of a normal distribution times this is its standard deviation: 1 / Φ⁻¹(3/4).

Rousseeuw and Croux, "Alternatives to the Median Absolute Deviation", 1993.
"""


def robust_std(values: npt.NDArray[Any], middle: float) -> float:
    """Standard deviation of values, (n,) and n > 0, as their median absolute deviation from `middle` tells it."""
    return MAD_TO_SD * float(np.median(np.abs(values - middle)))
