"""Import native libraries on demand, and keep their start-up messages off the terminal."""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import Any, Final

from aslkit.core.installation import missing_module

_LOCK: Final = RLock()


@contextmanager
def suppress_native_log() -> Iterator[None]:
    """Suppress the messages that MediaPipe and TensorFlow write from C++ to file descriptor 2."""
    with _LOCK:  # two threads would restore each other's redirection
        # Text that Python has buffered must not go to the sink. Redirecting sys.stderr instead would not affect C++.
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
    """Import Keras with the TensorFlow backend and return the module.

    Args:
        exact: make results reproducible bit by bit; an epoch takes about 7 % longer. Cannot be undone in this process.

    Raises:
        AslkitError: TensorFlow is not installed.
    """
    # Both variables are only read during the import.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    try:
        with suppress_native_log():
            import keras
            import tensorflow as tf
    except ModuleNotFoundError as error:
        raise missing_module(error.name, extra="train", purpose="This command") from error
    logging.getLogger("tensorflow").setLevel(logging.ERROR)  # hints for TensorFlow developers
    if exact:
        tf.config.experimental.enable_op_determinism()
    return keras
