"""What to record next: sentences from the data, most useful first, each with the command to type."""

import shlex
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from aslkit.core.letters import LETTERS
from aslkit.core.workspace import SYNTHETIC_PREFIX
from aslkit.datasets.split import SplitFrames
from aslkit.datasets.summary import MIN_TRAIN_FRAMES

MAX_RECOMMENDATIONS: Final = 10
"""Lines: more is not read."""

NAMED: Final = 6
"""Letters named one by one in a sentence."""

MOST_OF_A_KIND: Final = 4
"""Where there is more than MOST to say."""

MORE: Final = 40
"""Frames to record of a letter: half a minute of movement, and twice MIN_TRAIN_FRAMES."""

SCARCE: Final = 1 / 3
"""Of the signer's usual number: a letter with less counts as lacking."""

ALIKE: Final = 0.05
"""Share of two letters' frames taken for the other one, from which they are named; and at least so many frames:"""
ALIKE_FRAMES: Final = 5

SWAPPED: Final = 0.75
"""Share from which the two may have been recorded under each other's name: both are taken for the other by the half."""

NARROW: Final = 0.5
"""Share of a letter's frames in one group of near-duplicates, from which they count as little varied."""

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Recommendation:
    """Something to record.

    Attributes:
        kind: "person", "missing", "few", "alike", "narrow" or "once".
        signer: who; empty where it is somebody new.
        letters: which.
        text: the sentence.
        command: what to type.
    """

    kind: str
    signer: str
    letters: tuple[str, ...]
    text: str
    command: str


@dataclass(frozen=True, kw_only=True)
class RuleInput:
    """What the rules look at.

    Attributes:
        frames: all that were taken, n of them.
        signers: by name.
        counts: int64 (signers, 24), frames.
        sessions: int64 (signers, 24), in how many a letter was recorded.
        all_sessions: int64 (signers,).
        largest: int64 (signers, 24), frames in the largest group of near-duplicates.
        wrong: int64 (signers, 24, 24), frames with a hand of one letter that are taken for another.
    """

    frames: SplitFrames
    signers: tuple[str, ...]
    counts: Counts
    sessions: Counts
    all_sessions: Counts
    largest: Counts
    wrong: Counts


def recommend_recordings(frames: SplitFrames, said: Counts, *, most: int = MAX_RECOMMENDATIONS) -> list[Recommendation]:
    """Say what would help a recogniser most. Of synthetic signers nobody records more, so of those nothing is said.

    Args:
        frames: all that were taken, n of them.
        said: int64 (n,), the letter that each is taken for by classifiers that did not learn from its group; its own
            where it is not judged.
        most: how many pieces of advice at most.
    """
    known = _known(frames, said)
    advice = [[each for each in rule(known) if not each.signer.startswith(SYNTHETIC_PREFIX)] for rule in _RULES]
    if sum(map(len, advice)) > most:
        advice = [each[:MOST_OF_A_KIND] for each in advice]
    return [each for kind in advice for each in kind][:most]


def _known(frames: SplitFrames, said: Counts) -> RuleInput:
    signers, signer = np.unique(frames.signer, return_inverse=True)
    shape = (len(signers), len(LETTERS))
    counts, sittings, largest = np.zeros(shape, np.int64), np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    wrong = np.zeros((*shape, len(LETTERS)), np.int64)
    np.add.at(counts, (signer, frames.label), 1)
    for row, label in np.argwhere(counts):
        own = (signer == row) & (frames.label == label)
        sittings[row, label] = len(np.unique(frames.session[own]))
        largest[row, label] = np.unique(frames.group[own], return_counts=True)[1].max()
    np.add.at(wrong, (signer, frames.label, said), said != frames.label)
    return RuleInput(
        frames=frames,
        signers=tuple(map(str, signers)),
        counts=counts,
        sessions=sittings,
        all_sessions=np.array([len(np.unique(frames.session[signer == row])) for row in range(len(signers))]),
        largest=largest,
        wrong=wrong,
    )


def _person(known: RuleInput) -> Iterator[Recommendation]:
    if all(signer.startswith(SYNTHETIC_PREFIX) for signer in known.signers):
        yield Recommendation(
            kind="person",
            signer="",
            letters=LETTERS,
            text="All signers are synthetic: record your own hand, for a recogniser that knows real ones.",
            command="aslkit capture --letters A-Y",
        )
    elif len(known.signers) == 1:
        yield Recommendation(
            kind="person",
            signer="",
            letters=LETTERS,
            text=f"Only {known.signers[0]} is in it, so nothing can be said of strangers: ask a second person.",
            command="aslkit capture --letters A-Y --signer NAME",
        )


