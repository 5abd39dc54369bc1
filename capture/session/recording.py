"""A running recording of one signer: judges, stores, counts and removes frames and clips.

Window, terminal and browser all pass their frames to a `Recording` and show its decisions.
"""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from threading import RLock
from typing import Any, Final

from aslkit.capture.config import CaptureConfig, GateConfig
from aslkit.capture.movement.clip_frame import TrackedFrame, main_hand, measure_clip, to_clip_lines
from aslkit.capture.quality.clip_gate import ClipReason, judge_clip
from aslkit.capture.quality.gate import Reason, judge_frame
from aslkit.capture.quality.handedness import HandednessTracker
from aslkit.capture.session.clip_files import ClipEntry, ClipFolder
from aslkit.capture.session.decisions import ClipDecision, GateDecision
from aslkit.capture.session.encoded_frame import EncodedFrame, encode_frame
from aslkit.capture.session.frame_writer import FrameWriter
from aslkit.capture.session.hints import RecordingHints
from aslkit.capture.session.measurement_log import MeasurementLog
from aslkit.capture.session.store import Session, format_time
from aslkit.capture.session.stored_entries import Entry, StoredEntries
from aslkit.core.errors import InputError
from aslkit.core.letters import MOTION_LETTERS, NO_LETTER
from aslkit.formats.clips import MIN_CLIP_FRAMES
from aslkit.formats.frame_index import IndexEntry
from aslkit.vision.frame_metrics import FrameMetrics
from aslkit.vision.hand_landmarker import Hand, Handedness
from aslkit.vision.images import Frame

