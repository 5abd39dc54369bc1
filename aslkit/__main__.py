"""`python -m aslkit`."""

from aslkit.cli import main

main(prog_name="aslkit")
