"""Errors shown to the user. Each message says what is wrong, where, and what to do; none shows a traceback."""

import click


class AslkitError(click.ClickException):
    """An operation failed. Exit code 1."""

    exit_code = 1


class InputError(AslkitError):
    """Invalid user input, such as a letter, an option or a path. Exit code 2, like click's usage errors."""

    exit_code = 2
