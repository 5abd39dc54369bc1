"""While recording: what a model that was adapted to the person's frames so far reads in the current frame.

It shows early whether the recordings are of use. The model is trained as any other, from the starter model, but on
landmarks only and in a workspace of its own, so that no dataset and no run of the user is touched.
"""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from threading import Lock, Thread
from typing import Any, Final

from aslkit.core.errors import AslkitError
from aslkit.core.files import remove
from aslkit.core.workspace import Workspace
from aslkit.inference.load_model import load_network
from aslkit.inference.network import Network
from aslkit.studio.jobs.job import JobRunner, Step
from aslkit.vision.hand_landmarker import Hand
from aslkit.vision.images import Frame
from aslkit.vision.preprocess import PreprocessConfig, apply_temperature, model_input

FIRST_AFTER_S: Final = 60.0
"""Time from the first stored frame to the first training, seconds."""

MIN_LETTERS: Final = 2
MIN_FRAMES: Final = 10
"""Letters with fewer frames do not count towards MIN_LETTERS."""

MIN_NEW_FRAMES: Final = 30
"""New frames after which the model is trained again, but not more often than every FIRST_AFTER_S."""

_NAME: Final = "preview"
_POLL_S: Final = 1.0


class RecordingPreview:
    """Trains a model on the frames of one person while they are recorded, and reads frames with it. Thread-safe.

    Args:
        workspace: workspace with the captures.
        signer: name of the person.
        count_letters: returns the number of frames of each letter.
        clock: returns monotonic time in seconds.
    """

    def __init__(
        self,
        workspace: Workspace,
        signer: str,
        count_letters: Callable[[], dict[str, int]],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._captures, self._signer, self._count_letters, self._clock = (
            workspace.captures,
            signer,
            count_letters,
            clock,
        )
        self._own = Workspace(root=workspace.root / "cache" / f"{_NAME}-{os.getpid()}")
        self._runner = JobRunner(self._own)
        self._lock = Lock()
        self._started_s: float | None = None
        self._polled_s, self._trained_frames = 0.0, 0
        self._is_training = self._closed = False
        self._model: tuple[Network, PreprocessConfig] | None = None

    def frame_stored(self) -> None:
        """Start training if enough was recorded since the last time."""
        with self._lock:
            now_s = self._clock()
            if self._started_s is None:
                self._started_s = now_s
            counts = self._count_letters()
            frames = sum(counts.values())
            enough = sum(count >= MIN_FRAMES for count in counts.values()) >= MIN_LETTERS
            due = now_s - self._started_s >= FIRST_AFTER_S and frames - self._trained_frames >= MIN_NEW_FRAMES
            if not (enough and due) or self._is_training:
                return
            self._started_s, self._trained_frames, self._is_training = now_s, frames, True
        # In the background, because a frame of the camera is waiting.
        Thread(target=self._start, daemon=True).start()

    def _start(self) -> None:
        common = ["--dataset", _NAME, "--workspace", str(self._own.root), "--json"]
        train = ["train", "--feature", "landmarks", "--quick", *common]
        try:  # without the lock, because frames of the camera need it
            remove(self._own.root)
            self._own.captures.mkdir(parents=True)
            (self._own.captures / self._signer).symlink_to((self._captures / self._signer).resolve())
            steps = [Step(title="Curate", arguments=["curate", *common]), Step(title="Train", arguments=train)]
            self._runner.start(_NAME, steps)
        except (AslkitError, OSError):  # a preview is not worth an error message
            self._is_training = False
        if self._closed:  # meanwhile
            self.close()

    def read(self, frame: Frame, hand: Hand | None) -> dict[str, Any] | None:
        """Return the most probable letter in a frame and its probability; None without a hand or a model.

        Args:
            frame: BGR, uint8 (height, width, 3).
            hand: the hand in the frame.
        """
        self._load_if_trained()
        if self._model is None or hand is None:
            return None
        network, contract = self._model
        probabilities = apply_temperature(network(model_input(frame, hand, contract)[None])[0], contract.temperature)
        best = int(probabilities.argmax())
        return {"letter": contract.letters[best], "probability": round(float(probabilities[best]), 3)}

    def _load_if_trained(self) -> None:
        with self._lock:
            if not self._is_training or self._clock() - self._polled_s < _POLL_S:
                return
            self._polled_s = self._clock()
            job = self._runner.current()
            if job is None or job.state == "running":
                return
            self._is_training = False
            runs = sorted(self._own.runs.glob("*/model"))
            with suppress(AslkitError, OSError):  # such as too few frames to train on
                self._model = load_network(runs[-1].parent) if runs else self._model

    def close(self) -> None:
        """Stop training, and remove its files."""
        with self._lock, suppress(OSError):
            self._closed = True
            if self._is_training:
                self._runner.cancel()
            remove(self._own.root)
