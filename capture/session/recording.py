"""One signer before one camera: what may be stored is stored, what may not is told why. Window, terminal and browser
all feed it frames and show what it answers.
"""

from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import islice
from threading import RLock
from typing import Any, Final

from aslkit.capture.config import CaptureConfig, GateConfig
from aslkit.capture.quality.diversity import LAST, diversity_hints
from aslkit.capture.quality.gate import KeptFrames, Reason, judge_frame
from aslkit.capture.quality.handedness import HandednessTracker
from aslkit.capture.session.frame_writer import FrameWriter
from aslkit.capture.session.store import Session, format_time
from aslkit.core.errors import InputError
from aslkit.core.letters import RECORDABLE
from aslkit.formats.frame_index import IndexEntry
from aslkit.vision.frame_metrics import FrameMetrics
from aslkit.vision.hand_landmarker import Handedness
from aslkit.vision.images import Frame, encode_jpeg, encode_png

_LATELY: Final = 20
_STUCK_SHARE: Final = 0.6
"""When so many of the last frames were too alike, it is time for a nudge."""

_NUDGE_EVERY: Final = 30
_NUDGE_FOR: Final = 10
"""Stored frames: so often there is a nudge where variety is low, and so long it stands."""


@dataclass(frozen=True, kw_only=True)
class GateDecision:
    """What became of a frame.

    Attributes:
        reasons: what is wrong with it, gravest first; empty where it is good.
        stored: its entry, where it was recorded; None otherwise.
        hint: what would make the frames more varied, when that is wanted; None otherwise.
        question: the side of the hand that is seen, where it is not the usual one and nobody has said yet whether
            that is so. Nothing is recorded until `Sitting.answer`.
    """

    reasons: tuple[Reason, ...]
    stored: IndexEntry | None = None
    hint: str | None = None
    question: Handedness | None = None


