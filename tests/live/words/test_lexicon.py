"""The lexicon and the user's own word file."""

from pathlib import Path

import numpy as np
import pytest

from aslkit.core.errors import InputError
from aslkit.core.letters import LABELS
from aslkit.live.config import LiveConfig
from aslkit.live.words.lexicon import Lexicon, load_lexicon, load_words, read_words


def test_lexicon_has_common_words_names_and_their_frequency() -> None:
    lexicon = load_lexicon()
    assert len(lexicon) > 80_000
    assert "HELLO" in lexicon
    assert "MARIA" in lexicon
    assert lexicon.log_prior("HELP") > lexicon.log_prior("HELOT") > lexicon.log_prior("HELXT")


def test_letters_of_the_words_are_labels() -> None:
    for length, words in load_lexicon().by_length.items():
        assert words.letters.shape == (len(words.words), length)
        assert "".join(LABELS[index] for index in words.letters[-1]) == words.words[-1]
        assert (np.diff(words.log_prior) <= 0).all()  # most frequent first


def test_unknown_words_that_look_like_words_are_likelier() -> None:
    lexicon = load_lexicon()
    assert lexicon.log_prior("KAMILE") > lexicon.log_prior("KXQZVW")


def test_own_words_are_known(tmp_path: Path) -> None:
    file = tmp_path / "names.txt"
    file.write_text("# people\nXiomara\n\noluwaseun  # a friend\nJosé\nO'Brien\nJean-Luc\n", encoding="utf-8")
    assert read_words(file) == ["XIOMARA", "OLUWASEUN", "JOSE", "OBRIEN", "JEANLUC"]
    lexicon = load_words(LiveConfig(word_file=str(file)))
    assert lexicon is not None
    assert "XIOMARA" in lexicon
    assert lexicon.log_prior("XIOMARA") > load_lexicon().log_prior("XIOMARA")
    assert lexicon.log_prior("THE") > lexicon.log_prior("XIOMARA")


def test_words_can_be_off() -> None:
    assert load_words(LiveConfig(words=False, word_file="missing.txt")) is None


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("MARIA\nМария\n".encode(), "line 2: 'МАРИЯ' is not a word"),
        (b"TWO WORDS\n", "line 1: 'TWO WORDS'"),
        (b"A" * 25, "1 to 24 letters"),
        (b"\xff\xfe\x00", "not UTF-8"),
    ],
)
def test_a_word_file_that_cannot_be_used_is_reported(tmp_path: Path, content: bytes, message: str) -> None:
    file = tmp_path / "words.txt"
    file.write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_words(file)


def test_a_missing_word_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read: No such file"):
        read_words(tmp_path / "missing.txt")


def test_frequent_words_are_known_and_rare_ones_unknown() -> None:
    lexicon = Lexicon({"AB": 0.9, "CD": 0.1})
    assert lexicon.log_prior("AB") > lexicon.log_prior("CD") > lexicon.log_prior("EF")
