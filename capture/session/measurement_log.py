"""Keeps what was measured in the stored frames, in the session's folder, so that curation need not repeat it."""

import hashlib
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from aslkit.formats.measurements import (
    MEASURED_SCHEMA,
    RECORDER_OPTIONS,
    SESSION_MEASUREMENTS,
    measured_row,
    write_measurements,
)
from aslkit.vision.frame_metrics import FrameMetrics
from aslkit.vision.images import Frame

_FRAMES_PER_FILE: Final = 128
"""Frames after which a file is written: the most that a crash loses, which costs curation four seconds."""


class MeasurementLog:
    """The measurements of a session. Not thread-safe.

    Args:
        session: folder of the session.
    """

    def __init__(self, session: Path) -> None:
        self._folder = session / SESSION_MEASUREMENTS / RECORDER_OPTIONS.folder_name
        self._rows: list[dict[str, Any]] = []
        self._lost, self._error = 0, ""

    def add(self, data: bytes, pixels: Frame, metrics: FrameMetrics) -> None:
        """Add a stored frame, unless its hands were found with the help of earlier frames; curation measures these.

        Args:
            data: content of the image file.
            pixels: decoded from it, BGR, uint8 (height, width, 3).
            metrics: metrics of the pixels.
        """
        if not metrics.independent:
            return
        self._rows.append(measured_row(hashlib.sha256(data).hexdigest(), pixels, metrics))
        if len(self._rows) >= _FRAMES_PER_FILE:
            self.flush()

    def flush(self) -> None:
        """Write the rows. If that fails, `note` says so: the images are safe, and no reason to stop the recording."""
        if not self._rows:
            return
        rows, self._rows = self._rows, []
        try:
            write_measurements(self._folder, pa.Table.from_pylist(rows, MEASURED_SCHEMA))
        except OSError as error:
            self._lost, self._error = self._lost + len(rows), error.strerror or str(error)

    def note(self) -> str | None:
        """Return that measurements could not be written; None if all could."""
        if not self._lost:
            return None
        return (
            f"The images are stored, but not what was measured in {self._lost} of them ({self._error}), so "
            "`aslkit curate` measures these again."
        )
