"""Find the likeliest word for letters that were read: a noisy channel with the letters' probabilities as the channel.

A word can differ from the reading by letters that were read wrong, missed, or added. The model's own probabilities say
how likely a wrong letter is. Pure functions, without camera or clock.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from aslkit.core.letters import LABEL_INDEX, LABELS
from aslkit.live.words.lexicon import MAX_WORD_LETTERS, UNKNOWN_SHARE, Lexicon, WordsOfLength

Array = npt.NDArray[np.float32]

CONFUSED: Final = 0.02
"""Probability that a letter is not the one that the model is sure of, spread over all letters. Models take some
letters of an unseen signer for others with confidence."""

ADDED: Final = 0.0005
MISSED: Final = 0.01
"""Probability that a read letter was not signed, and that a signed one was not read."""

DOUBTFUL: Final = 0.9
"""Probability that a doubtful letter was signed; otherwise the hand was on its way to another one."""

MAX_DIFFERENCE: Final = 2
"""Maximum difference of the number of letters between the reading and a word."""

MIN_LETTERS: Final = 3
"""Shorter readings are not corrected: almost every one of them is near to a word."""

SUPPORT: Final = 0.02
"""Probability from which a letter that was not read may have been meant."""

MAX_UNSUPPORTED: Final = 1
"""Maximum number of letters of a correction without support in what was read."""

_SUGGESTED: Final = 3000
"""Number of words of each length, most frequent first, that are suggested while a word is being spelled."""

MARGIN: Final = 3.0
"""By how much the logarithm of a word's probability must exceed that of the reading before it is replaced: it is then
20 times as likely."""


@dataclass(frozen=True, kw_only=True)
class ReadLetter:
    """A letter that was accepted.

    Attributes:
        letter: the letter.
        probabilities: float32 (26,), probability of each letter of `letters.LABELS`; sums to 1.
        doubtful: whether the model was not sure enough to accept it. It is not part of the text, but of the word.
    """

    letter: str
    probabilities: Array
    doubtful: bool = False


@dataclass(frozen=True, kw_only=True)
class WordGuess:
    """A word that may have been meant.

    Attributes:
        word: the word.
        advantage: by how much its log probability exceeds that of the reading as it is.
    """

    word: str
    advantage: float


def certain_letter(letter: str, probability: float = 1.0) -> ReadLetter:
    """Return a letter of which only its own probability is known; the rest is spread over all others."""
    probabilities = np.full(len(LABELS), (1 - probability) / (len(LABELS) - 1), np.float32)
    probabilities[LABEL_INDEX[letter]] = probability
    return ReadLetter(letter=letter, probabilities=probabilities)


def reading_text(letters: Sequence[ReadLetter]) -> str:
    """Return the letters as text, without doubtful ones."""
    return "".join(each.letter for each in letters if not each.doubtful)


def correct_word(letters: Sequence[ReadLetter], lexicon: Lexicon) -> WordGuess | None:
    """Return the word that is far likelier than the reading; None if the reading stays as it is.

    The reading itself counts as a word: a known one, or an unknown one such as a name.
    """
    raw = reading_text(letters)
    if len(raw) < 2 or not MIN_LETTERS <= len(letters) <= MAX_WORD_LETTERS:
        return None
    reading = _Reading.of(letters)
    indices = np.array([[LABEL_INDEX[letter] for letter in raw]], np.int8)
    as_read = float(_align(reading, indices)[-1][0]) + lexicon.log_prior(raw)
    best, known = None, np.float32(np.log(1 - UNKNOWN_SHARE))
    for length in range(max(len(raw) - MAX_DIFFERENCE, 2), len(letters) + MAX_DIFFERENCE + 1):
        words = lexicon.by_length.get(length)
        if words is not None:
            scores = _align(reading, words.letters)[-1] + words.log_prior + known
            row = int(scores.argmax())
            if best is None or scores[row] > best[0]:
                best = float(scores[row]), words.words[row]
    if best is None or best[1] == raw or best[0] - as_read < MARGIN:
        return None
    if count_unsupported_changes(letters, best[1]) > MAX_UNSUPPORTED:
        return None
    return WordGuess(word=best[1], advantage=best[0] - as_read)


def count_unsupported_changes(letters: Sequence[ReadLetter], word: str) -> int:
    """Return how many letters of a word differ from the reading although nothing that was read speaks for them.

    A letter has support if its probability in the reading is at least SUPPORT. This keeps names that were read with
    confidence: a word that differs in two places needs support for one of them.
    """
    row = list(range(len(word) + 1))
    for read in letters:
        drop = 0 if read.doubtful else 1
        new = [row[0] + drop]
        for j, letter in enumerate(word):
            changed = int(float(read.probabilities[LABEL_INDEX[letter]]) < SUPPORT)
            new.append(min(row[j] + changed, row[j + 1] + drop, new[j] + 1))
        row = new
    return row[-1]


def suggest_word(letters: Sequence[ReadLetter], lexicon: Lexicon) -> str | None:
    """Return the likeliest word that begins with about these letters; None before the second letter."""
    raw = reading_text(letters)
    if len(raw) < 2 or len(letters) > MAX_WORD_LETTERS:
        return None
    reading = _Reading.of(letters)
    best: tuple[float, str] | None = None
    for length, words in lexicon.by_length.items():
        if length < len(raw):
            continue
        frequent = _most_frequent(words)
        if not frequent.words:
            continue
        # All beginnings that the letters so far may be.
        rows = _align(reading, frequent.letters[:, : len(letters) + 1])[len(raw) - 1 :]
        scores = np.max(rows, axis=0) + frequent.log_prior
        row = int(scores.argmax())
        if best is None or scores[row] > best[0]:
            best = float(scores[row]), frequent.words[row]
    return None if best is None else best[1]


def _most_frequent(words: WordsOfLength) -> WordsOfLength:
    """Return the words that are suggested, by frequency: the lists are sorted."""
    return WordsOfLength(
        words=words.words[:_SUGGESTED], letters=words.letters[:_SUGGESTED], log_prior=words.log_prior[:_SUGGESTED]
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class _Reading:
    """n letters that were read: the log probability of each letter, float32 (n, 26), and which are doubtful."""

    costs: Array
    doubtful: tuple[bool, ...]

    @classmethod
    def of(cls, letters: Sequence[ReadLetter]) -> "_Reading":
        probabilities = np.stack([each.probabilities for each in letters])
        mixed = (1 - CONFUSED) * probabilities + CONFUSED / len(LABELS)
        return cls(costs=np.log(mixed).astype(np.float32), doubtful=tuple(each.doubtful for each in letters))


def _align(reading: _Reading, words: npt.NDArray[np.int8]) -> list[Array]:
    """Return the log probability of the reading for the first j letters of each word: the best alignment.

    Args:
        reading: n letters.
        words: letters of k words, int8 (k, m).

    Returns:
        m + 1 arrays, float32 (k,), for j from 0 to m.
    """
    count, length = words.shape
    missed, matched = np.float32(np.log(MISSED)), np.float32(np.log(1 - ADDED - MISSED))
    row = [np.full(count, j * missed, np.float32) for j in range(length + 1)]
    for letter, doubtful in zip(reading.costs, reading.doubtful, strict=True):
        dropped = np.float32(np.log(1 - DOUBTFUL if doubtful else ADDED))
        match = letter[words] + (np.float32(np.log(DOUBTFUL)) if doubtful else matched)  # (k, m)
        new = [row[0] + dropped]
        for j in range(length):
            new.append(np.maximum(np.maximum(row[j] + match[:, j], row[j + 1] + dropped), new[j] + missed))
        row = new
    return row
