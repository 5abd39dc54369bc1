"""The text that is being spelled: letters with what was read of each, words, corrections, and what can be undone."""

from dataclasses import dataclass, field
from typing import Final, Literal

from aslkit.live.words.correction import ReadLetter, certain_letter, correct_word, suggest_word
from aslkit.live.words.lexicon import Lexicon

MAX_TEXT_LENGTH: Final = 2000
"""Characters. If the text grows longer, its beginning is dropped."""

_UNREAD_PROBABILITY: Final = 0.95
"""Probability of a letter of which only the character is known, such as after `SpelledText.replace`."""


@dataclass(frozen=True, kw_only=True)
class Correction:
    """A word that was replaced.

    Attributes:
        read: the letters as they were read.
        word: the word that replaced them.
    """

    read: str
    word: str


@dataclass(frozen=True)
class _Character:
    """A letter with what was read; a space, or a letter of which nothing else is known; "" for a doubtful letter."""

    character: str
    read: ReadLetter | None = None


@dataclass(kw_only=True)
class SpelledText:
    """The text, and what can be undone in it.

    Args:
        lexicon: words for suggestions and corrections; None for neither.

    Attributes:
        suggestion: likeliest word for the letters since the last space; None if there is none.
        correction: the last correction, while it can be undone.
    """

    lexicon: Lexicon | None = None
    suggestion: str | None = None
    correction: Correction | None = None
    _characters: list[_Character] = field(default_factory=list)
    _cleared: list[_Character] = field(default_factory=list)
    _correction_letters: list[_Character] = field(default_factory=list)
    _correction_end: int = 0  # index in `_characters` after the corrected word

    def __str__(self) -> str:
        """Return the text."""
        return "".join(each.character for each in self._characters)

    @property
    def word(self) -> str:
        """The letters since the last space."""
        return "".join(each.character for each in self._word())

    def _word(self) -> list[_Character]:
        start = len(self._characters)
        while start and self._characters[start - 1].character != " ":
            start -= 1
        return self._characters[start:]

    def _read_letters(self) -> list[ReadLetter]:
        return [each.read or certain_letter(each.character, _UNREAD_PROBABILITY) for each in self._word()]

    def append_doubtful(self, read: ReadLetter) -> None:
        """Add a letter that is not sure enough for the text, but may be part of the word."""
        self._characters.append(_Character("", read))
        self._suggest()

    def drop_doubtful(self, count: int | None = None) -> None:
        """Remove doubtful letters at the end of the text; at most `count`, or all."""
        while count != 0 and self._characters and not self._characters[-1].character:
            self._characters.pop()
            count = None if count is None else count - 1

    def append(self, letter: str, read: ReadLetter | None = None) -> None:
        """Append a letter, and update the suggestion.

        Args:
            letter: the letter.
            read: its probabilities; None if unknown.
        """
        self._characters.append(_Character(letter, read))
        self._shorten()
        self._suggest()

    def drop_last(self) -> str | None:
        """Remove the last character, and return it; None if there is none."""
        self.drop_doubtful()
        if not self._characters:
            return None
        removed = self._characters.pop().character
        if self.correction is not None and len(self._characters) < self._correction_end:
            self.correction = None
        self._suggest()
        return removed

    def end_word(self) -> tuple[bool, Correction | None]:
        """Correct the current word if another one is far likelier, and append a space.

        Returns:
            Whether a space was appended, which needs a letter before it, and the correction, if any.
        """
        if not self.word:
            self.drop_doubtful()
            return False, None
        made = None
        if self.lexicon is not None and (guess := correct_word(self._read_letters(), self.lexicon)):
            made = self._replace_word(guess.word)
        self._characters.append(_Character(" "))
        self._shorten()
        self.suggestion = None
        return True, made

    def take_suggestion(self) -> Correction | None:
        """Replace the current word by the suggestion, and append a space; None if there is no suggestion."""
        if self.suggestion is None:
            return None
        made = self._replace_word(self.suggestion)
        self._characters.append(_Character(" "))
        self._shorten()
        self.suggestion = None
        return made

    def _replace_word(self, word: str) -> Correction:
        before = self._word()
        start = len(self._characters) - len(before)
        self._characters[start:] = [_Character(letter) for letter in word]
        self._correction_letters = before
        read = "".join(each.character for each in before)
        self.correction, self._correction_end = Correction(read=read, word=word), len(self._characters)
        return self.correction

    def clear(self) -> bool:
        """Delete the text; return whether there was any. `undo` puts it back."""
        self.drop_doubtful()
        if not self._characters:
            return False
        self._cleared, self._characters = self._characters, []
        self.suggestion = self.correction = None
        return True

    def undo(self) -> Literal["clear", "correct"] | None:
        """Put back the letters of the last correction, or else the text that was cleared before; return which."""
        if self.correction is not None:  # later than clearing, which ends the correction before it
            end, length = self._correction_end, len(self.correction.word)
            self._characters[end - length : end] = self._correction_letters
            self.correction = None
            self._suggest()
            return "correct"
        if not self._cleared:
            return None
        self._characters, self._cleared = self._cleared + self._characters, []
        self._shorten()
        self._suggest()
        return "clear"

    def replace(self, text: str) -> None:
        """Replace the text. Nothing can be undone then."""
        self._characters = [_Character(character) for character in text[-MAX_TEXT_LENGTH:]]
        self._cleared, self.correction, self.suggestion = [], None, None

    def _suggest(self) -> None:
        suggestion = None if self.lexicon is None else suggest_word(self._read_letters(), self.lexicon)
        # The word as it is needs no suggestion.
        self.suggestion = None if suggestion == self.word else suggestion

    def _shorten(self) -> None:
        removed = len(self._characters) - MAX_TEXT_LENGTH
        if removed > 0:
            del self._characters[:removed]
            self._correction_end -= removed
            if self.correction is not None and self._correction_end < len(self.correction.word):
                self.correction = None
