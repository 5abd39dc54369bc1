"""The ASGI application of a page: its files, the routes that all pages have, access control and error messages."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

import anyio.to_thread
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from aslkit.web.access_control import AccessPolicy, Addresses
from aslkit.web.active_page import ActivePage
from aslkit.web.request_limits import read_json
from aslkit.web.static_files import exception_handlers, file_routes

_Result = TypeVar("_Result")


class Controller(Protocol):
    """Handles the requests that all pages send. Returned values must be JSON."""

    @property
    def active_page(self) -> ActivePage:
        """The page that may send requests."""

    def state(self) -> dict[str, Any]:
        """Return what a page needs to start."""

    def join(self) -> dict[str, Any]:
        """Make a new page the active one."""

    def finish(self) -> dict[str, Any]:
        """End the session, and return its summary."""


class PageRoutes:
    """Request handlers that translate between HTTP and a controller. Subclasses add routes.

    Args:
        controller: handles the requests.
        on_finish: called after the user has finished and the summary has been sent.
    """

    def __init__(self, controller: Controller, on_finish: Callable[[], None]) -> None:
        self._page, self._on_finish = controller, on_finish
        self._frame_limiter = anyio.CapacityLimiter(1)  # frames are processed one at a time

    def routes(self) -> list[Route]:
        """Return the routes of the page."""
        return [
            Route("/state", self.state),
            Route("/join", self.join, methods=["POST"]),
            Route("/finish", self.finish, methods=["POST"]),
        ]

    async def state(self, request: Request) -> Response:
        """GET /state."""
        return JSONResponse(self._page.state())

    async def join(self, request: Request) -> Response:
        """POST /join."""
        self._page.active_page.check_rate()
        await read_json(request)
        return JSONResponse(self._page.join())

    async def finish(self, request: Request) -> Response:
        """POST /finish."""
        await self._page.active_page.read_values(request)
        summary = await self.run_in_thread(self._page.finish)
        # In the background, because the server would otherwise stop before the summary is sent.
        return JSONResponse(summary, background=BackgroundTask(self._on_finish))

    async def run_in_thread(
        self, function: Callable[[], _Result], limiter: anyio.CapacityLimiter | None = None
    ) -> _Result:
        """Run a slow function in a thread, so that it does not block the event loop."""
        return await anyio.to_thread.run_sync(function, limiter=limiter)


def create_page_app(
    page: PageRoutes, files: Mapping[str, tuple[str, str]], addresses: Addresses, *, reassurance: str
) -> Starlette:
    """Create the ASGI application of a page.

    Args:
        page: handles the requests.
        files: URL path to package and file name, see `file_routes`.
        addresses: addresses under which the page can be opened.
        reassurance: appended to the message of an internal error, such as whether the user's work is safe.
    """
    return Starlette(
        routes=[*file_routes(files), *page.routes()],
        middleware=[Middleware(AccessPolicy, addresses=addresses)],
        exception_handlers=exception_handlers(reassurance),
    )
