"""HTTP routes of the live page."""

from collections.abc import Callable
from typing import Final

import anyio.to_thread
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from aslkit.live.web.controller import PageController
from aslkit.web.access_control import AccessPolicy, Addresses
from aslkit.web.request_limits import read_json
from aslkit.web.static_files import SHARED_FILES, exception_handlers, file_routes

FILES: Final = {
    "/": ("aslkit.live.web", "page.html"),
    "/page.css": ("aslkit.live.web", "page.css"),
    "/page.js": ("aslkit.live.web", "page.js"),
    **SHARED_FILES,
}
"""URL path to package and file name."""


def create_app(
    controller: PageController, addresses: Addresses, *, on_finish: Callable[[], None] = lambda: None
) -> Starlette:
    """Create the ASGI application of the live page.

    Args:
        controller: handles the requests.
        addresses: addresses under which the page can be opened.
        on_finish: called after the user has finished and the text has been sent.
    """
    routes = _Routes(controller, on_finish)
    return Starlette(
        routes=[
            *file_routes(FILES),
            Route("/state", routes.state),
            Route("/join", routes.join, methods=["POST"]),
            Route("/frames", routes.frame, methods=["POST"]),
            Route("/keys", routes.key, methods=["POST"]),
            Route("/finish", routes.finish, methods=["POST"]),
        ],
        middleware=[Middleware(AccessPolicy, addresses=addresses)],
        exception_handlers=exception_handlers("Try again."),
    )


class _Routes:
    """Request handlers that translate between HTTP and the controller."""

    def __init__(self, controller: PageController, on_finish: Callable[[], None]) -> None:
        self._controller, self._on_finish = controller, on_finish
        self._frame_limiter = anyio.CapacityLimiter(1)  # frames are recognised one at a time

    async def state(self, request: Request) -> Response:
        return JSONResponse(self._controller.state())

    async def join(self, request: Request) -> Response:
        self._controller.active_page.check_rate()
        await read_json(request)
        return JSONResponse(self._controller.join())

    async def frame(self, request: Request) -> Response:
        data = await self._controller.active_page.read_frame(request)
        # Recognition takes too long for the event loop.
        reading = await anyio.to_thread.run_sync(self._controller.process_frame, data, limiter=self._frame_limiter)
        return JSONResponse(reading)

    async def key(self, request: Request) -> Response:
        values = await self._controller.active_page.read_values(request)
        return JSONResponse(self._controller.press_key(values.get("key")))

    async def finish(self, request: Request) -> Response:
        await self._controller.active_page.read_values(request)
        return JSONResponse(self._controller.finish(), background=BackgroundTask(self._on_finish))
