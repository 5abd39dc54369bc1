"""Import native libraries on demand, and keep their start-up messages off the terminal."""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any, Final

from aslkit.core.installation import missing_module


class _Redirection:
    """Sends file descriptor 2 to the null device while at least one thread asks for it."""

    def __init__(self) -> None:
        self._lock, self._threads, self._saved = Lock(), 0, -1

    def start(self) -> None:
        with self._lock:
            self._threads += 1
            if self._threads > 1:
                return
            # Text that Python has buffered must not go to the sink. Redirecting sys.stderr would not affect C++.
            sys.stderr.flush()
            self._saved = os.dup(2)
            with Path(os.devnull).open("wb") as sink:
                os.dup2(sink.fileno(), 2)

    def stop(self) -> None:
        with self._lock:
            self._threads -= 1
            if not self._threads:
                os.dup2(self._saved, 2)
                os.close(self._saved)


_REDIRECTION: Final = _Redirection()


@contextmanager
def suppress_native_log() -> Iterator[None]:
    """Suppress the messages that MediaPipe and TensorFlow write from C++ to file descriptor 2, in all threads."""
    _REDIRECTION.start()
    try:
        yield
    finally:
        _REDIRECTION.stop()


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
