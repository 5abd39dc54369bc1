"""Generate docs/commands.md from the commands, and configs/default.toml from the settings.

    python -m aslkit.cli.reference > docs/commands.md
    python -m aslkit.cli.reference --config > configs/default.toml

The output depends on the code only, not on the terminal, the computer or the environment.
"""

import inspect
import re
import sys
import textwrap
from collections.abc import Iterator
from typing import Any, Final

import click
import tomli_w

from aslkit.capture.config import CaptureConfig, GateConfig
from aslkit.cli.main import main
from aslkit.core.config import Setting, list_settings
from aslkit.curate.config import CurateConfig
from aslkit.curate.filter.checks import CheckConfig
from aslkit.live.config import LiveConfig
from aslkit.train.config import TrainConfig

SETTINGS: Final[dict[str, type[Any]]] = {
    "capture": CaptureConfig,
    "gate": GateConfig,
    "curate": CurateConfig,
    "checks": CheckConfig,
    "train": TrainConfig,
    "live": LiveConfig,
}
"""Settings dataclass of each section of a configuration file."""

HEAD: Final = """\
# Commands

The help text of every command. This page is generated from the code, and a test compares the two. After changing a
command, run `python -m aslkit.cli.reference > docs/commands.md`.

If you are new to aslkit, start with [your first letter](tutorial-one-letter.md).
"""

COMMON: Final = """\
## Options of every command

{table}

Settings without an option are documented in [configs/default.toml](../configs/default.toml). Change them in a file of
your own, given with `--config`. Exit codes: 0 success, 1 failure, 2 invalid input. `aslkit completion` enables shell
completion of commands, options and names. Set `NO_COLOR=1` to turn off colours. Colours and progress bars are off if
the output is not a terminal.
"""

_CONFIG_HEAD: Final = """\
# The default settings. This file is generated from the code (python -m aslkit.cli.reference --config); it is not read.
# To change settings, copy the lines you need to a file of your own and give it with --config. Options of the command
# line override the file.
"""

_DEFAULT: Final = re.compile(r"\s+\[default: (.+)\]$")
_LINE: Final = re.compile(r"^(?:\w[\w ]*:)?\s*(aslkit .+?)(?:\s{2,}\((.+)\))?$")


def render_reference() -> str:
    """Return the text of docs/commands.md."""
    root = click.Context(main, info_name="aslkit", **main.context_settings)
    contexts = list(_walk(root))
    everywhere = _in_all(contexts)
    parts = [HEAD, "\n".join(map(_listed, contexts)) + "\n", COMMON.format(table=_table(everywhere))]
    parts += [_section(ctx, leave_out=everywhere) for ctx in contexts]
    return "\n".join(parts)


def render_default_config() -> str:
    """Return the text of configs/default.toml."""
    parts = [_CONFIG_HEAD]
    for section, settings in SETTINGS.items():
        summary = " ".join(inspect.cleandoc(settings.__doc__ or "").split())
        parts.append(f"\n{_comment(summary)}[{section}]\n")
        parts += [_render_setting(setting) for setting in list_settings(settings).values()]
    return "".join(parts)


def _render_setting(setting: Setting) -> str:
    limits = [", ".join(setting.choices)] if setting.choices else []
    if setting.low is not None and setting.high is not None:
        limits = [f"{setting.low:,} to {setting.high:,}"]
    text = setting.description + "".join(f" [{limit}]" for limit in limits)
    return _comment(text) + tomli_w.dumps({setting.name: setting.default})


def _comment(text: str) -> str:
    return "".join(f"# {line}\n" for line in textwrap.wrap(text, 116))


def _walk(above: click.Context) -> Iterator[click.Context]:
    """Yield the contexts of all commands in the order of use, a group before its commands."""
    group = above.command
    assert isinstance(group, click.Group)
    for name in group.list_commands(above):
        ctx = click.Context(group.commands[name], info_name=name, parent=above)
        yield ctx
        if isinstance(ctx.command, click.Group):
            yield from _walk(ctx)


Row = tuple[str, str, str]
"""Flags of an option, its help text, its default."""


def _rows(ctx: click.Context) -> list[Row]:
    options = [each for each in ctx.command.get_params(ctx) if isinstance(each, click.Option) and not each.hidden]
    return [_row(option, ctx) for option in options]


def _row(option: click.Option, ctx: click.Context) -> Row:
    typed, _ = option.get_help_record(ctx) or ("", "")
    extra, words = option.get_help_extra(ctx), option.help or ""
    told = _DEFAULT.search(words)
    default = [told[1]] if told else [extra[key] for key in ("default", "required") if key in extra]
    variables = [f"or `{name}`" for name in extra.get("envvars", ())]
    limits = f" `{extra['range']}`" if "range" in extra else ""
    return typed.replace(" RANGE", ""), _DEFAULT.sub("", words) + limits, ", ".join((*default, *variables))


def _in_all(contexts: list[click.Context]) -> list[Row]:
    """Return the options that nearly all commands have."""
    rows = [_rows(ctx) for ctx in contexts if not isinstance(ctx.command, click.Group)]
    return [row for row in rows[0] if sum(row in each for each in rows) > 0.75 * len(rows)]


def _section(ctx: click.Context, *, leave_out: list[Row]) -> str:
    level = "##" if ctx.parent and ctx.parent.parent is None else "###"
    usage = " ".join([ctx.command_path, *ctx.command.collect_usage_pieces(ctx)])
    parts = [f"{level} {ctx.command_path}\n", f"    {usage}\n", *_help(ctx.command)]
    if table := _table([row for row in _rows(ctx) if row not in leave_out]):
        parts.append(f"{table}\n")
    return "\n".join(parts)


def _help(command: click.Command) -> Iterator[str]:
    for paragraph in inspect.cleandoc(command.help or "").split("\n\n"):
        if paragraph.startswith("\b\nExample:"):
            yield from _examples(paragraph.splitlines()[1:])
        elif paragraph.startswith("\b\n"):  # a sentence, followed by commands
            _, sentence, *typed = paragraph.splitlines()
            yield "\n".join([_plain(sentence), "", "```sh", *(line.strip() for line in typed), "```", ""])
        else:
            yield _plain(" ".join(paragraph.split())) + "\n"


def _examples(lines: list[str]) -> Iterator[str]:
    """Yield example commands as a shell block, remarks as comments, and other lines as text."""
    found = [(line, _LINE.match(line.strip())) for line in lines]
    typed = [f"{each[1]}  # {each[2]}" if each[2] else each[1] for _, each in found if each]
    if typed:
        yield "\n".join(["```sh", *typed, "```", ""])
    if said := " ".join(line.strip() for line, each in found if not each):
        yield _plain(said[0].upper() + said[1:]) + "\n"


def _table(rows: list[Row]) -> str:
    cells = [(f"`{typed}`", _plain(words), default) for typed, words, default in rows]
    lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row).rstrip() + " |" for row in cells]
    return "\n".join(["| option | | default |", "|---|---|---|", *lines]) if lines else ""


def _plain(text: str) -> str:
    """Escape text for Markdown."""
    return text.replace("*", "\\*")


def _listed(ctx: click.Context) -> str:
    """Return a list item: the command and the first sentence of its help text."""
    paragraph = " ".join((ctx.command.help or "").partition("\n\n")[0].split())
    sentence = re.split(r"(?<=\.)\s", paragraph, maxsplit=1)[0]
    return f"- [{ctx.command_path}](#{ctx.command_path.replace(' ', '-')}): {sentence}"


if __name__ == "__main__":
    print(render_default_config() if "--config" in sys.argv[1:] else render_reference(), end="")
