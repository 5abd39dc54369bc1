"""Fixtures shared with the tests of capture."""

from tests.capture.conftest import played, until

__all__ = ["played", "until"]
