"""docs/commands.md, made from the commands themselves: `python -m aslkit.cli.reference > docs/commands.md`.

What it says depends on the code alone: not on the terminal, the machine, or the environment.
"""

import inspect
import re
from collections.abc import Iterator
from typing import Final

import click

from aslkit.cli.main import main

HEAD: Final = """\
# Commands

Every command, as `aslkit COMMAND --help` says it. This page is made from the code, and a test compares the two: change
the command, then run `python -m aslkit.cli.reference > docs/commands.md`.

New here? [One letter](tutorial-one-letter.md) is the shorter way in.
"""

IN_ALL: Final = """\
## In every command

{table}

Settings that are no option are in [configs/default.toml](../configs/default.toml); `--config` names a file that changes
some of them. Exit codes: 0 done, 1 failed, 2 asked for something that cannot be. `aslkit completion` lets the shell
complete commands, options and names. `NO_COLOR=1` turns colours off; there are none, and no progress bars, where the
output is no terminal.
"""

_DEFAULT: Final = re.compile(r"\s+\[default: (.+)\]$")
_LINE: Final = re.compile(r"^(?:\w[\w ]*:)?\s*(aslkit .+?)(?:\s{2,}\((.+)\))?$")


def render_reference() -> str:
    """The page."""
    root = click.Context(main, info_name="aslkit", **main.context_settings)
    contexts = list(_walk(root))
    everywhere = _in_all(contexts)
    parts = [HEAD, "\n".join(map(_listed, contexts)) + "\n", IN_ALL.format(table=_table(everywhere))]
    parts += [_section(ctx, leave_out=everywhere) for ctx in contexts]
    return "\n".join(parts)


def _walk(above: click.Context) -> Iterator[click.Context]:
    """The contexts of all commands, in the order of work; a group before its commands."""
    group = above.command
    assert isinstance(group, click.Group)
    for name in group.list_commands(above):
        ctx = click.Context(group.commands[name], info_name=name, parent=above)
        yield ctx
        if isinstance(ctx.command, click.Group):
            yield from _walk(ctx)


Row = tuple[str, str, str]
"""An option as it is typed, what it is for, what it is where it is not given."""


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
    """The options that nearly all commands have, in the same words."""
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
        elif paragraph.startswith("\b\n"):  # a sentence, and below it what is to be typed
            _, sentence, *typed = paragraph.splitlines()
            yield "\n".join([_plain(sentence), "", "```sh", *(line.strip() for line in typed), "```", ""])
        else:
            yield _plain(" ".join(paragraph.split())) + "\n"


def _examples(lines: list[str]) -> Iterator[str]:
    """Lines to be typed, as they are; what is remarked on them as the shell's comment; what is not typed as words."""
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
    """Words that Markdown leaves as they are."""
    return text.replace("*", "\\*")


def _listed(ctx: click.Context) -> str:
    """A command with the first sentence of its help."""
    paragraph = " ".join((ctx.command.help or "").partition("\n\n")[0].split())
    sentence = re.split(r"(?<=\.)\s", paragraph, maxsplit=1)[0]
    return f"- [{ctx.command_path}](#{ctx.command_path.replace(' ', '-')}): {sentence}"


if __name__ == "__main__":
    print(render_reference(), end="")
