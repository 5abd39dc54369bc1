"""Editing the spelled text: corrections, suggestions and undo."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aslkit.live.spelled_text import MAX_TEXT_LENGTH, SpelledText
from aslkit.live.words.correction import ReadLetter, certain_letter
from aslkit.live.words.lexicon import Lexicon

LEXICON = Lexicon({"HELLO": 0.3, "HELP": 0.3, "WORLD": 0.4})


def spell(letters: str, *, lexicon: Lexicon | None = LEXICON) -> SpelledText:
    """Return a text with letters; lower case is doubtful."""
    text = SpelledText(lexicon=lexicon)
    for letter in letters:
        read = certain_letter(letter.upper(), 0.8)
        if letter.islower():
            text.append_doubtful(ReadLetter(letter=read.letter, probabilities=read.probabilities, doubtful=True))
        else:
            text.append(letter, read)
    return text


def test_a_space_corrects_and_undo_puts_back_what_was_read() -> None:
    text = spell("HElLO")
    ended, correction = text.end_word()
    assert ended
    assert correction is not None
    assert (correction.read, correction.word, str(text)) == ("HELO", "HELLO", "HELLO ")
    text.append("W")
    assert text.undo() == "correct"
    assert str(text) == "HELO W"
    assert text.undo() is None


def test_an_undone_word_is_not_corrected_again() -> None:
    text = spell("HElLO")
    text.end_word()
    text.undo()
    text.append("H")
    text.end_word()
    assert str(text).startswith("HELO ")


def test_without_a_lexicon_nothing_is_corrected() -> None:
    text = spell("HElLO", lexicon=None)
    assert text.end_word() == (True, None)
    assert str(text) == "HELO "
    assert text.suggestion is None


def test_the_suggestion_is_taken_and_undone() -> None:
    text = spell("WOR")
    assert text.suggestion == "WORLD"
    correction = text.take_suggestion()
    assert correction is not None
    assert str(text) == "WORLD "
    assert text.take_suggestion() is None
    assert text.undo() == "correct"
    assert str(text) == "WOR "


def test_deleting_into_a_corrected_word_ends_its_correction() -> None:
    text = spell("HElLO")
    text.end_word()
    assert text.drop_last() == " "
    assert text.undo() == "correct"
    text.end_word()
    text.drop_last()
    assert text.drop_last() == "O"
    assert text.undo() is None
    assert str(text) == "HELL"


def test_doubtful_letters_are_not_part_of_the_text() -> None:
    text = spell("aHbEc")
    assert (str(text), text.word) == ("HE", "HE")
    assert text.drop_last() == "E"
    assert str(text) == "H"
    assert SpelledText(lexicon=LEXICON).end_word() == (False, None)
    assert spell("ab").end_word() == (False, None)


def test_cleared_text_is_put_back_before_what_was_spelled_since() -> None:
    text = spell("HELP")
    assert text.clear()
    assert not text.clear()
    assert not spell("ab").clear()  # nothing that could be seen
    text.append("X")
    assert text.undo() == "clear"
    assert str(text) == "HELPX"


@settings(deadline=None, max_examples=60)
@given(st.lists(st.sampled_from(["append", "doubt", "space", "delete", "clear", "undo", "take"]), max_size=40))
def test_any_edits_keep_the_text_short_and_without_double_spaces(edits: list[str]) -> None:
    text = SpelledText(lexicon=LEXICON)
    read = certain_letter("H", 0.5)
    for edit in edits:
        if edit == "append":
            text.append("H", read)
        elif edit == "doubt":
            text.append_doubtful(ReadLetter(letter="E", probabilities=read.probabilities, doubtful=True))
        elif edit == "space":
            text.end_word()
        elif edit == "delete":
            text.drop_last()
        elif edit == "clear":
            text.clear()
        elif edit == "take":
            text.take_suggestion()
        else:
            text.undo()
        assert "  " not in str(text).removesuffix(" ")
        assert len(str(text)) <= MAX_TEXT_LENGTH
        if text.correction is not None:
            assert text.correction.word in str(text).split(" ")


@pytest.mark.parametrize("count", [MAX_TEXT_LENGTH, MAX_TEXT_LENGTH + 50])
def test_a_long_text_loses_its_beginning(count: int) -> None:
    text = SpelledText()
    for _ in range(count):
        text.append("A")
    assert str(text) == "A" * MAX_TEXT_LENGTH
