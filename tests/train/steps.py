"""Short trainings without compilation, for tests that check data and messages rather than the training itself."""

from collections.abc import Iterator
from contextlib import contextmanager

from aslkit.core.native_libraries import import_keras


@contextmanager
def uncompiled() -> Iterator[None]:
    """Run TensorFlow's functions eagerly in the block: the same results, without a second of compilation per model.

    User trainings are compiled, as in test_fit.py, test_early_stopping.py and test_pipeline.py.
    """
    import_keras()
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(False)
