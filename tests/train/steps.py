"""Trainings of a few steps, for tests of what is trained on what, and told: nothing is compiled for them."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partialmethod

import pytest

from aslkit.core.native_libraries import import_keras


@contextmanager
def uncompiled() -> Iterator[None]:
    """In the block Keras takes its steps one by one: the same figures, without the second that compiling them takes.

    What a user trains is compiled; test_fit.py, test_stopping.py, test_run.py and test_end_to_end.py train so.
    """
    model = import_keras().Model
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(model, "compile", partialmethod(model.compile, run_eagerly=True))
        yield
