"""Fixtures that the tests of the commands share with those of the stages."""

from tests.capture.conftest import empty_workspace, make_entry, make_metrics, synthetic_hand
from tests.datasets.conftest import no_backoff
from tests.train.conftest import dataset, sign_mnist

__all__ = ["dataset", "synthetic_hand", "empty_workspace", "make_entry", "no_backoff", "make_metrics", "sign_mnist"]
