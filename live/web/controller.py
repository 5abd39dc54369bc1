"""Handles the requests of the page that tries runs, without HTTP.

Methods take and return plain values. They raise `RequestRefused` with a message for the user if a request is invalid.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from threading import Lock
from typing import Any

import numpy as np

from aslkit.live.exam.run import CameraExam
from aslkit.live.exam.scoring import Exam
from aslkit.live.reader import Reader, Reading
from aslkit.live.speller import Event
from aslkit.live.words.lexicon import Lexicon
from aslkit.web.request_limits import RequestRefused, decode_upload


class ReadingController:
    """Passes the frames of a page to the readers of one or two runs. Thread-safe.

    Args:
        readers: by name of the run; the first one takes the exam.
        clock: returns monotonic time in seconds.
    """

    def __init__(self, readers: Mapping[str, Reader], *, clock: Callable[[], float] = time.monotonic) -> None:
        self.readers = dict(readers)
        self._clock, self._start_s = clock, clock()
        # Requests run in several threads, but the landmarker is not thread-safe.
        self._lock = Lock()
        self._exam: CameraExam | None = None
        self._text_before = ""
        self._on_event, self._first_reader.on_event = self._first_reader.on_event, self._handle_event
        self._closed = False

    def state(self) -> dict[str, Any]:
        """Return the runs and their texts."""
        return {"runs": [{"run": run, "text": reader.text} for run, reader in self.readers.items()]}

    def process_frame(self, data: bytes) -> dict[str, Any]:
        """Read an encoded frame, JPEG or PNG, unmirrored, and return the reading of each run.

        Raises:
            RequestRefused: the image cannot be decoded, or the runs were closed.
        """
        frame = decode_upload(data)
        with self._lock:
            # Checked under the lock: after `close`, the landmarker may be freed at any time.
            if self._closed:
                raise RequestRefused(409, "Choose a run first.", why="unknown")
            time_s = self._clock() - self._start_s
            readings = [_reading_values(run, reader.read(frame, time_s)) for run, reader in self.readers.items()]
            if self._exam is not None:
                self._exam.on_frame(self._first_reader, time_s)
            return {"readings": readings, "exam": self._exam and _exam_values(self._exam.exam, time_s)}

    @property
    def _first_reader(self) -> Reader:
        return next(iter(self.readers.values()))

    @property
    def lexicon(self) -> Lexicon | None:
        """Words that are suggested and corrected to; None for neither."""
        return self._first_reader.lexicon

    @property
    def exam(self) -> CameraExam | None:
        """The exam that is being taken; None if there is none."""
        return self._exam

    def start_exam(self, exam: CameraExam) -> None:
        """Start an exam of the first run with the next frame. Another exam is dropped."""
        self.stop_exam()
        with self._lock:
            self._exam, self._text_before = exam, self._first_reader.text

    def stop_exam(self) -> CameraExam | None:
        """Stop the exam, and return it; None if there is none."""
        with self._lock:
            exam, self._exam = self._exam, None
            if exam is not None:  # the letters of the exam are not what the person spelled
                self._first_reader.replace_text(self._text_before)
            return exam

    def _handle_event(self, event: Event) -> None:
        self._on_event(event)
        if self._exam is not None:
            self._exam.on_event(event)

    def set_lexicon(self, lexicon: Lexicon | None) -> None:
        """Suggest and correct words from now on, or stop with None. The texts are kept."""
        with self._lock:
            for run, reader in self.readers.items():
                changed = replace(reader, lexicon=lexicon)
                changed.replace_text(reader.text)
                self.readers[run] = changed

    def press_key(self, key: str) -> dict[str, Any]:
        """Edit the text of each run, and return the state.

        Args:
            key: "space", "delete" or "clear"; "suggestion", which replaces the word by the suggested one; or "undo",
                which puts back the letters of the last correction, or else what "clear" deleted.
        """
        readers = list(self.readers.values())
        if key == "undo":
            # Otherwise the run that corrected nothing would put back a text that was cleared before.
            readers = [reader for reader in readers if reader.reading.correction is not None] or readers
        for reader in readers:
            edits = {
                "space": reader.space, "delete": reader.delete, "clear": reader.clear, "undo": reader.undo,
                "suggestion": reader.take_suggestion,
            }  # fmt: skip
            edits[key]()
        return self.state()

    def close(self) -> None:
        """Wait until the current frame is read, and accept no further ones."""
        with self._lock:
            self._closed = True


def _exam_values(exam: Exam, time_s: float) -> dict[str, Any]:
    return {
        "phase": exam.phase,
        "letter": exam.letter,
        "number": min(len(exam.results) + 1, len(exam.prompts)),
        "prompts": len(exam.prompts),
        "remaining_s": round(exam.remaining_s(time_s), 1),
        "results": [[result.letter, result.predicted] for result in exam.results],
    }


def _reading_values(run: str, reading: Reading) -> dict[str, Any]:
    hand = None if reading.recognition is None else reading.recognition.hand
    correction = reading.correction
    return {
        "run": run,
        "letter": reading.letter,
        "top_letters": [[letter, round(probability, 3)] for letter, probability in reading.top_letters],
        "progress": round(reading.progress, 3),
        "text": reading.text,
        "suggestion": reading.suggestion,
        "correction": None if correction is None else {"read": correction.read, "word": correction.word},
        "landmarks": None if hand is None else np.round(hand.landmarks[:, :2].astype(float), 4).tolist(),
        "box": None if hand is None else np.round(hand.box.astype(float), 4).tolist(),
    }
