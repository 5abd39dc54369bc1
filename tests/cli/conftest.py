"""Fixtures shared with the tests of the stages."""

from tests.capture.conftest import empty_workspace, make_entry, make_metrics, synthetic_hand
from tests.datasets.conftest import no_backoff
from tests.train.conftest import dataset, sign_mnist

__all__ = ["dataset", "empty_workspace", "make_entry", "make_metrics", "no_backoff", "sign_mnist", "synthetic_hand"]
