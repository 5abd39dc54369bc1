"""Options that do not fit together: what was typed and would change nothing is refused, in words."""

from collections.abc import Iterable
from typing import Final

import click
from click.core import ParameterSource

_OF_WEB: Final = ("host", "port", "certificate", "key")


def reject_options(names: Iterable[str], words: str) -> None:
    """Refuse options that were typed; what a default or the environment gives is nobody's mistake.

    Args:
        names: of this command's parameters, as "hold_out".
        words: what the message says after the option, as "does not go with --audit".

    Raises:
        UsageError: one of them was typed.
    """
    context = click.get_current_context()
    typed = [param for param in context.command.params if param.name in names and _was_typed(context, param)]
    if typed:
        off = context.params[str(typed[0].name)] is False and typed[0].secondary_opts
        raise click.UsageError(f"{(off or typed[0].opts)[-1]} {words}.")


def check_web_options(*, web: bool, unused: Iterable[str]) -> None:
    """Refuse what only --web takes where it is not given; where it is, refuse what a page has no use for."""
    if web:
        reject_options(unused, "does not go with --web")
    else:
        reject_options(_OF_WEB, "goes with --web")


def _was_typed(context: click.Context, param: click.Parameter) -> bool:
    return context.get_parameter_source(str(param.name)) is ParameterSource.COMMANDLINE
