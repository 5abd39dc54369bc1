"""The frames and clips of a session that is being recorded: adds, counts, removes and restores them."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from aslkit.capture.quality.gate import KeptFrames
from aslkit.capture.session.clip_files import ClipEntry, ClipFolder
from aslkit.capture.session.store import Session
from aslkit.core.letters import ALPHABET, NO_LETTER
from aslkit.formats.frame_index import IndexEntry

Entry = IndexEntry | ClipEntry


class StoredEntries:
    """The frames and clips of a session. Not thread-safe.

    Args:
        session: the session.
        clips: its clips.
        earlier_frames: the signer's frames in other sessions.
        counts: number of frames or clips of each letter that the signer has, in all sessions.
        records_clips: whether a letter is counted in clips, not in frames.

    Attributes:
        entries: frames and clips by file, in the order in which they were stored.
        kept: stored frames of each letter, in all sessions, for finding near-duplicates.
        counts: current number of frames or clips of each letter, in all sessions.
        stored: number of frames or clips of each letter stored in this recording.
        undone: number of frames and clips removed again.
        burst: number of the current burst.
    """

    def __init__(
        self,
        session: Session,
        clips: ClipFolder,
        *,
        earlier_frames: Sequence[IndexEntry],
        counts: Counter[str],
        records_clips: Callable[[str], bool],
    ) -> None:
        self._session, self._clips, self._records_clips = session, clips, records_clips
        earlier: list[Entry] = [*clips.list_entries(), *session.entries]
        self.entries = {entry.file: entry for entry in earlier}
        self.counts, self.stored = Counter(counts), Counter[str]()
        self.undone = 0
        self._removed: list[Entry] = []
        self.kept = {letter: KeptFrames() for letter in (*ALPHABET, NO_LETTER)}
        for number, frame in enumerate(earlier_frames):
            self.kept[frame.letter].add(f"earlier {number}", frame)
        for frame in session.entries:
            self.kept[frame.letter].add(frame.file, frame)
        self._last_earlier_burst = max((entry.burst for entry in earlier), default=0)
        self.burst = self._last_earlier_burst + 1

    def frames(self) -> list[IndexEntry]:
        """Return the frames, in the order in which they were stored."""
        return [entry for entry in self.entries.values() if isinstance(entry, IndexEntry)]

    def add(self, entry: Entry) -> None:
        """Add and count a frame or clip that is on disk, or will be."""
        self.entries[entry.file] = entry
        if isinstance(entry, IndexEntry):
            self.kept[entry.letter].add(entry.file, entry)
        self._count(entry, 1)

    def forget(self, entries: Iterable[Entry]) -> None:
        """Remove entries without touching their files."""
        for entry in entries:
            del self.entries[entry.file]
            self.kept[entry.letter].remove(entry.file)
            self._count(entry, -1)

    def _count(self, entry: Entry, change: int) -> None:
        # A session can have both frames and clips of "none", and only one of them is counted.
        if isinstance(entry, ClipEntry) == self._records_clips(entry.letter):
            self.counts[entry.letter] += change
            self.stored[entry.letter] += change * (entry.burst > self._last_earlier_burst)

    def last_burst(self) -> list[Entry]:
        """Return what the last burst of this recording stored. Earlier recordings in this session are never undone."""
        bursts = [entry.burst for entry in self.entries.values() if entry.burst > self._last_earlier_burst]
        last = max(bursts, default=None)
        return [entry for entry in self.entries.values() if entry.burst == last]

    def remove(self, entries: list[Entry]) -> list[Entry]:
        """Move frames and clips to the trash, and return them."""
        for entry in entries:
            if isinstance(entry, ClipEntry):
                self._clips.trash(entry)
            else:
                self._session.trash([entry])
        self.forget(entries)
        self.undone += len(entries)
        self._removed = entries or self._removed
        return entries

    def put_back(self) -> list[Entry]:
        """Restore what was removed last, if it is still in the trash, and return it.

        Raises:
            OSError: a frame or clip could not be restored. Those before it are, and the others can be put back later.
        """
        restored = []
        while self._removed:
            entry = self._removed[0]
            is_there = self._clips.restore(entry) if isinstance(entry, ClipEntry) else self._session.restore(entry)
            if is_there:
                self.add(entry)
                self.undone -= 1
                restored.append(entry)
            self._removed = self._removed[1:]
        return restored
