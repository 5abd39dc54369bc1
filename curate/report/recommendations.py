"""Recommendations of what to record next, most useful first, each with a sentence and a command."""

import shlex
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from aslkit.core.letters import LETTERS
from aslkit.core.workspace import SYNTHETIC_PREFIX
from aslkit.datasets.split import SplitFrames
from aslkit.formats.recording_plan import FRAMES_PER_LETTER, MAX_GROUP_SHARE, MIN_FRAMES
from aslkit.web.report_page import join_words

MAX_RECOMMENDATIONS: Final = 10
"""Maximum number of recommendations; a longer list would not be read."""

MAX_LISTED_LETTERS: Final = 6
"""Maximum number of letters listed one by one in a sentence."""

MAX_PER_KIND: Final = 4
"""Maximum number of recommendations of one kind, if there are more than MAX_RECOMMENDATIONS in total."""

MIN_SHARE_OF_MEDIAN: Final = 1 / 3
"""Minimum number of frames of a letter, relative to the median over the signer's letters."""

MIN_CONFUSED_SHARE: Final = 0.05
"""Minimum share of the frames of two letters predicted as the other one, from which the pair counts as confused."""

MIN_CONFUSED_FRAMES: Final = 5
"""Minimum number of such frames."""

MIN_SWAPPED_SHARE: Final = 0.75
"""Share from which the labels of the two letters may have been swapped: more than half of each is predicted as the
other."""

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Recommendation:
    """A recommended recording.

    Attributes:
        kind: "signer", "missing", "few", "confused", "little-varied" or "one-session".
        signer: name of the signer; empty for a new signer.
        letters: letters to record.
        text: a sentence or two.
        command: shell command that records them.
    """

    kind: str
    signer: str
    letters: tuple[str, ...]
    text: str
    command: str


@dataclass(frozen=True, kw_only=True)
class RuleInput:
    """Statistics that the rules are based on.

    Attributes:
        signers: names of the signers.
        counts: int64 (signers, 24), number of frames.
        sessions: int64 (signers, 24), number of sessions with the letter.
        all_sessions: int64 (signers,), number of sessions.
        largest_group: int64 (signers, 24), number of frames in the largest near-duplicate group.
        confusions: int64 (signers, 24, 24), frames of a letter (second axis) predicted as another (third axis).
    """

    signers: tuple[str, ...]
    counts: Counts
    sessions: Counts
    all_sessions: Counts
    largest_group: Counts
    confusions: Counts


def recommend_recordings(
    frames: SplitFrames, suggested: Counts, *, limit: int = MAX_RECOMMENDATIONS
) -> tuple[list[Recommendation], int]:
    """Recommend the recordings that would help a recogniser most, excluding those of synthetic signers.

    Args:
        frames: n frames, the whole dataset.
        suggested: int64 (n,), letter predicted by classifiers that were not trained on the frame's group; the label
            itself if it was not checked.
        limit: maximum number of recommendations.

    Returns:
        The recommendations, and how many more there are.
    """
    stats = _collect_statistics(frames, suggested)
    by_rule = [[found for found in rule(stats) if not found.signer.startswith(SYNTHETIC_PREFIX)] for rule in _RULES]
    total = sum(map(len, by_rule))
    if total > limit:
        by_rule = [found[:MAX_PER_KIND] for found in by_rule]
    recommendations = [recommendation for found in by_rule for recommendation in found][:limit]
    return recommendations, total - len(recommendations)


def _collect_statistics(frames: SplitFrames, suggested: Counts) -> RuleInput:
    signers, signer = np.unique(frames.signer, return_inverse=True)
    shape = (len(signers), len(LETTERS))
    counts, sessions, largest_group = (np.zeros(shape, np.int64) for _ in range(3))
    confusions = np.zeros((*shape, len(LETTERS)), np.int64)
    np.add.at(counts, (signer, frames.label), 1)
    for row, label in np.argwhere(counts):
        own = (signer == row) & (frames.label == label)
        sessions[row, label] = len(np.unique(frames.session[own]))
        largest_group[row, label] = np.unique(frames.group[own], return_counts=True)[1].max()
    np.add.at(confusions, (signer, frames.label, suggested), suggested != frames.label)
    return RuleInput(
        signers=tuple(map(str, signers)),
        counts=counts,
        sessions=sessions,
        all_sessions=np.array([len(np.unique(frames.session[signer == row])) for row in range(len(signers))]),
        largest_group=largest_group,
        confusions=confusions,
    )


def _recommend_signer(stats: RuleInput) -> Iterator[Recommendation]:
    if all(signer.startswith(SYNTHETIC_PREFIX) for signer in stats.signers):
        yield Recommendation(
            kind="signer",
            signer="",
            letters=LETTERS,
            text="All signers are synthetic. Record your own hand, so that real hands are recognised.",
            command="aslkit capture --letters A-Y",
        )
    elif len(stats.signers) == 1:
        yield Recommendation(
            kind="signer",
            signer="",
            letters=LETTERS,
            text=f"{stats.signers[0]} is the only signer, so the accuracy on unseen signers cannot be measured. "
            "Record a second signer.",
            command="aslkit capture --letters A-Y --signer NAME",
        )


