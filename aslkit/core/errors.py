"""The errors a user may meet: each says what was wrong, where, and what to do. None shows a traceback."""

import click


class AslkitError(click.ClickException):
    """Something failed. Exit code 1."""

    exit_code = 1


class InputError(AslkitError):
    """The user asked for something that cannot be: a letter, an option, a path. Exit code 2, as click's own."""

    exit_code = 2
