"""Lets one of several open browser windows send frames, and limits how often it sends them."""

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from starlette.requests import Request

from aslkit.web.request_limits import RequestRefused, TokenBucket, read_image

IDLE_S: Final = 5.0
"""A page that has sent nothing for so long, because it is hidden or closed, is replaced without asking."""


class ActivePage:
    """Accepts requests of one page at a time, up to a rate limit. Thread-safe.

    Args:
        fps: frames per second that a page may send; short bursts may exceed it slightly.
        taken_over_message: error text for a page that is not the active one, or not since a restart of the server.
        clock: returns monotonic time in seconds.

    Attributes:
        page: identifier of the active page; None if there is none.
    """

    def __init__(self, fps: float, *, taken_over_message: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.page: str | None = None
        self._unconfirmed: str | None = None
        self._fps, self._taken_over_message, self._clock = fps, taken_over_message, clock
        self._last_request_s = -IDLE_S
        self._frame_limit = TokenBucket(1.2 * fps, max(4, 0.4 * fps), clock=clock)
        self._request_limit = TokenBucket(20, 40, clock=clock)

    def claim(self, page: str | None, *, take_over: bool) -> tuple[str, bool]:
        """Make a page the active one.

        Args:
            page: identifier that the page was given before, as after a reload; None if it is new.
            take_over: replace another active page.

        Returns:
            A new identifier that the page must send with every request, and whether it was the active page before.
            The identifier changes, so that of two tabs with the same one only the last is accepted.

        Raises:
            RequestRefused: another page is active (409).
        """
        self.check_rate()
        returning = page is not None and page in (self.page, self._unconfirmed)
        if not (returning or take_over or self.is_idle):
            raise RequestRefused(409, self._taken_over_message, why="elsewhere")
        # The response may get lost, for example if the page is just being reloaded. Until the new identifier is used,
        # the page may still return with its old one.
        self._unconfirmed = page if returning else None
        self.page = secrets.token_urlsafe(12)
        self._last_request_s = self._clock()
        return self.page, returning

    @contextmanager
    def claim_or_restore(self, page: str | None, *, take_over: bool) -> Iterator[tuple[str, bool]]:
        """Like `claim`, until the end of the block; if that raises, the page that was active before remains it."""
        before = self.page, self._unconfirmed
        claimed = self.claim(page, take_over=take_over)
        try:
            yield claimed
        except BaseException:
            self.page, self._unconfirmed = before
            raise

    @property
    def is_idle(self) -> bool:
        """Whether no page is active, or the active one has sent nothing for IDLE_S."""
        return self.page is None or self._clock() - self._last_request_s > IDLE_S

    def release(self) -> None:
        """Let the next page become the active one without asking."""
        self.page = None

    def check(self, page: str | None) -> None:
        """Check that a request comes from the active page.

        Raises:
            RequestRefused: it does not (409).
        """
        if page is None or page != self.page:
            why = "unknown" if self.page is None else "elsewhere"  # no page is known after a restart of the server
            raise RequestRefused(409, self._taken_over_message, why=why)
        self._unconfirmed = None
        self._last_request_s = self._clock()

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
