"""The option --licence."""

from typing import Any, Final

import click

from aslkit.core.errors import InputError
from aslkit.formats.licences import parse_licence


class LicenceType(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """A licence: an SPDX identifier, or "private"."""

    name = "licence"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the licence in its canonical spelling."""
        try:
            return parse_licence(str(value))
        except InputError as error:
            self.fail(error.message, param, ctx)


licence_option: Final = click.option(
    "--licence",
    type=LicenceType(),
    metavar="SPDX",
    help="Licence of all images of the signer: private, or an SPDX identifier such as CC-BY-4.0.",
)
