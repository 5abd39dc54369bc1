import numpy as np
import pytest

from aslkit.core.robust_statistics import robust_std


def test_scaled_mad_estimates_standard_deviation_despite_outliers() -> None:
    values = np.random.default_rng(0).normal(5, 3, 100_000)
    assert robust_std(values, 5) == pytest.approx(3, rel=0.02)
    values[:1000] = 1e9
    assert robust_std(values, 5) == pytest.approx(3, rel=0.05)
