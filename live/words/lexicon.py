"""The words that corrections can produce, each with its frequency.

The list is that of the package symspellpy (MIT): 82,768 English words and common names, with their frequency in Google
Books (https://github.com/wolfgarbe/SymSpell, Norvig's word counts and SCOWL). Nothing is downloaded.
"""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from aslkit.core.errors import AslkitError, InputError
from aslkit.core.letters import LABEL_INDEX, LABELS
from aslkit.live.config import LiveConfig

FREQUENCY_FILE: Final = "frequency_dictionary_en_82_765.txt"

MAX_WORD_LETTERS: Final = 24
"""Longer words of the lexicon are left out, and longer readings are not corrected."""

MAX_FILE_BYTES: Final = 10_000_000
"""Maximum size of the user's own word file."""

FREQUENCY_WEIGHT: Final = 0.5
"""Exponent of a word's frequency. Below 1, because frequent words such as "the" are rarely spelled."""

UNKNOWN_SHARE: Final = 0.4
"""Share of spelled words that are not in the lexicon: fingerspelling is used for names above all."""

_BOUNDARY: Final = len(LABELS)
"""Index of the beginning and the end of a word."""

OWN_WORD_SHARE: Final = 1e-5
"""Frequency of a word from the user's own file, as a share of all words: that of "kitchen" or "london"."""


@dataclass(frozen=True, kw_only=True)
class WordsOfLength:
    """The n words with the same number of letters.

    Attributes:
        words: the words, upper case.
        letters: int8 (n, length), each letter as an index in `letters.LABELS`.
        log_prior: float32 (n,), logarithm of the probability that a spelled word is this one, if it is in the lexicon.
    """

    words: tuple[str, ...]
    letters: npt.NDArray[np.int8]
    log_prior: npt.NDArray[np.float32]


class Lexicon:
    """Words by their number of letters.

    Args:
        shares: frequency of each word, as a share of all words, 0–1. Words are upper case, A to Z.
    """

    def __init__(self, shares: Mapping[str, float]) -> None:
        self._shares = dict(shares)
        weights = np.array(list(self._shares.values()), np.float64) ** FREQUENCY_WEIGHT
        log_priors = np.log(weights / weights.sum())
        self._log_prior = dict(zip(self._shares, log_priors.tolist(), strict=True))
        by_length: dict[int, list[str]] = {}
        for word in sorted(self._shares, key=lambda each: (-self._shares[each], each)):
            by_length.setdefault(len(word), []).append(word)
        self.by_length = {length: self._to_arrays(words) for length, words in sorted(by_length.items())}
        self._trigrams = _count_trigrams(self.by_length.values())

    def _to_arrays(self, words: list[str]) -> WordsOfLength:
        log_prior = np.array([self._log_prior[word] for word in words], np.float32)
        return WordsOfLength(words=tuple(words), letters=_to_indices(words), log_prior=log_prior)

    def __len__(self) -> int:
        """Number of words."""
        return len(self._shares)

    def __contains__(self, word: str) -> bool:
        """Whether a word, upper case, is in the lexicon."""
        return word in self._shares

    def log_prior(self, word: str) -> float:
        """Return the logarithm of the probability that a spelled word is this one, known or unknown.

        An unknown word is as probable as its sequence of letters in English words and names, or, if that is more, as
        any other sequence of letters, because names of other languages have other sequences.
        """
        letters = np.pad(_to_indices([word])[0].astype(np.int64), (2, 1), constant_values=_BOUNDARY)
        steps = self._trigrams[letters[:-2], letters[1:-1], letters[2:]]
        unknown = np.log(UNKNOWN_SHARE / 2) + np.logaddexp(float(steps.sum()), -len(word) * np.log(len(LABELS)))
        known = self._log_prior.get(word)
        return float(unknown if known is None else np.logaddexp(unknown, np.log(1 - UNKNOWN_SHARE) + known))

    def with_words(self, words: Iterable[str]) -> "Lexicon":
        """Return the lexicon with more words, each at least as frequent as OWN_WORD_SHARE."""
        return Lexicon(self._shares | {word: max(self._shares.get(word, 0.0), OWN_WORD_SHARE) for word in words})


