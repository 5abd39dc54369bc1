"""Statistics that a few outliers do not affect."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

MAD_TO_SD: Final = 1.4826
"""The median absolute deviation of a normal distribution times this is its standard deviation: 1 / Φ⁻¹(3/4).

Rousseeuw and Croux, "Alternatives to the Median Absolute Deviation", 1993.
"""


def robust_std(values: npt.NDArray[Any], middle: float) -> float:
    """Estimate the standard deviation of values, (n,), n > 0, from their median absolute deviation from `middle`."""
    return MAD_TO_SD * float(np.median(np.abs(values - middle)))
