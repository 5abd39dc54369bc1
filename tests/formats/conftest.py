"""Fixtures shared with the tests of capture."""

from tests.capture.conftest import make_entry, make_metrics, synthetic_hand

__all__ = ["make_entry", "make_metrics", "synthetic_hand"]