def _to_indices(words: Sequence[str]) -> npt.NDArray[np.int8]:
    """Return words of the same length as indices in `letters.LABELS`, int8 (n, length)."""
    return np.array([[LABEL_INDEX[letter] for letter in word] for word in words], np.int8)


def _count_trigrams(lists: Iterable[WordsOfLength]) -> npt.NDArray[np.float32]:
    """Return the log probability of each letter after two others, float32 (27, 27, 27); the last index is no letter."""
    counts = np.full((_BOUNDARY + 1,) * 3, 0.1, np.float64)  # no sequence is impossible
    for words in lists:
        padded = np.pad(words.letters.astype(np.int64), ((0, 0), (2, 1)), constant_values=_BOUNDARY)
        np.add.at(counts, (padded[:, :-2], padded[:, 1:-1], padded[:, 2:]), 1.0)
    return np.asarray(np.log(counts / counts.sum(axis=2, keepdims=True)), np.float32)


@cache
def load_lexicon(own_words: Path | None = None) -> Lexicon:
    """Load the lexicon, which takes a third of a second, once per process.

    Args:
        own_words: the user's own word file, see `read_words`; None for none.

    Raises:
        AslkitError: symspellpy is not installed completely.
        InputError: the word file cannot be read.
    """
    spec = find_spec("symspellpy")
    path = Path(spec.origin).with_name(FREQUENCY_FILE) if spec and spec.origin else None
    if path is None or not path.is_file():
        raise AslkitError("The word list of symspellpy is missing. Install aslkit again, or add --no-words.")
    counts: dict[str, int] = {}
    for line in path.read_text(encoding="utf-8-sig").splitlines():
        word, _, count = line.partition(" ")
        if word.isascii() and word.isalpha() and len(word) <= MAX_WORD_LETTERS:
            counts[word.upper()] = int(count)
    total = sum(counts.values())
    lexicon = Lexicon({word: count / total for word, count in counts.items()})
    return lexicon if own_words is None else lexicon.with_words(read_words(own_words))


def load_words(config: LiveConfig) -> Lexicon | None:
    """Load the lexicon that the settings name; None if words are off. See `load_lexicon` for errors."""
    if not config.words:
        return None
    return load_lexicon(Path(config.word_file).expanduser() if config.word_file else None)


def read_words(path: Path) -> list[str]:
    """Read a word file: UTF-8, one word or name per line, in upper or lower case; lines with # are comments.

    Accents, hyphens and apostrophes are dropped, as they are not spelled: José is JOSE, O'Brien is OBRIEN.

    Raises:
        InputError: the file is missing, too large or no text, or a line is no word of the letters A to Z.
    """
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise InputError(
                f"{path} is larger than {MAX_FILE_BYTES // 1_000_000} MB. Give a file with one word per line."
            )
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise InputError(f"The word file {path} cannot be read: {reason}.") from error
    words = []
    for number, line in enumerate(lines, 1):
        word = _spelled_letters(line.partition("#")[0])
        if not word:
            continue
        if not (word.isascii() and word.isalpha()) or len(word) > MAX_WORD_LETTERS:
            raise InputError(
                f"{path}, line {number}: {word[:40]!r} is not a word of 1 to {MAX_WORD_LETTERS} letters from A to Z. "
                "Write one word per line."
            )
        words.append(word)
    return words


def _spelled_letters(text: str) -> str:
    """Return a word in upper case without accents, hyphens and apostrophes."""
    parts = unicodedata.normalize("NFKD", text.strip())
    letters = (each for each in parts if not unicodedata.combining(each) and each not in "-'’‐‑")
    return "".join(letters).upper()
