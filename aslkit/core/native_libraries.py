"""Native libraries: started only when needed, and without their chatter."""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import Any, Final

from aslkit.core.errors import AslkitError

_ONE_AT_A_TIME: Final = RLock()


@contextmanager
def silence_native_log() -> Iterator[None]:
    """Keep the start-up chatter of MediaPipe and TensorFlow off the terminal: C++ writes it to file descriptor 2."""
    with _ONE_AT_A_TIME:  # two threads in here at once would put back each other's silence
        sys.stderr.flush()
        saved = os.dup(2)
        with Path(os.devnull).open("wb") as sink:
            os.dup2(sink.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(saved, 2)
            os.close(saved)


def import_keras(*, exact: bool = True) -> Any:
    """Import Keras on TensorFlow; returns the module.

    Args:
        exact: the same figures to the bit each time; an epoch takes some 7 % longer. Cannot be undone in this process.

    Raises:
        AslkitError: TensorFlow is not installed.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    try:
        with silence_native_log():
            import keras
            import tensorflow as tf
    except ModuleNotFoundError as error:
        raise AslkitError(
            f"This needs {error.name}, which is not installed. Install it with: pip install 'aslkit[train]'"
        ) from error
    logging.getLogger("tensorflow").setLevel(logging.ERROR)  # it tells users how to write faster TensorFlow
    if exact:
        tf.config.experimental.enable_op_determinism()
    return keras
