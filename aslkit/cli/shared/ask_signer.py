"""Asks in the terminal who signs, and who may use the images."""

import sys
from typing import Any

import click

from aslkit.capture.signers import LICENCE_CHOICES, LICENCE_QUESTION, licence_note
from aslkit.cli.shared.licence_option import LicenceType
from aslkit.core.errors import InputError
from aslkit.core.workspace import Workspace, validate_signer
from aslkit.formats.signers import SignerDetails, load_signer


class _NumberedLicenceType(LicenceType):
    """A licence, or its number in `LICENCE_CHOICES`."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        numbers = {str(number): choice.licence for number, choice in enumerate(LICENCE_CHOICES, 1)}
        return numbers.get(str(value).strip()) or super().convert(value, param, ctx)


def state_details(workspace: Workspace, signer: str, *, licence: str | None, consent: str | None) -> SignerDetails:
    """Return the stored details of a signer, changed by the options --licence and --consent.

    States on standard error if this changes the licence of earlier images.
    """
    stored = load_signer(workspace, signer)
    if licence and stored.licence and licence != stored.licence:
        click.echo(f"The licence of all images of {signer} changes from {stored.licence} to {licence}.", err=True)
    return stored.state(licence=licence, consent=consent)


def note_private(*signers: str) -> None:
    """State on standard error that the images are private because nobody could be asked."""
    click.echo(
        f"The images of {', '.join(signers)} are private: only {signers[0] if len(signers) == 1 else 'each signer'} "
        "may use them. If others may, too, state a licence, such as --licence CC-BY-4.0.",
        err=True,
    )


def can_prompt() -> bool:
    """Return whether the user can answer questions in the terminal."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def ask_name(workspace: Workspace) -> str:
    """Ask for the name of the signer, until it is valid."""

    def parse(text: str) -> str:
        try:
            name = validate_signer(text.strip(), synthetic=False)
            load_signer(workspace, name)
        except InputError as error:
            raise click.BadParameter(error.message) from error
        return name

    return str(click.prompt("Who is signing? Name or nickname", value_proc=parse, err=True))


def ask_licence(signer: str, *, proposed: str) -> str:
    """Ask the signer who may use the images.

    Args:
        signer: name of the signer.
        proposed: licence that Return selects.
    """
    click.echo(f"{LICENCE_QUESTION} {licence_note(signer)}", err=True)
    for number, choice in enumerate(LICENCE_CHOICES, 1):
        click.echo(f"  {number}  {choice.title:<13} {choice.permits}", err=True)
    default = next((str(n) for n, choice in enumerate(LICENCE_CHOICES, 1) if choice.licence == proposed), proposed)
    question = "Number, or another identifier of https://spdx.org/licenses/"
    return str(click.prompt(question, default=default, type=_NumberedLicenceType(), err=True))