class Recording:
    """One signer before one camera. May be used from several threads.

    Args:
        session: where frames go.
        capture: how to record.
        gate: what frames must be like.
        letters: which letters are walked through, in order; at least one.
        before: frames of the signer in other sessions: what is too like them is refused as well.
        counts: how many images of each letter the signer has, in all sessions.
        count: how many frames of each letter to store now; None for as many as the goal wants.
        usual_hand: the signer's, as far as it is known.
        ask: whether there is somebody to answer a question.

    Attributes:
        letter: which one is being signed.
        counts: of each letter, in all sessions, as it stands now.
        stored: of each letter, in this sitting.
        refused: frames that were to be recorded and were not, by their gravest reason.
        undone: frames that were taken away again.
        late: good frames that the disk was too slow for.
        turn: goes up when the letter changes or frames are undone: what was taken before is not recorded after.
        handedness: which hand is signed with.
    """

    def __init__(
        self,
        session: Session,
        *,
        capture: CaptureConfig,
        gate: GateConfig,
        letters: Sequence[str],
        counts: Counter[str],
        before: Sequence[IndexEntry] = (),
        count: int | None = None,
        usual_hand: Handedness | None = None,
        ask: bool = True,
    ) -> None:
        self.session, self.capture, self.gate, self.count = session, capture, gate, count
        self.letters, self.letter = tuple(letters), letters[0]
        self.counts, self.stored = Counter(counts), Counter[str]()
        self.refused: Counter[Reason] = Counter()
        self.undone = self.late = self.turn = 0
        self.handedness = HandednessTracker(usual_hand, ask=ask)
        self._entries = {entry.file: entry for entry in session.entries}
        self._known = {letter: KeptFrames() for letter in RECORDABLE}
        for number, entry in enumerate(before):
            self._known[entry.letter].add(f"before {number}", entry)
        for entry in session.entries:
            self._known[entry.letter].add(entry.file, entry)
        self._before = max((entry.burst for entry in session.entries), default=0)
        self._burst = self._before + 1
        self._suffix = ".png" if capture.format == "png" else ".jpg"
        encode = encode_png if capture.format == "png" else partial(encode_jpeg, quality=capture.jpeg_quality)
        self._writer = FrameWriter(session, encode)
        self._alike: deque[bool] = deque(maxlen=_LATELY)
        self._lock = RLock()

    def choose(self, letter: str) -> None:
        """Go to a letter of `letters`.

        Raises:
            InputError: it is none of them.
        """
        if letter not in self.letters:
            raise InputError(f"{letter!r} is not being recorded. Choose one of {' '.join(self.letters)}.")
        with self._lock:
            self.turn += letter != self.letter
            self.letter = letter
            self._alike.clear()

    def neighbour_letter(self, by: int) -> str:
        """The next letter that is not complete (`by` 1), or the one before (-1); this one if there is none."""
        at, count = self.letters.index(self.letter), len(self.letters)
        others = (self.letters[(at + by * n) % count] for n in range(1, count))
        return next((letter for letter in others if not self.complete(letter)), self.letter)

    def step(self, by: int) -> None:
        """Go to the letter `neighbour_letter` this one."""
        self.choose(self.neighbour_letter(by))

    def complete(self, letter: str) -> bool:
        """Whether a letter has all the frames that are wanted. No more of it is stored."""
        if self.count is not None:
            return self.stored[letter] >= self.count
        return self.counts[letter] >= self.capture.goal

    def begin_burst(self) -> None:
        """What is recorded from now on is undone together."""
        with self._lock:
            self._burst += 1

    def offer(
        self,
        frame: Frame,
        seen: FrameMetrics,
        *,
        name: str,
        at: datetime | None,
        keep: bool,
        wait: bool = False,
        turn: int | None = None,
    ) -> GateDecision:
        """Judge a frame, and store it if it is good and to be kept. Does not wait for the disk.

        Args:
            frame: BGR, uint8 (height, width, 3), unmirrored. It is not to be changed afterwards.
            seen: what is seen in it.
            name: what to call it.
            at: when it was taken.
            keep: whether it is to be recorded; otherwise it is only judged.
            wait: for a disk that is behind, rather than lose the frame.
            turn: when it was taken; in another one it is only judged.

        Raises:
            OSError: an earlier frame could not be written.
        """
        with self._lock:
            reasons = judge_frame(seen, self._known[self.letter], self.gate)
            if seen.hand is not None and not set(reasons) - {"too-alike"}:
                self.handedness.observe(seen.hand)
            stored = None
            keep = keep and turn in (None, self.turn)
            if keep and self.handedness.question is None and not self.complete(self.letter):
                self._alike.append(reasons[:1] == ("too-alike",))
                if reasons and self.gate.enabled:
                    self.refused[reasons[0]] += 1
                else:
                    stored = self._store(frame, seen, reasons, name, at, wait)
            return GateDecision(reasons=reasons, stored=stored, hint=self._nudge(), question=self.handedness.question)

    def _store(
        self, frame: Frame, seen: FrameMetrics, reasons: tuple[Reason, ...], name: str, at: datetime | None, wait: bool
    ) -> IndexEntry | None:
        file = self.session.free_name(self.letter, name, self._suffix, taken=self._entries)
        side = None if seen.hand is None else self.handedness.side_of(seen.hand)
        entry = IndexEntry.from_metrics(
            seen, file=file, side=side, time=format_time(at), burst=self._burst, reasons=reasons
        )
        if not self._writer.put(entry, frame, wait=wait):
            self.late += 1
            return None
        self._entries[file] = entry
        self._known[self.letter].add(file, entry)
        self.counts[self.letter] += 1
        self.stored[self.letter] += 1
        return entry

    def _nudge(self) -> str | None:
        """Now and then, and whenever hardly a frame is new: one after the other of what would bring variety."""
        stuck = len(self._alike) == _LATELY and sum(self._alike) >= _STUCK_SHARE * _LATELY
        number = self.stored[self.letter]
        if not stuck and number % _NUDGE_EVERY >= _NUDGE_FOR:
            return None
        own = (entry for entry in reversed(self._entries.values()) if entry.letter == self.letter)
        wanted = list(diversity_hints(list(islice(own, LAST))[::-1]))
        return wanted[number // _NUDGE_EVERY % len(wanted)] if wanted else None

    def resolve_warning(self, *, is_so: bool) -> None:
        """Say whether the hand really is the one that `Verdict.question` saw."""
        with self._lock:
            self.handedness.resolve(is_so=is_so)

    def undo(self) -> list[IndexEntry]:
        """Move the sitting's last burst that still has frames to the trash, and return them."""
        with self._lock:
            self.turn += 1
            bursts = [entry.burst for entry in self._entries.values() if entry.burst > self._before]
            last = max(bursts, default=None)
            return self._remove([entry for entry in self._entries.values() if entry.burst == last])

    def remove(self, file: str) -> bool:
        """Move one frame of the session to the trash; False if it has none of that name."""
        with self._lock:
            return bool(self._remove([self._entries[file]] if file in self._entries else []))

    def _remove(self, entries: list[IndexEntry]) -> list[IndexEntry]:
        self._writer.flush()
        self.session.trash(entries)
        self._forget(entries)
        self.undone += len(entries)
        return entries

    def _forget(self, entries: Iterable[IndexEntry]) -> None:
        for entry in entries:
            del self._entries[entry.file]
            self._known[entry.letter].remove(entry.file)
            self.counts[entry.letter] -= 1
            self.stored[entry.letter] -= entry.burst > self._before

    def recent(self, count: int) -> list[IndexEntry]:
        """The session's last frames, newest first."""
        with self._lock:
            return list(self._entries.values())[: -count - 1 : -1]

    def flush(self) -> None:
        """Wait until all frames are on the disk.

        Raises:
            OSError: some could not be written.
        """
        self._writer.flush()

    def close(self) -> None:
        """Write what is left, and no longer count what could not be written: `flush` tells why. Nothing may be
        offered afterwards.
        """
        self._writer.close()
        with self._lock:
            written = {entry.file for entry in self.session.entries}
            self._forget([entry for file, entry in self._entries.items() if file not in written])

    def report(self) -> dict[str, Any]:
        """What the session's file keeps of this sitting."""
        with self._lock:
            return {
                "stored": sum(self.stored.values()),
                "letters": {letter: number for letter, number in sorted(self.stored.items()) if number},
                "refused": dict(self.refused),
                "undone": self.undone,
                "usual_hand": self.handedness.usual,
                "unusual_hand": self.handedness.unusual,
            }
