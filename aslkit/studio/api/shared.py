"""What the routes of several parts need."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Final

from fastapi import Header

from aslkit.studio.parts.recording import RecordingPart
from aslkit.web.request_limits import IMAGE_TYPES, RequestRefused, describe_disk_error

PageHeader = Annotated[str | None, Header(max_length=64, description="Identifier that the page was given.")]

FRAME_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in IMAGE_TYPES},
    },
    "parameters": [
        {"name": "X-Page", "in": "header", "required": True, "schema": {"type": "string", "maxLength": 64}},
    ],
}
"""OpenAPI description of a request that uploads a frame."""


@contextmanager
def disk_errors(part: RecordingPart) -> Iterator[None]:
    """Turn an error of the disk into a response, and remember it for the page.

    Raises:
        RequestRefused: the disk is full, for example (507).
    """
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        if part.signer is not None:
            part.controller.failure = error
        raise RequestRefused(507, describe_disk_error(error)) from error
