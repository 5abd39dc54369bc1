import pytest

from aslkit.core.errors import InputError
from aslkit.formats.licences import complete_consent, parse_licence


@pytest.mark.parametrize(
    ("text", "licence"),
    [
        ("CC-BY-4.0", "CC-BY-4.0"),
        ("cc0-1.0", "CC0-1.0"),
        ("cc by sa 4.0", "CC-BY-SA-4.0"),
        ("Private", "private"),
        ("odbl-1.0", "ODbL-1.0"),
        ("LicenseRef-Club", "LicenseRef-Club"),
    ],
)
def test_licence_is_written_as_in_spdx(text: str, licence: str) -> None:
    assert parse_licence(text) == licence


@pytest.mark.parametrize("text", ["", "cc-by", "For my class only.", "MIT OR CC0-1.0", "(MIT)", "LicenseRef-my club!"])
def test_unknown_licence_is_rejected_with_choices(text: str) -> None:
    with pytest.raises(InputError, match=r"is not an SPDX .* Choose private .*, CC0-1\.0, CC-BY-4\.0.*LicenseRef-NAME"):
        parse_licence(text)


@pytest.mark.parametrize(
    ("licence", "consent", "completed"),
    [
        ("CC0-1.0", None, "May be shared under CC0-1.0."),
        ("CC0-1.0", "Only for me.", "May be shared under CC0-1.0."),
        ("private", "May be shared under CC-BY-4.0.", "Only for me."),
        ("private", None, None),
        ("CC0-1.0", "May be shared under supervision.", "May be shared under supervision."),
        ("For my class only.", None, None),  # from an earlier version
        (None, "Only for my class.", "Only for my class."),
    ],
)
def test_consent_is_derived_from_licence(licence: str | None, consent: str | None, completed: str | None) -> None:
    assert complete_consent(licence, consent) == completed
