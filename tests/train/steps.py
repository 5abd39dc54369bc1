"""Short trainings without compilation, for tests that check data and messages rather than the training itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partialmethod

import pytest

from aslkit.core.native_libraries import import_keras


@contextmanager
def uncompiled() -> Iterator[None]:
    """Run Keras models eagerly in the block: the same results, without about a second of compilation per model.

    User trainings are compiled, as in test_fit.py, test_early_stopping.py and test_pipeline.py.
    """
    model = import_keras().Model
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(model, "compile", partialmethod(model.compile, run_eagerly=True))
        yield