def _missing(known: RuleInput) -> Iterator[Recommendation]:
    for signer, counts in zip(known.signers, known.counts, strict=True):
        if letters := _letters(counts == 0):
            usual = max(MORE, int(np.median(counts[counts > 0])) // 10 * 10)
            yield _advice("missing", signer, letters, f"{signer} has nothing of {_named(letters)}: {usual} of each.")


def _few(known: RuleInput) -> Iterator[Recommendation]:
    for signer, counts in zip(known.signers, known.counts, strict=True):
        usual = float(np.median(counts[counts > 0]))
        if letters := _letters((counts > 0) & (counts < max(MIN_TRAIN_FRAMES, SCARCE * usual))):
            more = max(MORE, int(usual) // 10 * 10)
            most = max(int(counts[LETTERS.index(letter)]) for letter in letters)
            text = f"{signer} has few of {_named(letters)}, at most {most} of each: {more} more."
            yield _advice("few", signer, letters, text)


def _alike(known: RuleInput) -> Iterator[Recommendation]:
    found = []
    for row, signer in enumerate(known.signers):
        both = known.wrong[row] + known.wrong[row].T
        for a, b in np.argwhere(np.triu(both, k=1) >= ALIKE_FRAMES):
            share = both[a, b] / (known.counts[row, a] + known.counts[row, b])
            if share >= ALIKE:
                found.append((-share, signer, (LETTERS[a], LETTERS[b])))
    for share, signer, letters in sorted(found):
        text = (
            f"{join_words(letters)} look alike for {signer} ({-share:.0%} taken for the other): "
            f"{MORE} more of each, in other light and turned a little."
        )
        if -share >= SWAPPED:
            text = (
                f"{join_words(letters)} may be swapped for {signer} ({-share:.0%} taken for the other). Look at them "
                f"first; if they are right, {MORE} more of each, in other light and turned a little."
            )
        yield _advice("alike", signer, letters, text)


def _narrow(known: RuleInput) -> Iterator[Recommendation]:
    for row, signer in enumerate(known.signers):
        counts = known.counts[row]
        if letters := _letters((counts >= MIN_TRAIN_FRAMES) & (known.largest[row] >= NARROW * counts)):
            text = (
                f"Most frames that {signer} has of {_named(letters)} are near-copies of one another: {MORE} more of "
                "each. Turn the hand a little, come closer, move back, change the light."
            )
            yield _advice("narrow", signer, letters, text)


def _once(known: RuleInput) -> Iterator[Recommendation]:
    for row, signer in enumerate(known.signers):
        if known.all_sessions[row] > 1 and (letters := _letters(known.sessions[row] == 1)):
            text = f"{signer} has {_named(letters)} from one sitting only: {MORE} of each on another day."
            yield _advice("once", signer, letters, text)


_RULES: Final[Sequence[Callable[[RuleInput], Iterator[Recommendation]]]] = (
    _person,
    _missing,
    _few,
    _alike,
    _narrow,
    _once,
)


def _advice(kind: str, signer: str, letters: tuple[str, ...], text: str) -> Recommendation:
    command = f"aslkit capture --letters {format_letter_ranges(letters)} --signer {shlex.quote(signer)}"
    return Recommendation(kind=kind, signer=signer, letters=letters, text=text, command=command)


def _letters(which: npt.NDArray[np.bool_]) -> tuple[str, ...]:
    return tuple(LETTERS[index] for index in np.flatnonzero(which))


def _named(letters: tuple[str, ...]) -> str:
    """Letters in a sentence, one by one where they are few."""
    return (
        join_words(letters)
        if len(letters) <= NAMED
        else f"{len(letters)} letters ({format_letter_ranges(letters, ', ')})"
    )


def format_letter_ranges(letters: Iterable[str], between: str = ",") -> str:
    """Letters as `--letters` takes them: "A-D,M,N"."""
    runs: list[list[int]] = []
    for index in sorted(map(LETTERS.index, letters)):
        if runs and runs[-1][-1] == index - 1:
            runs[-1].append(index)
        else:
            runs.append([index])
    parts = (
        f"{LETTERS[run[0]]}-{LETTERS[run[-1]]}" if len(run) > 2 else between.join(LETTERS[index] for index in run)
        for run in runs
    )
    return between.join(parts)


def join_words(words: Sequence[str]) -> str:
    """Words as a sentence has them: "A, B and C"."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
