"""Limits on the size, duration and rate of a page's requests, and the measured frame rate."""

import time
from collections import deque
from collections.abc import Callable
from typing import Final

import anyio
import numpy as np
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message, Receive

from aslkit.vision.images import Frame, ImageError, decode_image, read_header

MAX_FRAME_BYTES: Final = 4_000_000
"""An image of MAX_PIXELS takes about 1.5 MB as JPEG at quality 95."""

MAX_JSON_BYTES: Final = 2_000_000
"""The keys of 14,448 frames, to be reviewed together, have 1 MB."""

MAX_PIXELS: Final = 1920 * 1200

MAX_QUERY_CHARS: Final = 1024

BODY_TIMEOUT_S: Final = 15.0
"""Time limit for receiving a request body, so that a client that sends it byte by byte cannot occupy the server."""

MAX_GAP_S: Final = 1.0
"""A longer gap between two frames is a pause, and is ignored when the frame rate is measured."""

IMAGE_TYPES: Final = {"image/jpeg": "JPEG", "image/png": "PNG"}
"""Content type to image format."""

_MAX_GAPS: Final = 20_000


class RequestRefused(HTTPException):
    """A request that is answered with an error.

    Args:
        status: HTTP status code, 400–599.
        message: what is wrong, and what to do.
        details: further keys of the JSON response.
    """

    def __init__(self, status: int, message: str, **details: object) -> None:
        super().__init__(status, message)
        self.message, self.details = message, details


class TokenBucket:
    """Rate limiter that allows short bursts.

    Args:
        rate: events per second.
        capacity: maximum number of events in a burst.
        clock: returns monotonic time in seconds.
    """

    def __init__(self, rate: float, capacity: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._capacity, self._clock = rate, capacity, clock
        self._tokens, self._updated_s = capacity, clock()

    def take(self) -> bool:
        """Take one token; return False if none is left."""
        now = self._clock()
        self._tokens = min(self._capacity, self._tokens + (now - self._updated_s) * self._rate)
        self._updated_s = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class FrameRateMeter:
    """Measures the rate of incoming frames.

    Args:
        clock: returns monotonic time in seconds.

    Attributes:
        frames: number of frames counted.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.frames = 0
        self._clock = clock
        self._last_s: float | None = None
        self._gaps_s: deque[float] = deque(maxlen=_MAX_GAPS)

    def count(self) -> None:
        """Count a frame that has arrived now."""
        now = self._clock()
        if self._last_s is not None and now - self._last_s < MAX_GAP_S:
            self._gaps_s.append(now - self._last_s)
        self._last_s = now
        self.frames += 1

    def fps(self, percentile: float) -> float | None:
        """Return the frame rate at a percentile of the gaps between frames; None if no gap was measured.

        Args:
            percentile: 0–100. At 95, the result is the frame rate that 95 % of the gaps reach.
        """
        return 1 / max(float(np.percentile(self._gaps_s, percentile)), 1e-6) if self._gaps_s else None


def _too_large(max_bytes: int) -> RequestRefused:
    return RequestRefused(413, f"The request is too large. Send at most {max_bytes:,} bytes.")


def limit_body(receive: Receive, headers: Headers) -> Receive:
    """Return a function that receives the body of a request like `receive`, within limits.

    It raises RequestRefused if the body is larger than MAX_JSON_BYTES, or MAX_FRAME_BYTES for an image, or takes longer
    than BODY_TIMEOUT_S.
    """
    max_bytes = MAX_FRAME_BYTES if headers.get("content-type", "").startswith("image/") else MAX_JSON_BYTES
    declared = headers.get("content-length", "0")
    received, complete, deadline_s = 0, False, anyio.current_time() + BODY_TIMEOUT_S

    async def receive_limited() -> Message:
        nonlocal received, complete
        if complete:  # only the end of the connection can follow, at any time
            return await receive()
        # Twenty digits suffice, and Python refuses to convert numbers of more than 4,300.
        if not declared.isdecimal() or int(declared[:20]) > max_bytes:
            raise _too_large(max_bytes)
        try:
            with anyio.fail_after(max(0.0, deadline_s - anyio.current_time())):
                message = await receive()
        except TimeoutError as error:
            raise RequestRefused(
                408, f"The request took longer than {BODY_TIMEOUT_S:g} seconds. Try again on a faster network."
            ) from error
        received += len(message.get("body", b""))
        complete = not message.get("more_body", False)
        # Again, because a request in chunks declares no length.
        if received > max_bytes:
            raise _too_large(max_bytes)
        return message

    return receive_limited


async def read_image(request: Request) -> bytes:
    """Read the body of a request as an encoded image, without decoding the pixels.

    Raises:
        RequestRefused: the body is incomplete, not an image of one of IMAGE_TYPES with at most MAX_PIXELS, or of
            another format than the content type.
    """
    expected = IMAGE_TYPES.get(_content_type(request))
    if expected is None:
        raise RequestRefused(415, f"Send an image with one of the content types {', '.join(IMAGE_TYPES)}.")
    # Then only the header is read: a small file can claim to have billions of pixels.
    try:
        data = await request.body()
    except ClientDisconnect as error:
        raise RequestRefused(400, "The connection closed before the request was complete.") from error
    try:
        header = read_header(data)
    except ImageError as error:
        raise RequestRefused(422, f"This image cannot be recorded: {error.message}.") from error
    if header.format != expected:
        raise RequestRefused(
            415, f"The image is {header.format}, but its content type is {expected}. Send the matching content type."
        )
    if header.width * header.height > MAX_PIXELS:
        raise RequestRefused(
            413,
            f"The image is too large: {header.width}×{header.height} pixels. "
            f"Send at most {MAX_PIXELS:,} pixels, such as 1280×720.",
        )
    return data


def decode_upload(data: bytes) -> Frame:
    """Decode an image returned by `read_image`: BGR, uint8 (height, width, 3).

    Raises:
        RequestRefused: the image is damaged.
    """
    try:
        return decode_image(data)
    except ImageError as error:
        raise RequestRefused(422, f"The image cannot be decoded: {error.message}.") from error


def _content_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def describe_disk_error(error: OSError) -> str:
    """Return the message that a page shows when frames cannot be written."""
    return (
        f"Frames cannot be written to the disk ({error.strerror or error}). Frames stored so far are safe. "
        "Free some disk space, and record again."
    )
