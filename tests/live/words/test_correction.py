"""Corrections and suggestions: what is corrected, and what is not."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aslkit.core.letters import ALPHABET, LABEL_INDEX
from aslkit.live.words.correction import (
    ReadLetter,
    certain_letter,
    correct_word,
    reading_text,
    suggest_word,
)
from aslkit.live.words.lexicon import Lexicon, load_lexicon


def read(text: str, *, probability: float = 0.97) -> list[ReadLetter]:
    """Return letters as a model reads them: lower case is doubtful; "L/P" is P with L nearly as likely."""
    letters: list[ReadLetter] = []
    for part in text.split() if " " in text else text:
        best, _, other = part.partition("/")
        letter = certain_letter(best.upper(), probability)
        if other:
            probabilities = np.full(26, 0.002, np.float32)
            probabilities[LABEL_INDEX[best]], probabilities[LABEL_INDEX[other]] = 0.5, 0.45
            letter = ReadLetter(letter=best, probabilities=probabilities / probabilities.sum())
        if best.islower():
            letter = ReadLetter(letter=letter.letter, probabilities=letter.probabilities, doubtful=True)
        letters.append(letter)
    return letters


def corrected(text: str) -> str:
    """Return the word that a reading becomes."""
    letters = read(text)
    guess = correct_word(letters, load_lexicon())
    return reading_text(letters) if guess is None else guess.word


@pytest.mark.parametrize(
    ("reading", "word"),
    [
        ("H E L P/L O", "HELLO"),  # the model was undecided
        ("R e M e M B e R", "REMEMBER"),  # letters that were too doubtful to be written
        ("S L e e P", "SLEEP"),
        ("K I T C H F N", "KITCHEN"),  # one letter wrong in a long word
        ("I O H N", "IOHN"),  # J read as I, but the model is sure of I
        ("x C A T", "CAT"),  # a doubtful letter that was none
    ],
)
def test_words_are_corrected_if_another_one_is_far_likelier(reading: str, word: str) -> None:
    assert corrected(reading) == word


NAMES = (
    "XIOMARA",
    "KOWALSKI",
    "NGUYEN",
    "SIOBHAN",
    "PRIYANKA",
    "OLUWASEUN",
    "CHUKWU",
    "SVETLANA",
    "NIAMH",
    "CAOIMHE",
    "PHUONG",
    "GIULIA",
    "FATIMAH",
)


@pytest.mark.parametrize("name", NAMES)
def test_names_that_were_read_with_confidence_stay(name: str) -> None:
    assert corrected(name) == name


@pytest.mark.parametrize("word", ["HELLO", "THE", "ZIGZAG", "JAZZ", "ON", "A", "OK", "TV"])
def test_words_and_short_readings_stay(word: str) -> None:
    assert corrected(word) == word


@settings(deadline=None, max_examples=30)
@given(st.lists(st.sampled_from(ALPHABET), min_size=1, max_size=30))
def test_any_reading_gives_a_word_of_the_lexicon_or_stays(letters: list[str]) -> None:
    guess = correct_word(read("".join(letters)), load_lexicon())
    if guess is not None:
        assert guess.word in load_lexicon()
        assert abs(len(guess.word) - len(letters)) <= 2


def test_an_own_word_is_preferred() -> None:
    letters = read("X I O M A/E R A")
    assert correct_word(letters, load_lexicon()) is None
    guess = correct_word(read("X I O M E/A R A"), load_lexicon().with_words(["XIOMARA"]))
    assert guess is not None
    assert guess.word == "XIOMARA"


@pytest.mark.parametrize(
    ("reading", "word"), [("H", None), ("HE", "HE"), ("T E L E P H", "TELEPHONE"), ("W A T e", "WATER")]
)
def test_the_likeliest_word_is_suggested(reading: str, word: str | None) -> None:
    assert suggest_word(read(reading), load_lexicon()) == word


def test_suggestions_need_only_the_given_lexicon() -> None:
    lexicon = Lexicon({"ABRA": 0.5, "ABBOT": 0.5})
    assert suggest_word(read("ABB"), lexicon) == "ABBOT"
