"""Fixtures that the tests of the commands share with those of the stages."""

from tests.capture.conftest import drawn, empty, entry, seen
from tests.datasets.conftest import no_waiting
from tests.train.conftest import dataset, sign_mnist

__all__ = ["dataset", "drawn", "empty", "entry", "no_waiting", "seen", "sign_mnist"]
