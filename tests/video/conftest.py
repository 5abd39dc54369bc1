"""Fixtures shared with the tests of capture."""

from tests.capture.conftest import fake_source, wait_until

__all__ = ["fake_source", "wait_until"]
