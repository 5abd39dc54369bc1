"""`python -m aslkit`."""

from aslkit.cli.main import main

main(prog_name="aslkit")
