"""A running recording of one signer: judges, stores, counts and removes frames.

Window, terminal and browser all pass their frames to a `Recording` and show its decisions.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import RLock
from typing import Any

from aslkit.capture.config import CaptureConfig, GateConfig
from aslkit.capture.quality.gate import KeptFrames, Reason, judge_frame
from aslkit.capture.quality.handedness import HandednessTracker
from aslkit.capture.session.encoded_frame import EncodedFrame, encode_frame
from aslkit.capture.session.frame_writer import FrameWriter
from aslkit.capture.session.hints import RecordingHints
from aslkit.capture.session.measurement_log import MeasurementLog
from aslkit.capture.session.store import Session, format_time
from aslkit.core.errors import InputError
from aslkit.core.letters import RECORDABLE
from aslkit.formats.frame_index import IndexEntry
from aslkit.vision.frame_metrics import FrameMetrics
from aslkit.vision.hand_landmarker import Handedness
from aslkit.vision.images import Frame


@dataclass(frozen=True, kw_only=True)
class GateDecision:
    """Decision about a frame.

    Attributes:
        reasons: reasons for rejecting it, in the order of `quality.gate.REASONS`; empty if it is good.
        stored: its index entry; None if it was not stored.
        hint: that the frames show another letter, or how to make them more diverse; None if no hint is due.
        question: the detected side, while it differs from the signer's usual hand and the signer has not confirmed it.
            Nothing is stored until `Recording.answer_question`.
    """

    reasons: tuple[Reason, ...]
    stored: IndexEntry | None = None
    hint: str | None = None
    question: Handedness | None = None


class Recording:
    """A running recording of one signer. Thread-safe.

    Args:
        session: session to store in.
        capture: configuration of the recording.
        gate: configuration of the quality gate.
        letters: letters to record, in order; at least one.
        earlier_frames: the signer's frames in other sessions; their near-duplicates are rejected as well.
        counts: number of images of each letter that the signer has, in all sessions.
        count: number of frames of each letter to store in this recording; None records until the goal is reached.
        usual_hand: the signer's usual hand; None if unknown.
        can_ask: whether the signer can answer a question.
        save_licence: saves the licence that the signer chooses; None if it is known. Nothing is stored before.

    Attributes:
        letter: letter that is being recorded.
        counts: current number of images of each letter, in all sessions.
        stored: number of frames of each letter stored in this recording.
        rejected: number of rejected frames, by their first reason.
        undone: number of frames removed again.
        dropped: number of good frames lost because the disk was too slow.
        revision: increases when the letter changes or frames are undone. Frames taken in an earlier revision are
            judged, but not stored.
        handedness: tracks which hand signs.
    """

    def __init__(
        self,
        session: Session,
        *,
        capture: CaptureConfig,
        gate: GateConfig,
        letters: Sequence[str],
        counts: Counter[str],
        earlier_frames: Sequence[IndexEntry] = (),
        count: int | None = None,
        usual_hand: Handedness | None = None,
        can_ask: bool = True,
        save_licence: Callable[[str], None] | None = None,
    ) -> None:
        self.session, self.capture, self.gate, self.count = session, capture, gate, count
        self.letters, self.letter = tuple(letters), letters[0]
        self.counts, self.stored = Counter(counts), Counter[str]()
        self.rejected: Counter[Reason] = Counter()
        self.undone = self.dropped = self.revision = 0
        self.handedness = HandednessTracker(usual_hand, can_ask=can_ask)
        self._save_licence = save_licence
        self._entries = {entry.file: entry for entry in session.entries}
        self._kept = {letter: KeptFrames() for letter in RECORDABLE}
        for number, entry in enumerate(earlier_frames):
            self._kept[entry.letter].add(f"earlier {number}", entry)
        for entry in session.entries:
            self._kept[entry.letter].add(entry.file, entry)
        self._last_earlier_burst = max((entry.burst for entry in session.entries), default=0)
        self._burst = self._last_earlier_burst + 1
        self._measurements = MeasurementLog(session.folder)
        self._writer = FrameWriter(session, self._measurements)
        self._hints = RecordingHints()
        self._removed: list[IndexEntry] = []
        # The judging thread stores frames while the user interface switches letters and undoes.
        self._lock = RLock()

    def select_letter(self, letter: str) -> None:
        """Switch to another letter.

        Raises:
            InputError: the letter is not one of `letters`.
        """
        if letter not in self.letters:
            raise InputError(f"{letter!r} is not being recorded. Choose one of {' '.join(self.letters)}.")
        with self._lock:
            self.revision += letter != self.letter
            self.letter = letter
            self._hints.start_letter()

    def adjacent_letter(self, step: int) -> str:
        """Return the next (`step` 1) or previous (-1) incomplete letter, or the current one if there is no other."""
        current, count = self.letters.index(self.letter), len(self.letters)
        others = (self.letters[(current + step * n) % count] for n in range(1, count))
        return next((letter for letter in others if not self.is_complete(letter)), self.letter)

    def select_adjacent_letter(self, step: int) -> None:
        """Switch to `adjacent_letter`."""
        self.select_letter(self.adjacent_letter(step))

    def is_complete(self, letter: str) -> bool:
        """Return whether a letter has enough frames. No further ones are stored."""
        if self.count is not None:
            return self.stored[letter] >= self.count
        return self.counts[letter] >= self.capture.goal

    def start_burst(self) -> None:
        """Start a new burst: the following frames are undone together."""
        with self._lock:
            self._burst += 1

    def encode(self, frame: Frame) -> EncodedFrame:
        """Return a camera frame, BGR, uint8 (height, width, 3), unmirrored, as it would be stored.

        Its pixels are to be measured, not those of the camera. The frame must not be modified afterwards.
        """
        return encode_frame(frame, self.capture)

    def process_frame(
        self,
        frame: EncodedFrame,
        metrics: FrameMetrics,
        *,
        name: str,
        captured_at: datetime | None,
        keep: bool,
        wait: bool = False,
        revision: int | None = None,
    ) -> GateDecision:
        """Judge a frame, and store it if it is good and `keep` is set.

        Args:
            frame: the frame, see `encode`.
            metrics: metrics of its pixels.
            name: name of the frame, used for its file.
            captured_at: time at which the frame was taken; None if unknown.
            keep: whether to store the frame; otherwise it is only judged.
            wait: whether to wait for a slow disk. Otherwise the frame is dropped.
            revision: `revision` at which the frame was taken; if it has changed since, the frame is only judged.

        Raises:
            OSError: an earlier frame could not be written.
        """
        with self._lock:
            reasons = judge_frame(metrics, self._kept[self.letter], self.gate)
            # Near-duplicates count as well: they show which hand signs, even if they are not stored.
            if metrics.hand is not None and not set(reasons) - {"too-alike"}:
                self.handedness.observe(metrics.hand)
                self._hints.observe_hand(metrics, self.letter)
            stored = None
            # Checked under the lock: an undo between this and storing would miss the frame.
            keep = keep and revision in (None, self.revision) and not self.asks_licence
            if keep and self.handedness.question is None and not self.is_complete(self.letter):
                self._hints.observe_reasons(reasons)
                if reasons and self.gate.enabled:
                    self.rejected[reasons[0]] += 1
                else:
                    stored = self._store(frame, metrics, reasons, name, captured_at, wait)
            hint, question = self._current_hint(), self.handedness.question
            return GateDecision(reasons=reasons, stored=stored, hint=hint, question=question)

    def _store(
        self,
        frame: EncodedFrame,
        metrics: FrameMetrics,
        reasons: tuple[Reason, ...],
        name: str,
        captured_at: datetime | None,
        wait: bool,
    ) -> IndexEntry | None:
        file = self.session.free_name(self.letter, name, frame.suffix, taken=self._entries)
        side = None if metrics.hand is None else self.handedness.side_of(metrics.hand)
        entry = IndexEntry.from_metrics(
            metrics, file=file, side=side, time=format_time(captured_at), burst=self._burst, reasons=reasons
        )
        # Counted only when the writer has accepted it; the counts must match the disk.
        if not self._writer.put(entry, frame, metrics, wait=wait):
            self.dropped += 1
            return None
        self._entries[file] = entry
        self._kept[self.letter].add(file, entry)
        self.counts[self.letter] += 1
        self.stored[self.letter] += 1
        return entry

    @property
    def wrong_letter_hint(self) -> str | None:
        """That the last frames show another letter than the one being recorded; None if they do not."""
        with self._lock:
            return self._hints.wrong_letter

    def _current_hint(self) -> str | None:
        newest_first = (entry for entry in reversed(self._entries.values()) if entry.letter == self.letter)
        return self._hints.choose(self.stored[self.letter], newest_first)

    def answer_question(self, *, confirmed: bool) -> None:
        """Set whether the hand is really the one that `GateDecision.question` names."""
        with self._lock:
            self.handedness.resolve(confirmed=confirmed)

    @property
    def asks_licence(self) -> bool:
        """Whether the signer has to choose a licence first, see `aslkit.capture.signers`."""
        return self._save_licence is not None

    def choose_licence(self, licence: str) -> None:
        """Save the licence that the signer chooses, and let frames be stored."""
        with self._lock:
            if self._save_licence is not None:
                self._save_licence(licence)
                self._save_licence = None

    def undo(self) -> list[IndexEntry]:
        """Move the frames of the last burst of this recording to the trash, and return them."""
        with self._lock:
            self.revision += 1
            # Frames of earlier recordings in this session are never undone.
            bursts = [entry.burst for entry in self._entries.values() if entry.burst > self._last_earlier_burst]
            last = max(bursts, default=None)
            return self._remove([entry for entry in self._entries.values() if entry.burst == last])

    def remove(self, file: str) -> bool:
        """Move one frame of the session to the trash; return False if there is no such frame."""
        with self._lock:
            return bool(self._remove([self._entries[file]] if file in self._entries else []))

    def _remove(self, entries: list[IndexEntry]) -> list[IndexEntry]:
        # Waiting under the lock cannot deadlock, because the writer's thread never takes it.
        self._writer.flush()  # the frame may still be in the writer's queue
        self.session.trash(entries)
        self._forget(entries)
        self.undone += len(entries)
        self._removed = entries or self._removed
        return entries

    def put_back(self) -> list[IndexEntry]:
        """Restore the frames that were removed last, if their images are still in the trash, and return them.

        Raises:
            OSError: a frame could not be restored. Those before it are, and the others can be put back later.
        """
        with self._lock:
            restored = []
            while self._removed:
                entry = self._removed[0]
                if self.session.restore(entry):
                    self._remember(entry)
                    restored.append(entry)
                self._removed = self._removed[1:]
            self.revision += 1
            return restored

    def _remember(self, entry: IndexEntry) -> None:
        self._entries[entry.file] = entry
        self._kept[entry.letter].add(entry.file, entry)
        self.counts[entry.letter] += 1
        self.stored[entry.letter] += entry.burst > self._last_earlier_burst
        self.undone -= 1

    def _forget(self, entries: Iterable[IndexEntry]) -> None:
        for entry in entries:
            del self._entries[entry.file]
            self._kept[entry.letter].remove(entry.file)
            self.counts[entry.letter] -= 1
            self.stored[entry.letter] -= entry.burst > self._last_earlier_burst

    def recent(self, count: int) -> list[IndexEntry]:
        """Return up to `count` frames of the session, newest first."""
        with self._lock:
            return list(self._entries.values())[: -count - 1 : -1]

    def flush(self) -> None:
        """Wait until all frames are on disk.

        Raises:
            OSError: a frame could not be written.
        """
        self._writer.flush()

    def close(self) -> None:
        """Write the remaining frame, and correct the counts if it could not be written; `flush` then raises the cause.

        No frame may be processed afterwards.
        """
        # First the writer: only then is it known which frames reached the disk.
        self._writer.close()
        with self._lock:
            written = {entry.file for entry in self.session.entries}
            self._forget([entry for file, entry in self._entries.items() if file not in written])

    def report(self) -> dict[str, Any]:
        """Return the summary of this recording for session.json."""
        with self._lock:
            return {
                "stored": sum(self.stored.values()),
                "letters": {letter: number for letter, number in sorted(self.stored.items()) if number},
                "refused": dict(self.rejected),
                "undone": self.undone,
                "usual_hand": self.handedness.usual,
                "unusual_hand": self.handedness.unusual,
                "unusual_hand_confirmed": self.handedness.confirmed,
            }

    def notes(self) -> list[str]:
        """Return what the user should know about the stored frames, at the end."""
        with self._lock:
            notes = (self.handedness.mirrored_note(sum(self.stored.values())), self._measurements.note())
        return [note for note in notes if note is not None]
