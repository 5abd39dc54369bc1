"""Options that exclude each other or have no effect together: an error, not silence."""

from collections.abc import Iterable
from typing import Final

import click
from click.core import ParameterSource

_WEB_OPTIONS: Final = ("host", "port", "certificate", "key")


def reject_options(names: Iterable[str], problem: str) -> None:
    """Reject options that were given on the command line; defaults and environment variables are ignored.

    Args:
        names: parameter names of the current command, such as "hold_out".
        problem: end of the message, after the option, such as "cannot be combined with --audit".

    Raises:
        UsageError: one of the options was given.
    """
    context = click.get_current_context()
    given = [param for param in context.command.params if param.name in names and _is_given(context, param)]
    if given:
        off = context.params[str(given[0].name)] is False and given[0].secondary_opts
        raise click.UsageError(f"{(off or given[0].opts)[-1]} {problem}.")


def check_web_options(*, web: bool, unused: Iterable[str]) -> None:
    """Reject the options of --web without --web, and with it the options that the page does not use."""
    if web:
        reject_options(unused, "cannot be combined with --web")
    else:
        reject_options(_WEB_OPTIONS, "requires --web")


def _is_given(context: click.Context, param: click.Parameter) -> bool:
    return context.get_parameter_source(str(param.name)) is ParameterSource.COMMANDLINE
