"""What synthetic signers do: spell words with J and Z, and move their hands without signing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from aslkit.core.letters import LETTERS
from aslkit.synthetic.letter_poses import POSES, Pose
from aslkit.synthetic.movements.motion_poses import MOTION_POSES
from aslkit.synthetic.movements.paths import MAX_DURATION_S, MIN_DURATION_S, draw_letter_path, draw_other_path
from aslkit.synthetic.movements.performance import HandShape, Segment
from aslkit.synthetic.pose_variants import VARIANTS
from aslkit.synthetic.rest_poses import REST_POSES
from aslkit.synthetic.signer import Signer

_ALIKE: Final = {"J": "IY", "Z": "DGLX"}
"""Static letters with the hand shape that draws a letter, or nearly."""

_LIKE: Final = {"J": "J", "Z": "Z"} | {each: letter for letter, alike in _ALIKE.items() for each in alike}
"""The letter that a hand shape may draw."""


@dataclass(frozen=True, kw_only=True)
class Script:
    """What a signer does, segment by segment."""

    segments: tuple[Segment, ...]

    @property
    def duration_s(self) -> float:
        """Duration of all segments, seconds."""
        return sum(segment.duration_s for segment in self.segments)


class ScriptWriter:
    """Draws what a signer does.

    Args:
        signer: the signer.
        rng: draws shapes, times and paths.
    """

    def __init__(self, signer: Signer, rng: np.random.Generator) -> None:
        self._signer, self._rng = signer, rng

    def draw(self) -> Script:
        """Return a script of a random kind: half of them have one or two J or Z."""
        kinds: Sequence[Callable[[], list[Segment]]] = (
            self._write_movement,
            self._write_letters,
            self._write_carried,
            self._write_wrong_hand,
        )
        return Script(segments=tuple(kinds[int(self._rng.choice(4, p=(0.5, 0.22, 0.2, 0.08)))]()))

    def spell(self, word: str) -> Script:
        """Return the spelling of a word: each letter is held or drawn, with transitions between them."""
        segments: list[Segment] = []
        before = ""
        for letter in word:
            if letter == before and letter not in MOTION_POSES:
                segments.append(self._change_to(self._form("B")))  # the hand opens between equal letters
            segments += self._draw_letter(letter) if letter in MOTION_POSES else self._hold_letter(letter)
            before = letter
        return Script(segments=tuple(segments))

    def _form(self, name: str) -> HandShape:
        poses: tuple[Pose, ...]
        if name in MOTION_POSES:
            poses = MOTION_POSES[name]
            # The usual shape for most.
            pose = poses[0] if self._rng.random() < 0.6 else poses[int(self._rng.integers(len(poses)))]
            shape = HandShape.draw(pose, self._signer, self._rng)
            pitch = self._rng.uniform(0, 45) if name == "Z" else self._rng.uniform(-5, 15)  # points to the viewer
            return HandShape(joints=shape.joints, view=shape.view + np.array([0.0, pitch, self._rng.normal(0, 8)]))
        poses = (REST_POSES[name],) if name in REST_POSES else (POSES[name], *VARIANTS.get(name, ()))
        return HandShape.draw(poses[int(self._rng.integers(len(poses)))], self._signer, self._rng)

    def _draw_duration_s(self) -> float:
        return float(np.exp(self._rng.uniform(np.log(MIN_DURATION_S), np.log(MAX_DURATION_S))))

    def _change_to(self, shape: HandShape) -> Segment:
        return Segment(duration_s=float(self._rng.uniform(0.12, 0.4)), shape=shape)

    def _hold_letter(self, letter: str) -> list[Segment]:
        shape = self._form(letter)
        return [self._change_to(shape), Segment(duration_s=float(self._rng.uniform(0.3, 0.9)), shape=shape)]

    def _draw_letter(self, letter: str) -> list[Segment]:
        """Return a transition, a short hold, the movement, and a short hold."""
        shape = self._form(letter)
        path = draw_letter_path(letter, self._rng)
        return [
            self._change_to(shape),
            Segment(duration_s=float(self._rng.uniform(0.0, 0.5)), shape=shape),
            Segment(duration_s=self._draw_duration_s(), shape=shape, path=path, letter=letter),
            Segment(duration_s=float(self._rng.uniform(0.1, 0.45)), shape=shape),
        ]

    def _write_movement(self) -> list[Segment]:
        """One or two J or Z, with or without a letter before and after."""
        letter = "JZ"[int(self._rng.integers(2))]
        first = self._choose_shape(letter)
        segments = [Segment(duration_s=float(self._rng.uniform(0.0, 0.6)), shape=first)]
        if self._rng.random() < 0.2:  # the hand appears with the movement
            segments = [Segment(duration_s=0.3, shape=first, visible=False)]
        drawn = self._draw_letter(letter)
        segments += drawn
        if self._rng.random() < 0.3:
            segments += self._draw_letter(letter if self._rng.random() < 0.7 else "JZ"[int(self._rng.integers(2))])
        if self._rng.random() < 0.6:
            segments += self._hold_letter(self._choose_letter())
        return segments

    def _write_letters(self) -> list[Segment]:
        """Static letters in a row, often those with the shape of J or Z."""
        segments: list[Segment] = []
        for _ in range(int(self._rng.integers(2, 5))):
            letter = self._choose_letter()
            segments += self._hold_letter(letter)
            if self._rng.random() < 0.25:
                shape = segments[-1].shape
                path = draw_other_path(self._rng, shape=_LIKE.get(letter, ""))
                segments.append(Segment(duration_s=self._draw_duration_s(), shape=shape, path=path))
        return segments

    def _write_carried(self) -> list[Segment]:
        """A hand that is moved without signing, and may enter or leave the picture."""
        name = ("J", "Z", *_ALIKE["J"], *_ALIKE["Z"], "any", "rest")[int(self._rng.integers(10))]
        shape = (
            self._choose_shape("J" if self._rng.random() < 0.5 else "Z") if name == "any" else self._shape_named(name)
        )
        enters, leaves = self._rng.random(2) < 0.25
        segments = [Segment(duration_s=float(self._rng.uniform(0.0, 0.5)), shape=shape, visible=not enters)]
        for _ in range(int(self._rng.integers(1, 4))):
            path = draw_other_path(self._rng, shape=_LIKE.get(name, ""))
            segments.append(Segment(duration_s=self._draw_duration_s(), shape=shape, path=path))
            if self._rng.random() < 0.5:
                segments.append(Segment(duration_s=float(self._rng.uniform(0.05, 0.6)), shape=shape))
        segments.append(Segment(duration_s=0.5, shape=shape, visible=not leaves))
        return segments

    def _write_wrong_hand(self) -> list[Segment]:
        """The movement of J or Z with another hand, which is no letter."""
        letter = "JZ"[int(self._rng.integers(2))]
        others = (*"ABCEFHKMNOPQRSTUVW", *REST_POSES)
        shape = self._shape_named(others[int(self._rng.integers(len(others)))])
        path = draw_letter_path(letter, self._rng)
        return [
            Segment(duration_s=float(self._rng.uniform(0.0, 0.5)), shape=shape),
            Segment(duration_s=self._draw_duration_s(), shape=shape, path=path),
            Segment(duration_s=float(self._rng.uniform(0.1, 0.6)), shape=shape),
        ]

    def _choose_letter(self) -> str:
        """Return a static letter: in a third of the cases one with the shape of J or Z."""
        choices = "IIYDGLX" if self._rng.random() < 0.35 else LETTERS
        return str(choices[int(self._rng.integers(len(choices)))])

    def _shape_named(self, name: str) -> HandShape:
        if name == "rest":
            name = list(REST_POSES)[int(self._rng.integers(len(REST_POSES)))]
        return self._form(name)

    def _choose_shape(self, letter: str) -> HandShape:
        """Return the shape before a movement: that of the letter itself, another one, or a rest pose."""
        kind = int(self._rng.choice(3, p=(0.4, 0.45, 0.15)))
        return self._shape_named((letter, self._choose_letter(), "rest")[kind])
