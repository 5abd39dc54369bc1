"""Formatting of texts."""

import pytest

from aslkit.core.sanitize import format_percent, join_names, sanitize_text


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (1, "100.0%"), (0.9996, "99.9%"), (0.97449, "97.4%"), (0.25, "25.0%"), (0.0004, "< 0.1%"), (0, "0.0%"),
        (None, "–"),
    ],
)  # fmt: skip
def test_format_percent_never_rounds_to_0_or_100(share: float | None, text: str) -> None:
    assert format_percent(share) == text


def test_joiners_of_words_are_kept_and_direction_characters_replaced() -> None:
    assert sanitize_text("ශ්\u200dරී") == "ශ්\u200dරී"
    assert sanitize_text("a\u202eb\x1b") == "a\ufffdb\ufffd"


@pytest.mark.parametrize(
    ("count", "text"), [(0, ""), (1, "s0"), (3, "s0, s1, s2"), (4, "s0, s1 and 2 more"), (99, "s0, s1 and 97 more")]
)
def test_join_names_counts_the_names_that_it_omits(count: int, text: str) -> None:
    assert join_names([f"s{number}" for number in range(count)], most=3) == text
