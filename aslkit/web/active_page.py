"""Whose turn it is: of several pages one goes on, and none asks too often."""

import secrets
import time
from collections.abc import Callable
from typing import Any

from starlette.requests import Request

from aslkit.web.rate_limit import TokenBucket
from aslkit.web.request_limits import RequestRefused, read_image, read_json


class ActivePage:
    """Lets the page that joined last go on, and nobody too fast. May be used from several threads.

    Args:
        fps: frames a second that a page may send; a few more are let through.
        elsewhere: what a page is told whose place another has taken, or that joined a server of before.
        release: what it is told when all is over.
        clock: seconds since any moment.

    Attributes:
        page: the one that goes on; None before any has joined.
        finished: whether all is over.
    """

    def __init__(self, fps: float, *, elsewhere: str, over: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.page: str | None = None
        self.finished = False
        self._fps, self._elsewhere, self._over = fps, elsewhere, over
        self._frames = TokenBucket(1.2 * fps, max(4, 0.4 * fps), clock=clock)
        self._others = TokenBucket(20, 40, clock=clock)

    def claim(self) -> str:
        """Take in a page: from now on it is the one. Returns the name under which it has to send everything.

        Raises:
            Refusal: all is over.
        """
        if self.finished:
            raise self.release()
        self.page = secrets.token_urlsafe(12)
        return self.page

    def check(self, page: str | None) -> None:
        """Let only the page that joined last change anything.

        Raises:
            Refusal: it is another one (409), or all is over (410).
        """
        if self.finished:
            raise self.release()
        if page is None or page != self.page:
            why = "unknown" if self.page is None else "elsewhere"  # after a restart the server knows nobody
            raise RequestRefused(409, self._elsewhere, why=why)

    def slow_down(self, *, frames: bool = False) -> None:
        """Let nobody ask too often.

        Raises:
            Refusal: they come too fast.
        """
        if frames and not self._frames.take():
            raise RequestRefused(429, f"Too many frames. Send at most {self._fps:g} a second.")
        if not frames and not self._others.take():
            raise RequestRefused(429, "Too many requests. Wait a second.")

    async def values(self, request: Request) -> dict[str, Any]:
        """What the page sends with a request that changes something.

        Raises:
            Refusal: as `check` and `slow_down`, or it is too long, or no JSON.
        """
        values = await read_json(request)
        self.slow_down()
        self.check(request.headers.get("x-page"))
        return values

    async def picture(self, request: Request) -> bytes:
        """The frame that the page sends, encoded.

        Raises:
            Refusal: as `check` and `slow_down`, or it is too long, or no picture.
        """
        data = await read_image(request)
        self.check(request.headers.get("x-page"))
        self.slow_down(frames=True)
        return data

    def release(self) -> RequestRefused:
        """What is said when all is over."""
        return RequestRefused(410, self._over)