def _recommend_missing(stats: RuleInput) -> Iterator[Recommendation]:
    for signer, counts in zip(stats.signers, stats.counts, strict=True):
        if letters := _select_letters(counts == 0):
            wanted = _frames_to_record(float(np.median(counts[counts > 0])))
            text = f"{signer} has no frames of {_list_letters(letters)}: record {wanted} of each."
            yield _recommend("missing", signer, letters, text)


def _recommend_few(stats: RuleInput) -> Iterator[Recommendation]:
    for signer, counts in zip(stats.signers, stats.counts, strict=True):
        median = float(np.median(counts[counts > 0]))
        if letters := _select_letters((counts > 0) & (counts < max(MIN_FRAMES, MIN_SHARE_OF_MEDIAN * median))):
            largest = max(int(counts[LETTERS.index(letter)]) for letter in letters)
            text = (
                f"{signer} has few frames of {_list_letters(letters)}, at most {largest} of each: "
                f"record {_frames_to_record(median)} more."
            )
            yield _recommend("few", signer, letters, text)


def _recommend_confused(stats: RuleInput) -> Iterator[Recommendation]:
    found = []
    for row, signer in enumerate(stats.signers):
        confused = stats.confusions[row] + stats.confusions[row].T
        for a, b in np.argwhere(np.triu(confused, k=1) >= MIN_CONFUSED_FRAMES):
            share = confused[a, b] / (stats.counts[row, a] + stats.counts[row, b])
            if share >= MIN_CONFUSED_SHARE:
                found.append((-share, signer, (LETTERS[a], LETTERS[b])))
    for share, signer, letters in sorted(found):
        text = (
            f"{signer}'s {join_words(letters)} are confused ({-share:.0%} predicted as the other letter): record "
            f"{FRAMES_PER_LETTER} more of each, in different light and slightly rotated."
        )
        if -share >= MIN_SWAPPED_SHARE:
            text = (
                f"{signer}'s {join_words(letters)} may be swapped ({-share:.0%} predicted as the other letter). Check "
                f"the labels first. If they are right, record {FRAMES_PER_LETTER} more of each, in different light and "
                "slightly rotated."
            )
        yield _recommend("confused", signer, letters, text)


def _recommend_variation(stats: RuleInput) -> Iterator[Recommendation]:
    for row, signer in enumerate(stats.signers):
        counts = stats.counts[row]
        if letters := _select_letters((counts >= MIN_FRAMES) & (stats.largest_group[row] >= MAX_GROUP_SHARE * counts)):
            text = (
                f"Most of {signer}'s frames of {_list_letters(letters)} are near-duplicates: record "
                f"{FRAMES_PER_LETTER} more of each. Rotate the hand slightly, vary the distance, and change the light."
            )
            yield _recommend("little-varied", signer, letters, text)


def _recommend_another_session(stats: RuleInput) -> Iterator[Recommendation]:
    for row, signer in enumerate(stats.signers):
        if stats.all_sessions[row] > 1 and (letters := _select_letters(stats.sessions[row] == 1)):
            text = (
                f"All of {signer}'s frames of {_list_letters(letters)} are from one session: record "
                f"{FRAMES_PER_LETTER} of each on another day."
            )
            yield _recommend("one-session", signer, letters, text)


_RULES: Final[Sequence[Callable[[RuleInput], Iterator[Recommendation]]]] = (
    _recommend_signer,
    _recommend_missing,
    _recommend_few,
    _recommend_confused,
    _recommend_variation,
    _recommend_another_session,
)


def _recommend(kind: str, signer: str, letters: tuple[str, ...], text: str) -> Recommendation:
    command = f"aslkit capture --letters {format_letter_ranges(letters)} --signer {shlex.quote(signer)}"
    return Recommendation(kind=kind, signer=signer, letters=letters, text=text, command=command)


def _frames_to_record(median: float) -> int:
    """Return the median number of frames per letter, rounded down to tens, but at least FRAMES_PER_LETTER."""
    return max(FRAMES_PER_LETTER, int(median) // 10 * 10)


def _select_letters(mask: npt.NDArray[np.bool_]) -> tuple[str, ...]:
    return tuple(LETTERS[index] for index in np.flatnonzero(mask))


def _list_letters(letters: tuple[str, ...]) -> str:
    """Return "A, B and C", or "21 letters (C-K, M-Y)" for more than MAX_LISTED_LETTERS."""
    if len(letters) <= MAX_LISTED_LETTERS:
        return join_words(letters)
    return f"{len(letters)} letters ({format_letter_ranges(letters, ', ')})"


def format_letter_ranges(letters: Iterable[str], separator: str = ",") -> str:
    """Return letters in the format of the option --letters, such as "A-D,M,N"."""
    runs: list[list[int]] = []
    for index in sorted(map(LETTERS.index, letters)):
        if runs and runs[-1][-1] == index - 1:
            runs[-1].append(index)
        else:
            runs.append([index])
    parts = (
        f"{LETTERS[run[0]]}-{LETTERS[run[-1]]}" if len(run) > 2 else separator.join(LETTERS[index] for index in run)
        for run in runs
    )
    return separator.join(parts)
