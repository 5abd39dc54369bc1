"""How much a page may ask at once: what does not fit is refused with words, and nothing is read to its end for it."""

import json
from typing import Any, Final

import anyio
from starlette.requests import ClientDisconnect, Request

from aslkit.vision.images import Frame, ImageError, decode_image, read_header

MAX_FRAME_BYTES: Final = 4_000_000
"""A frame of MAX_PIXELS as JPEG at quality 95 takes about 1.5 million."""

MAX_JSON_BYTES: Final = 16_384

MAX_PIXELS: Final = 1920 * 1200

MAX_QUERY_CHARS: Final = 1024

BODY_S: Final = 15.0
"""After so long, a body must be there; one that drips in byte by byte holds nothing up."""

IMAGE_TYPES: Final = {"image/jpeg": "JPEG", "image/png": "PNG"}


class RequestRefused(Exception):
    """The page asked for something it does not get.

    Args:
        status: HTTP's word for it, 400–599.
        message: what was wrong and what to do.
        more: other values of the answer.
    """

    def __init__(self, status: int, message: str, **more: object) -> None:
        super().__init__(message)
        self.status, self.message, self.more = status, message, more


async def read_body(request: Request, at_most: int) -> bytes:
    """Read a request's body.

    Args:
        request: whose body has not been read.
        at_most: bytes.

    Raises:
        Refusal: it is larger, or takes longer than BODY_S.
    """
    stated = request.headers.get("content-length", "0")
    if not stated.isdecimal() or int(stated[:20]) > at_most:
        raise _too_large(at_most)
    data = bytearray()
    try:
        with anyio.fail_after(BODY_S):
            async for chunk in request.stream():
                data += chunk
                if len(data) > at_most:
                    raise _too_large(at_most)
    except TimeoutError as error:
        raise RequestRefused(
            408, f"The request took longer than {BODY_S:g} seconds. Try again on a faster network."
        ) from error
    except ClientDisconnect as error:
        raise RequestRefused(400, "The request ended before its end.") from error
    return bytes(data)


def _too_large(at_most: int) -> RequestRefused:
    return RequestRefused(413, f"The request is too large. Send at most {at_most:,} bytes.")


async def read_json(request: Request) -> dict[str, Any]:
    """Read a request's body as a JSON object.

    Raises:
        Refusal: as `read_body`; or it is none.
    """
    if _content_type(request) != "application/json":
        raise RequestRefused(415, "Send JSON, with the content type application/json.")
    try:
        values = json.loads(await read_body(request, MAX_JSON_BYTES))
    except (ValueError, RecursionError) as error:
        raise RequestRefused(400, "The request is not JSON.") from error
    if not isinstance(values, dict):
        raise RequestRefused(400, "The request must be a JSON object.")
    return values


async def read_image(request: Request) -> bytes:
    """Read a request's body as an encoded picture, not decoded yet.

    Raises:
        Refusal: as `read_body`; or its content type is none of PICTURES, or not what the data is.
    """
    kind = IMAGE_TYPES.get(_content_type(request))
    if kind is None:
        raise RequestRefused(415, f"Send a picture with one of the content types {', '.join(IMAGE_TYPES)}.")
    data = await read_body(request, MAX_FRAME_BYTES)
    try:
        header = read_header(data)
    except ImageError as error:
        raise RequestRefused(422, f"This is no picture that can be recorded: {error.message}.") from error
    if header.format != kind:
        raise RequestRefused(
            415, f"The picture is {header.format}, and its content type says {kind}. Send what it says."
        )
    if header.width * header.height > MAX_PIXELS:
        raise RequestRefused(
            413,
            f"The picture has {header.width}×{header.height} pixels, which is too large. "
            f"Send at most {MAX_PIXELS:,} pixels, such as 1280×720.",
        )
    return data


def decode_upload(data: bytes) -> Frame:
    """Decode what `read_image` read.

    Raises:
        Refusal: it is damaged.
    """
    try:
        return decode_image(data)
    except ImageError as error:
        raise RequestRefused(422, f"The picture cannot be read: {error.message}.") from error


def _content_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def describe_disk_error(error: OSError) -> str:
    """What a user is told when the disk takes no more."""
    return (
        f"The disk takes no more frames ({error.strerror or error}). What was stored is safe. "
        "Finish, make room, and start aslkit capture again."
    )
