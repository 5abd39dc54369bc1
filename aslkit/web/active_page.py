"""Lets one of several open browser windows send frames, and limits how often it sends them."""

import secrets
import time
from collections.abc import Callable
from typing import Any

from starlette.requests import Request

from aslkit.web.request_limits import RequestRefused, TokenBucket, read_image, read_json


class ActivePage:
    """Accepts requests of the page that joined last, up to a rate limit. Thread-safe.

    Args:
        fps: frames per second that a page may send; short bursts may exceed it slightly.
        taken_over_message: error text for a page that is no longer the active one, or that joined before a restart.
        finished_message: error text after the session has finished.
        clock: returns monotonic time in seconds.

    Attributes:
        page: identifier of the active page; None before the first page has joined.
        finished: whether the session has finished.
    """

    def __init__(
        self,
        fps: float,
        *,
        taken_over_message: str,
        finished_message: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.page: str | None = None
        self.finished = False
        self._fps, self._taken_over_message, self._finished_message = fps, taken_over_message, finished_message
        self._frame_limit = TokenBucket(1.2 * fps, max(4, 0.4 * fps), clock=clock)
        self._request_limit = TokenBucket(20, 40, clock=clock)

    def claim(self) -> str:
        """Make a new page the active one, and return the identifier that it must send with every request.

        Raises:
            RequestRefused: the session has finished.
        """
        if self.finished:
            raise self.finished_error()
        self.page = secrets.token_urlsafe(12)
        return self.page

    def check(self, page: str | None) -> None:
        """Check that a request comes from the active page.

        Raises:
            RequestRefused: another page is active (409), or the session has finished (410).
        """
        if self.finished:
            raise self.finished_error()
        if page is None or page != self.page:
            why = "unknown" if self.page is None else "elsewhere"  # no page is known after a restart of the server
            raise RequestRefused(409, self._taken_over_message, why=why)

    def check_rate(self, *, frames: bool = False) -> None:
        """Count a request against the rate limit.

        Args:
            frames: whether the request uploads a frame, which has a limit of its own.

        Raises:
            RequestRefused: the limit is exceeded (429).
        """
        if frames and not self._frame_limit.take():
            raise RequestRefused(429, f"Too many frames. Send at most {self._fps:g} per second.")
        if not frames and not self._request_limit.take():
            raise RequestRefused(429, "Too many requests. Try again in a second.")

    async def read_values(self, request: Request) -> dict[str, Any]:
        """Read the JSON body of a request of the active page.

        Raises:
            RequestRefused: see `check`, `check_rate` and `aslkit.web.request_limits.read_json`.
        """
        values = await read_json(request)
        self.check_rate()
        self.check(request.headers.get("x-page"))
        return values

    async def read_frame(self, request: Request) -> bytes:
        """Read the encoded image that the active page uploads.

        Raises:
            RequestRefused: see `check`, `check_rate` and `aslkit.web.request_limits.read_image`.
        """
        data = await read_image(request)
        self.check(request.headers.get("x-page"))
        # After `check`: frames of a page that was taken over must not use up the limit of the active page.
        self.check_rate(frames=True)
        return data

    def finished_error(self) -> RequestRefused:
        """Return the error for requests after the session has finished."""
        return RequestRefused(410, self._finished_message)
