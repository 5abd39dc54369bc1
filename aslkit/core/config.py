"""Settings: the preset in `configs/default.toml`, over it a user's TOML file, over that the flags that were given."""

import tomllib
from collections.abc import Mapping
from dataclasses import fields
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

from aslkit.core.errors import InputError

Settings = TypeVar("Settings")

DEFAULTS = "default.toml"


class SettingError(InputError):
    """A setting that cannot be: `load` says where it was given.

    Args:
        name: of the setting.
        words: what is wrong with it, as "must be true or false; it is 3."
    """

    def __init__(self, name: str, words: str) -> None:
        super().__init__(f"{name} {words}")
        self.name, self.words = name, words


def load(
    section: str, settings: type[Settings], *, file: Path | None = None, flags: Mapping[str, object] | None = None
) -> Settings:
    """Build the dataclass `settings` from the section of that name.

    Args:
        section: the TOML table, such as "capture".
        settings: a keyword-only dataclass; each field is a key of the table.
        file: the user's own TOML file; it need only name what it changes.
        flags: what the command line gave; None counts as not given.

    Raises:
        InputError: the file cannot be read, has a key that `settings` does not, or a value that cannot be.
    """
    text = resources.files("aslkit.configs").joinpath(DEFAULTS).read_text(encoding="utf-8")
    preset: dict[str, Any] = tomllib.loads(text)[section]
    values = dict(preset)
    if file is not None:
        values |= _own(file, section, {field.name for field in fields(settings)})  # type: ignore[arg-type]
    given = {key: value for key, value in (flags or {}).items() if value is not None}
    values |= given
    try:
        for key, value in values.items():
            if isinstance(preset.get(key), str) and not isinstance(value, str):
                raise SettingError(key, f"must be text; it is {value!r}.")
        return settings(**values)
    except SettingError as error:
        if error.name in given:
            raise InputError(f"--{error.name.replace('_', '-')} {error.words}") from error
        raise InputError(f"{file or DEFAULTS}, [{section}]: {error.message}") from error


def _own(file: Path, section: str, known: set[str]) -> dict[str, Any]:
    try:
        tables = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(f"There is no configuration file {file}.") from error
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{file} is not a TOML file: {error}.") from error
    sections = set(tomllib.loads(resources.files("aslkit.configs").joinpath(DEFAULTS).read_text(encoding="utf-8")))
    if stray := sorted(set(tables) - sections):
        raise InputError(f"{file}: unknown section [{stray[0]}]. Known: {', '.join(sorted(sections))}.")
    own: dict[str, Any] = tables.get(section, {})
    if not isinstance(own, dict):
        raise InputError(f"{file}: {section} must be a section: write [{section}] on a line of its own.")
    if unknown := sorted(set(own) - known):
        raise InputError(f"{file}: unknown key {unknown[0]!r} in [{section}]. Known: {', '.join(sorted(known))}.")
    return own


def check_integer(name: str, value: object, low: int, high: int) -> None:
    """As `check_number`, for what is counted: 10.5 is refused."""
    check_number(name, value, low, high)
    if not isinstance(value, int):
        raise SettingError(name, f"must be a whole number; it is {value!r}.")


def check_bool(name: str, value: object) -> None:
    """Raise SettingError unless `value` is true or false."""
    if not isinstance(value, bool):
        raise SettingError(name, f"must be true or false; it is {value!r}.")


def check_number(name: str, value: object, low: float, high: float) -> None:
    """Raise SettingError unless `value` is a number with low <= value <= high; the message names the setting."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise SettingError(name, f"must be from {low:,} to {high:,}; it is {value!r}.")
