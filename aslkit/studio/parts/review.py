"""The part Review: all captured frames, what is doubtful about them, and what people decide."""

import os
from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import Any, Final

from aslkit.capture.web.thumbnails import create_thumbnail, frame_not_found
from aslkit.core.errors import InputError
from aslkit.core.letters import RECORDABLE
from aslkit.core.workspace import Workspace
from aslkit.curate.review_queue import NOT_DOUBTFUL, ReviewFrame, list_review_frames
from aslkit.formats.reviews import Action, load_decisions, record_decisions, undo_last_batch
from aslkit.formats.run_folder import find_newest_run
from aslkit.studio.parts.training import DATASET
from aslkit.vision.images import IMAGE_SUFFIXES

THUMBNAIL_PX: Final = 240
FULL_PX: Final = 1280
"""Longer side of the images that the page shows, in the grid and enlarged."""


class ReviewPart:
    """Lists the frames of a workspace, and stores decisions. Thread-safe.

    Args:
        workspace: workspace with the captures.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace, self._lock = workspace, Lock()
        self._frames: list[ReviewFrame] = []
        self._version: list[int] | None = None

    def list_frames(self) -> list[ReviewFrame]:
        """Return all frames; they are listed again only if a recording, a curation or a training has changed them."""
        with self._lock:
            version = self._read_version()
            if version != self._version:
                self._frames = list_review_frames(self._workspace, dataset=DATASET)
                self._version = version
            return self._frames

    def _read_version(self) -> list[int]:
        """Return the times at which the folders of letters, the dataset and the newest run changed."""
        folders = [path for path in self._workspace.captures.glob("*/*/*") if path.is_dir()]
        run = find_newest_run(self._workspace.runs)
        others = (self._workspace.dataset(DATASET), *((run,) if run else ()))
        return [path.stat().st_mtime_ns for path in (*folders, *filter(Path.exists, others))]

    def frames(self) -> dict[str, Any]:
        """Return all frames, the doubtful ones first, in a compact form.

        Returns:
            "signers", "sessions" and "reasons" list names; each of "frames" is [index of the signer, index of the
            session, letter, file name, indices of the reasons, details, suggested letter, key of the original of a
            duplicate, whether curation rejected it]. "decisions" is as in `decisions`.
        """
        frames = self.list_frames()
        names: dict[str, dict[str, int]] = {"signers": {}, "sessions": {}, "reasons": {}}

        def index(kind: str, name: str) -> int:
            return names[kind].setdefault(name, len(names[kind]))

        rows = [
            [
                index("signers", frame.signer), index("sessions", frame.session), frame.letter,
                frame.key.rpartition("/")[2], [index("reasons", reason) for reason in frame.reasons], frame.details,
                frame.suggested, frame.original, int(frame.rejected),
            ]
            for frame in frames
        ]  # fmt: skip
        return {"frames": rows, **{kind: list(values) for kind, values in names.items()}, **self.decisions()}

    def decisions(self) -> dict[str, Any]:
        """Return the current decision of each frame: [action, letter] by the frame's key."""
        decisions = load_decisions(self._workspace)
        return {"decisions": {key: [each.action, each.letter] for key, each in decisions.items()}}

    def decide(self, frames: Sequence[str], action: Action, letter: str | None) -> int:
        """Store a decision about frames, and return the number of its batch.

        Raises:
            InputError: a key or the letter is invalid, or there is no such frame.
        """
        known = {frame.key for frame in self.list_frames()}
        if unknown := [key for key in frames if key not in known]:
            raise InputError(f"There is no frame {unknown[0]}. Reload the page.")
        return record_decisions(self._workspace, frames, action, letter=letter)

    def undo(self, batch: int | None) -> int:
        """Undo a decision, and return how many frames it was about.

        Args:
            batch: number of the batch to undo; None for the last one that is not undone.

        Raises:
            AslkitError: the batch is not the last one, because somebody has decided since.
        """
        return len(undo_last_batch(self._workspace, expected=batch))

    def summary(self) -> dict[str, int]:
        """Return how many frames are doubtful and undecided, how many were decided, and when that last changed."""
        frames = self.list_frames()
        decisions = load_decisions(self._workspace)
        doubtful = {frame.key for frame in frames if not NOT_DOUBTFUL.issuperset(frame.reasons)}
        log = self._workspace.reviews
        return {
            "frames": len(frames),
            "doubtful": len(doubtful - set(decisions)),
            "decided": len(decisions),
            "changed_ns": log.stat().st_mtime_ns if log.exists() else 0,
        }

    def image(self, key: str, *, full: bool) -> bytes:
        """Return a frame as a reduced JPEG.

        Args:
            key: SIGNER/SESSION/LETTER/NAME.
            full: in the size for the whole screen instead of the grid.

        Raises:
            RequestRefused: there is no such frame, or it is damaged.
        """
        try:
            return create_thumbnail(self._path(key), size=FULL_PX if full else THUMBNAIL_PX)
        except (OSError, ValueError) as error:
            raise frame_not_found() from error

    def _path(self, key: str) -> Path:
        """Return the path of a frame. The key comes from a page, so that nothing outside the captures may be read."""
        parts = key.split("/")
        valid = len(parts) == 4 and all(
            part and part[0] != "." and os.sep not in part and "\\" not in part for part in parts
        )
        if not valid or parts[2] not in RECORDABLE or Path(parts[3]).suffix.lower() not in IMAGE_SUFFIXES:
            raise frame_not_found()
        return self._workspace.captures.joinpath(*parts)
