"""Combines the recogniser and the speller: reads fingerspelling from frames."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from threading import Lock
from typing import Final, Protocol

from aslkit.live.config import LiveConfig
from aslkit.live.observation import Observation, label_probabilities, letter_threshold
from aslkit.live.recogniser import Recognition
from aslkit.live.spelled_text import Correction
from aslkit.live.speller import Event, Speller
from aslkit.live.words.lexicon import Lexicon
from aslkit.vision.images import Frame
from aslkit.vision.motion.reader import RESTING, MotionReader
from aslkit.vision.preprocess import PreprocessConfig

TOP_LETTERS: Final = 3
"""Number of the most probable letters that are shown."""


class RecogniserProtocol(Protocol):
    """Recognises the letter in a frame, like `Recogniser`."""

    def recognise(self, frame: Frame) -> Recognition:
        """See `Recogniser.recognise`."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """The state after a frame, as it is shown to the user.

    Attributes:
        frame: the frame, BGR, uint8 (height, width, 3); None before the first one.
        recognition: what was recognised in the frame.
        letter: recognised letter; None if there is no hand, it rests, or the probability is too low.
        top_letters: most probable letters and their probabilities, most probable first; empty without a hand.
        progress: how long the letter has been held, 0–1; at 1 it is accepted.
        text: text spelled so far.
        suggestion: likeliest word for the letters since the last space; None if there is none.
        correction: the last corrected word, while it can be undone.
        latency_s: processing time of the frame, seconds.
    """

    frame: Frame | None = None
    recognition: Recognition | None = None
    letter: str | None = None
    top_letters: tuple[tuple[str, float], ...] = ()
    progress: float = 0.0
    text: str = ""
    suggestion: str | None = None
    correction: Correction | None = None
    latency_s: float = 0.0


OnEvent = Callable[[Event], None]


@dataclass(kw_only=True)
class Reader:
    """Reads fingerspelling from frames. One thread passes frames; any thread may edit the text.

    Args:
        recogniser: recognises the letter in a frame.
        contract: contract of its model: order of the letters, and threshold.
        config: settings of live recognition.
        motion: recognises letters that are drawn; None if the model cannot.
        lexicon: words for suggestions and corrections; None for neither.
        on_event: called with each event, in order.

    Attributes:
        reading: state after the last frame.
        frames: number of frames read.
        now_s: time of the last frame, seconds.
    """

    recogniser: RecogniserProtocol
    contract: PreprocessConfig
    config: LiveConfig
    motion: MotionReader | None = None
    lexicon: Lexicon | None = None
    on_event: OnEvent = lambda event: None
    reading: Reading = field(default_factory=Reading)
    frames: int = 0
    now_s: float = 0.0

    def __post_init__(self) -> None:
        self._speller, self._lock = Speller(config=self.config, lexicon=self.lexicon), Lock()
        self._threshold = letter_threshold(self.contract.threshold, self.config.strictness)

    @property
    def text(self) -> str:
        """Text spelled so far."""
        return self._speller.text

    def read(self, frame: Frame, time_s: float) -> Reading:
        """Recognise the letter in a frame and update the text.

        Args:
            frame: BGR, uint8 (height, width, 3), unmirrored.
            time_s: time at which the frame was taken, seconds from any origin.
        """
        start_s = time.perf_counter()
        # Outside the lock, because it takes most of the time, and keys must not wait for it.
        recognition = self.recogniser.recognise(frame)
        order = recognition.probabilities.argsort()[::-1][:TOP_LETTERS] if recognition.hand is not None else ()
        top_letters = tuple((self.contract.letters[int(i)], float(recognition.probabilities[i])) for i in order)
        probability = top_letters[0][1] if top_letters else 0.0
        accepted = top_letters and probability >= self._threshold and not recognition.is_rest
        letter = recognition.letter if accepted else None
        with self._lock:
            observation = self._observe(frame, time_s, recognition, letter, probability)
            self.now_s = time_s
            self._send_events(self._speller.observe(observation))
            self.frames += 1
            # Replaced as one object, which other threads read without the lock.
            content = self._speller.content
            self.reading = Reading(
                frame=frame, recognition=recognition, letter=observation.static_letter, top_letters=top_letters,
                progress=self._speller.progress, text=str(content), suggestion=content.suggestion,
                correction=content.correction, latency_s=time.perf_counter() - start_s,
            )  # fmt: skip
            return self.reading

    def _observe(
        self, frame: Frame, time_s: float, recognition: Recognition, letter: str | None, probability: float
    ) -> Observation:
        """Return what was recognised in a frame, with the movement of the hand."""
        hand, motion = recognition.hand, RESTING
        if self.motion is not None:
            height, width = frame.shape[:2]
            motion = self.motion.observe(time_s, hand, width=width, height=height)
        probabilities = guess = None
        if hand is not None:
            probabilities = label_probabilities(recognition.probabilities, self.contract.letters)
            guess = None if recognition.is_rest else recognition.letter
        return Observation(
            time_s=time_s, hand=hand is not None, letter=letter, probability=probability, guess=guess,
            probabilities=probabilities, motion=motion,
        )  # fmt: skip

    def reset(self) -> None:
        """Ignore earlier frames, so that a letter that is still held is accepted again. The text is kept."""
        with self._lock:
            self._speller.reset()
            if self.motion is not None:
                self.motion.reset()

    def space(self) -> None:
        """Append a space."""
        with self._lock:
            self._send_events(self._speller.space(self.now_s))

    def take_suggestion(self) -> None:
        """Replace the current word by the suggested one, and append a space."""
        with self._lock:
            self._send_events(self._speller.take_suggestion(self.now_s))

    def delete(self) -> None:
        """Delete the last character."""
        with self._lock:
            self._send_events(self._speller.delete(self.now_s))

    def clear(self) -> None:
        """Delete the whole text."""
        with self._lock:
            self._send_events(self._speller.clear(self.now_s))

    def replace_text(self, text: str) -> None:
        """Replace the text, such as after an exam by what was spelled before. Sends no event."""
        with self._lock:
            self._speller.content.replace(text)

    def undo(self) -> None:
        """Put back the letters of the word that was corrected last, or else the text that `clear` deleted."""
        with self._lock:
            self._send_events(self._speller.undo(self.now_s))

    def _send_events(self, events: Iterable[Event]) -> None:
        for event in events:
            # Called under the lock, so that events of keys and frames arrive in order.
            self.on_event(event)
