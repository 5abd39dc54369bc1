"""Settings of a stage: defaults in a dataclass, overridden by a TOML file, overridden by command-line options.

A setting is declared once, as a field of a keyword-only dataclass:

    goal: Annotated[int, Meta(ge=1, le=1_000_000, description="Frames per letter and signer.")] = 602

The type, range, default and help text on the command line, in `docs/commands.md` and in `configs/default.toml` come
from this field. msgspec validates the values.
"""

from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, fields
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Final, Literal, TypeVar, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta

from aslkit.core.errors import InputError

Settings = TypeVar("Settings")

SECTIONS: Final = ("capture", "gate", "curate", "checks", "train", "live")
"""Sections of a configuration file."""

Share = Annotated[float, Meta(ge=0, le=1)]
Seed = Annotated[int, Meta(ge=0, le=2**32 - 1)]


class SettingError(InputError):
    """An invalid value of a setting.

    Args:
        name: of the setting.
        problem: what is wrong, such as "must be true or false; it is 3."
    """

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"{name} {problem}")
        self.name, self.problem = name, problem


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One field of a settings dataclass.

    Attributes:
        name: of the field, which is the key in a TOML file.
        type: int, float, bool or str, without constraints; a tuple type for a list.
        default: `dataclasses.MISSING` if the setting is required.
        description: one sentence or two.
        low, high: inclusive range of a number; None without a limit.
        choices: the allowed values of a text; empty if any text is allowed.
    """

    name: str
    type: Any
    default: Any
    description: str
    low: float | None
    high: float | None
    choices: tuple[str, ...]

    @property
    def requirement(self) -> str:
        """What a value must be, such as "must be a whole number from 1 to 100"."""
        if self.choices:
            return f"must be one of {', '.join(self.choices)}"
        what = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}.get(self.type)
        if what is None:
            return "must be a list of whole numbers" + self._range()
        return f"must be {what}" + self._range()

    def _range(self) -> str:
        if self.low is not None and self.high is not None:
            return f" from {self.low:,} to {self.high:,}"
        return ""


def list_settings(settings: type[Any]) -> dict[str, Setting]:
    """Return the settings that a dataclass declares, by name."""
    hints = get_type_hints(settings, include_extras=True)
    return {field.name: _read_field(field, hints[field.name]) for field in fields(settings)}


def _read_field(field: Field[Any], hint: Any) -> Setting:
    base, description, low, high = hint, "", None, None
    if get_origin(hint) is Annotated:
        base, *constraints = get_args(hint)
        for meta in constraints:  # Annotated[Annotated[...], ...] lists the constraints of all levels
            description = meta.description or description
            low, high = (meta.ge if meta.ge is not None else low), (meta.le if meta.le is not None else high)
    if get_origin(base) is tuple:
        for meta in get_args(get_args(base)[0])[1:]:  # of the items; none if they have no constraints
            low, high = meta.ge, meta.le
    choices = get_args(base) if get_origin(base) is Literal else ()
    kind = str if choices else base
    assert not isinstance(kind, UnionType)
    return Setting(
        name=field.name, type=kind, default=field.default, description=description, low=low, high=high, choices=choices
    )


def load_settings(
    section: str, settings: type[Settings], *, file: Path | None = None, flags: Mapping[str, object] | None = None
) -> Settings:
    """Build a settings dataclass from its defaults, a TOML file and command-line options.

    Args:
        section: of the file, one of SECTIONS.
        settings: the dataclass.
        file: TOML file of the user; it only needs to name what it changes.
        flags: options of the command line by the name of the setting; None means that an option was not given.

    Raises:
        InputError: the file cannot be read, or has an unknown section, an unknown key or an invalid value.
    """
    values = _read_section(file, section, settings) if file is not None else {}
    given = {key: value for key, value in (flags or {}).items() if value is not None}
    try:
        return settings(**_convert(values | given, settings))
    except SettingError as error:
        if error.name in given:
            raise InputError(f"--{error.name.replace('_', '-')} {error.problem}") from error
        raise InputError(f"{file}, [{section}]: {error.message}") from error


def build_settings(settings: type[Settings], values: Any, location: str) -> Settings:
    """Build a settings dataclass from a table of a TOML file.

    Args:
        settings: the dataclass.
        values: the table.
        location: of the table, for error messages, such as "own.toml, [capture]".

    Raises:
        InputError: not a table, an unknown or a missing key, or an invalid value.
    """
    if not isinstance(values, dict):
        raise InputError(f"{location} must be a section, not {values!r}.")
    known = list_settings(settings)
    if unknown := sorted(set(values) - set(known)):
        raise InputError(f"{location}: unknown key {unknown[0]!r}. Known: {', '.join(sorted(known))}.")
    if missing := [key for key, each in known.items() if each.default is MISSING and key not in values]:
        raise InputError(f"{location}: {missing[0]} is missing.")
    try:
        return settings(**_convert(values, settings))
    except InputError as error:
        raise InputError(f"{location}: {error.message}") from error


def read_toml(file: Path) -> dict[str, Any]:
    """Read a TOML file.

    Raises:
        InputError: the file is missing, cannot be read, or is not a TOML file.
    """
    try:
        values: dict[str, Any] = msgspec.toml.decode(file.read_bytes())
    except FileNotFoundError as error:
        raise InputError(f"There is no configuration file {file}.") from error
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror}.") from error
    except (msgspec.DecodeError, ValueError) as error:
        raise InputError(f"{file} is not a TOML file: {error}.") from error
    return values


def _convert(values: Mapping[str, object], settings: type[Any]) -> dict[str, Any]:
    """Validate values one by one, so that the error can name the setting."""
    hints, known = get_type_hints(settings, include_extras=True), list_settings(settings)
    converted = {}
    for name, value in values.items():
        try:
            converted[name] = msgspec.convert(value, hints[name])
        except msgspec.ValidationError as error:
            raise SettingError(name, f"{known[name].requirement}; it is {value!r}.") from error
    return converted


def _read_section(file: Path, section: str, settings: type[Any]) -> dict[str, Any]:
    tables = read_toml(file)
    # A misspelled section would otherwise be ignored, and its settings would silently keep their defaults.
    if unknown := sorted(set(tables) - set(SECTIONS)):
        raise InputError(f"{file}: unknown section [{unknown[0]}]. Known: {', '.join(sorted(SECTIONS))}.")
    values: Any = tables.get(section, {})
    if not isinstance(values, dict):
        raise InputError(f"{file}: {section} must be a section: write [{section}] on a line of its own.")
    known = list_settings(settings)
    if unknown := sorted(set(values) - set(known)):
        raise InputError(f"{file}: unknown key {unknown[0]!r} in [{section}]. Known: {', '.join(sorted(known))}.")
    return values
