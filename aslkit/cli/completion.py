"""The command `aslkit completion`."""

from typing import Final

import click
from click.shell_completion import get_completion_class

INSTALL: Final = {
    "bash": """echo 'eval "$(aslkit completion bash)"' >> ~/.bashrc""",
    "zsh": """echo 'eval "$(aslkit completion zsh)"' >> ~/.zshrc""",
    "fish": "aslkit completion fish > ~/.config/fish/completions/aslkit.fish",
}
"""The one line that lets each shell complete from its next start on."""

VARIABLE: Final = "_ASLKIT_COMPLETE"
"""By this the script asks `aslkit` what could come next: click's own name for it."""


@click.command()
@click.argument("shell", type=click.Choice([*INSTALL]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print what lets SHELL complete commands, options, and names of runs, datasets and signers.

    \b
    Example:  aslkit completion bash

    \b
    To have it in each new shell, once:
      echo 'eval "$(aslkit completion bash)"' >> ~/.bashrc
      echo 'eval "$(aslkit completion zsh)"' >> ~/.zshrc
      aslkit completion fish > ~/.config/fish/completions/aslkit.fish
    """
    found = get_completion_class(shell)
    assert found is not None
    script = found(ctx.find_root().command, {}, "aslkit", VARIABLE).source()
    click.echo(f"{script.rstrip()}\n\n# To have this in each new {shell}, type once:  {INSTALL[shell]}")
