"""The option --labels."""

from typing import Any, Final

import click

from aslkit.core.errors import InputError


class LabelsType(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """NAME=LETTER, several of them separated by commas."""

    name = "labels"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Parse the value to what each name stands for."""
        from aslkit.formats.image_folders.class_names import parse_labels

        try:
            return parse_labels(str(value))
        except InputError as error:
            self.fail(error.message, param, ctx)


labels_option: Final = click.option(
    "--labels",
    type=LabelsType(),
    metavar="NAME=LETTER,…",
    help="Letters that other names of folders or classes stand for, such as 0=A,1=B,rest=none.",
)
