"""Fixtures shared with the tests of capture."""

from tests.capture.conftest import drawn, entry, seen

__all__ = ["drawn", "entry", "seen"]
