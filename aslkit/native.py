"""What native libraries print, past Python."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def native_log_silenced() -> Iterator[None]:
    """Keep the start-up chatter of MediaPipe and TensorFlow off the terminal: C++ writes it to file descriptor 2."""
    sys.stderr.flush()
    saved = os.dup(2)
    with Path(os.devnull).open("wb") as sink:
        os.dup2(sink.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
