"""A synthetic signer who draws J or Z again and again: holds the hand shape, draws, holds it, and returns."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from aslkit.synthetic.movements.paths import Path, draw_letter_path, ease
from aslkit.synthetic.signer import Signer, SyntheticSession, seeded_rng

Array = npt.NDArray[np.float64]

_SHORTEST_S, _LONGEST_S = 0.5, 1.2


@dataclass(frozen=True, kw_only=True)
class Repetition:
    """One drawing of the letter; times in seconds since the first frame.

    Attributes:
        begin_s: the hand shape is formed and held from here.
        start_s, end_s: the letter is drawn.
        held_s: the hand is held until here, and returns.
        return_s: duration of the return.
        path: the movement.
    """

    begin_s: float
    start_s: float
    end_s: float
    held_s: float
    return_s: float
    path: Path


class RepeatedLetter:
    """Where the hand is at any time.

    Args:
        letter: "J" or "Z".
        signer, session: who draws, and when.
        seed: of the movements.
    """

    def __init__(self, letter: str, signer: Signer, session: SyntheticSession, seed: int) -> None:
        self._letter = letter
        self._rng = seeded_rng("movement", signer.name, session.name, letter, seed)
        self._repetitions: list[Repetition] = []

    def until(self, seconds: float) -> list[Repetition]:
        """Return all repetitions that begin before a time, seconds."""
        while not self._repetitions or self._repetitions[-1].begin_s <= seconds:
            last = self._repetitions[-1] if self._repetitions else None
            begin = last.held_s + last.return_s if last else 0.0
            start = begin + float(self._rng.uniform(0.35, 0.7))
            end = start + float(self._rng.uniform(_SHORTEST_S, _LONGEST_S))
            held, back = end + float(self._rng.uniform(0.35, 0.6)), float(self._rng.uniform(0.4, 0.7))
            path = draw_letter_path(self._letter, self._rng)
            self._repetitions.append(
                Repetition(begin_s=begin, start_s=start, end_s=end, held_s=held, return_s=back, path=path)
            )
        return [each for each in self._repetitions if each.begin_s <= seconds]

    def at(self, seconds: float) -> tuple[Array, Array]:
        """Return place (millimetres) and view (degrees) relative to the start, float64 (3,) each, see `Path`."""
        now = self.until(seconds)[-1]
        drawn = np.clip((seconds - now.start_s) / (now.end_s - now.start_s), 0, 1)
        place, view = now.path.at(np.array([drawn]))
        remaining = 1 - float(ease(np.array((seconds - now.held_s) / now.return_s)))
        return place[0] * remaining, view[0] * remaining


FARTHER: Final = 0.62
"""Factor on the size of a hand that draws, so that the movement stays in the picture."""
