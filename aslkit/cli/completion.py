"""The command `aslkit completion`."""

from typing import Final

import click
from click.shell_completion import get_completion_class

INSTALL: Final = {
    "bash": """echo 'eval "$(aslkit completion bash)"' >> ~/.bashrc""",
    "zsh": """echo 'eval "$(aslkit completion zsh)"' >> ~/.zshrc""",
    "fish": "aslkit completion fish > ~/.config/fish/completions/aslkit.fish",
}
"""Command that enables completion in new shells."""

VARIABLE: Final = "_ASLKIT_COMPLETE"
"""Environment variable with which click's script asks for completions."""


@click.command()
@click.argument("shell", type=click.Choice([*INSTALL]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion script for bash, zsh or fish.

    It completes commands, options, and the names of runs, datasets and signers.

    \b
    Example:  aslkit completion bash

    \b
    Enable it in new shells, once:
      echo 'eval "$(aslkit completion bash)"' >> ~/.bashrc
      echo 'eval "$(aslkit completion zsh)"' >> ~/.zshrc
      aslkit completion fish > ~/.config/fish/completions/aslkit.fish
    """
    found = get_completion_class(shell)
    assert found is not None
    script = found(ctx.find_root().command, {}, "aslkit", VARIABLE).source()
    click.echo(f"{script.rstrip()}\n\n# To enable this in every new {shell}, run once:  {INSTALL[shell]}")