_NOT_FOR_CLIPS: Final[frozenset[Reason]] = frozenset({"moved", "blurred", "too-alike"})
_NOT_FOR_NEGATIVES: Final[frozenset[Reason]] = _NOT_FOR_CLIPS | {"no-hand", "two-hands", "cut-off", "too-small"}
"""Reasons for rejecting single frames that do not apply to the frames of J and Z, and of "none"."""


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
        clip_letters: letters that are recorded as clips. Their counts are numbers of clips.

    Attributes:
        letter: letter that is being recorded.
        counts: current number of images of each letter, in all sessions.
        stored: number of frames of each letter stored in this recording.
        rejected: number of rejected frames, by their first reason.
        rejected_clips: number of rejected clips, by their first reason.
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
        clip_letters: Collection[str] = MOTION_LETTERS,
    ) -> None:
        self.session, self.capture, self.gate, self.count = session, capture, gate, count
        self.letters, self.letter = tuple(letters), letters[0]
        self.rejected: Counter[Reason] = Counter()
        self.rejected_clips: Counter[ClipReason] = Counter()
        self.dropped = self.revision = 0
        self.handedness = HandednessTracker(usual_hand, can_ask=can_ask)
        self._save_licence = save_licence
        self._clip_letters, self._clips = frozenset(clip_letters), ClipFolder(session.folder)
        self._entries = StoredEntries(
            session, self._clips, earlier_frames=earlier_frames, counts=counts, records_clips=self.records_clips
        )
        self.counts, self.stored = self._entries.counts, self._entries.stored
        self._measurements = MeasurementLog(session.folder)
        self._writer = FrameWriter(session, self._measurements)
        self._hints = RecordingHints()
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

    def records_clips(self, letter: str) -> bool:
        """Return whether a letter is recorded as clips, not as single frames."""
        return letter in self._clip_letters

    def goal(self, letter: str) -> int:
        """Return the number of frames or clips of a letter to record."""
        if self.count is not None:
            return self.count
        return self.capture.clip_goal if self.records_clips(letter) else self.capture.goal

    def progress(self, letter: str) -> int:
        """Return the number that counts towards `goal`: of this recording, or of all sessions."""
        return self.counts[letter] if self.count is None else self.stored[letter]

    def is_complete(self, letter: str) -> bool:
        """Return whether a letter has enough frames or clips. No further ones are stored."""
        return self.progress(letter) >= self.goal(letter)

    def start_burst(self) -> None:
        """Start a new burst: the following frames are undone together."""
        with self._lock:
            self._entries.burst += 1

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
            reasons = judge_frame(metrics, self._entries.kept[self.letter], self.gate)
            if self.records_clips(self.letter):
                # Only shown, to prepare for a clip: what the frames of a movement must not be like does not matter.
                ignored = _NOT_FOR_CLIPS if self.letter != NO_LETTER else _NOT_FOR_NEGATIVES
                reasons, keep = tuple(reason for reason in reasons if reason not in ignored), False
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

    def process_clip(
        self, frames: Sequence[TrackedFrame], *, name: str, letter: str, revision: int | None = None
    ) -> ClipDecision:
        """Judge a clip, and store it if it is good. It is on disk when it is counted.

        Args:
            frames: its frames, in order, at least one.
            name: name of the clip, used for its folder.
            letter: letter that was being recorded.
            revision: `revision` at which the clip began; if it has changed since, the clip is not stored.

        Raises:
            OSError: the clip could not be written. Nothing of it is left behind.
        """
        reasons, hand = judge_clip(measure_clip(frames), letter, self.gate), main_hand(frames)
        with self._lock:
            if hand is not None and not reasons:
                self.handedness.observe(hand)
            question = self.handedness.question
            waits = self.asks_licence or question is not None
            stored = None
            if revision in (None, self.revision) and not waits and not self.is_complete(letter):
                if reasons and (self.gate.enabled or len(frames) < MIN_CLIP_FRAMES):
                    self.rejected_clips[reasons[0]] += 1
                else:
                    stored = self._store_clip(frames, letter, name, hand)
            return ClipDecision(letter=letter, reasons=reasons, stored=stored, question=question)

    def _store_clip(self, frames: Sequence[TrackedFrame], letter: str, name: str, hand: Hand | None) -> ClipEntry:
        side = None if hand is None else self.handedness.side_of(hand)
        self._entries.burst += 1  # each clip is undone alone
        file = self._clips.free_name(letter, name, taken=self._entries.entries)
        entry = self._clips.add(file, to_clip_lines(frames, side), burst=self._entries.burst)
        self._entries.add(entry)
        return entry

    def _store(
        self,
        frame: EncodedFrame,
        metrics: FrameMetrics,
        reasons: tuple[Reason, ...],
        name: str,
        captured_at: datetime | None,
        wait: bool,
    ) -> IndexEntry | None:
        file = self.session.free_name(self.letter, name, frame.suffix, taken=self._entries.entries)
        side = None if metrics.hand is None else self.handedness.side_of(metrics.hand)
        entry = IndexEntry.from_metrics(
            metrics, file=file, side=side, time=format_time(captured_at), burst=self._entries.burst, reasons=reasons
        )
        # Counted only when the writer has accepted it; the counts must match the disk.
        if not self._writer.put(entry, frame, metrics, wait=wait):
            self.dropped += 1
            return None
        self._entries.add(entry)
        return entry

    @property
    def wrong_letter_hint(self) -> str | None:
        """That the last frames show another letter than the one being recorded; None if they do not."""
        with self._lock:
            return self._hints.wrong_letter

    def _current_hint(self) -> str | None:
        if self.records_clips(self.letter):
            return None  # the last hint may be about another letter
        newest_first = (entry for entry in reversed(self._entries.frames()) if entry.letter == self.letter)
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

    @property
    def undone(self) -> int:
        """Number of frames and clips removed again."""
        return self._entries.undone

    def undo(self) -> list[Entry]:
        """Move the last clip, or the frames of the last burst, of this recording to the trash, and return them."""
        with self._lock:
            self.revision += 1
            return self._remove(self._entries.last_burst())

    def remove(self, file: str) -> bool:
        """Move one frame or clip of the session to the trash; return False if there is none of this name."""
        with self._lock:
            entry = self._entries.entries.get(file)
            return bool(self._remove([] if entry is None else [entry]))

    def _remove(self, entries: list[Entry]) -> list[Entry]:
        # Waiting under the lock cannot deadlock, because the writer's thread never takes it.
        self._writer.flush()  # the frame may still be in the writer's queue
        return self._entries.remove(entries)

    def put_back(self) -> list[Entry]:
        """Restore the frames or the clip that were removed last, see `StoredEntries.put_back`."""
        with self._lock:
            restored = self._entries.put_back()
            self.revision += 1
            return restored

    def recent(self, count: int) -> list[Entry]:
        """Return up to `count` frames and clips of the session, newest first."""
        with self._lock:
            return list(self._entries.entries.values())[: -count - 1 : -1]

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
            self._entries.forget([entry for entry in self._entries.frames() if entry.file not in written])

    @property
    def stored_frames(self) -> dict[str, int]:
        """Number of frames of each letter stored in this recording, without letters that have none."""
        return {letter: n for letter, n in sorted(self.stored.items()) if n and not self.records_clips(letter)}

    @property
    def stored_clips(self) -> dict[str, int]:
        """Number of clips of each letter stored in this recording, without letters that have none."""
        return {letter: n for letter, n in sorted(self.stored.items()) if n and self.records_clips(letter)}

    def report(self) -> dict[str, Any]:
        """Return the summary of this recording for session.json."""
        with self._lock:
            return {
                "stored": sum(self.stored_frames.values()),
                "letters": self.stored_frames,
                "clips": self.stored_clips,
                "refused": dict(self.rejected),
                "refused_clips": dict(self.rejected_clips),
                "undone": self.undone,
                "usual_hand": self.handedness.usual,
                "unusual_hand": self.handedness.unusual,
                "unusual_hand_confirmed": self.handedness.confirmed,
            }

    def notes(self) -> list[str]:
        """Return what the user should know about the stored frames, at the end."""
        with self._lock:
            notes = (self.handedness.mirrored_note(self.stored.total()), self._measurements.note())
        return [note for note in notes if note is not None]
