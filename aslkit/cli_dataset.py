"""`aslkit dataset …`: look at a dataset, check it, share it."""

import click


@click.group()
def dataset() -> None:
    """Look at datasets, check them, merge and share them."""
