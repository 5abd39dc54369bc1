"""Fixtures shared with the tests of capture."""

from tests.capture.conftest import empty_workspace, make_entry, make_metrics, synthetic_hand

__all__ = ["empty_workspace", "make_entry", "make_metrics", "synthetic_hand"]
