"""The page's addresses: what of the desk is asked under which one."""

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
"""Path to package and file."""


def create_app(
    desk: PageController, addresses: Addresses, *, on_finish: Callable[[], None] = lambda: None
) -> Starlette:
    """The page around one desk.

    Args:
        desk: what is asked.
        addresses: where it is reached, and by whom.
        on_finish: called when the user has finished and has been told the text.
    """
    asked = _Asked(desk, on_finish)
    routes = [
        *file_routes(FILES),
        Route("/state", asked.state),
        Route("/join", asked.join, methods=["POST"]),
        Route("/frames", asked.frame, methods=["POST"]),
        Route("/keys", asked.press, methods=["POST"]),
        Route("/finish", asked.finish, methods=["POST"]),
    ]
    return Starlette(
        routes=routes,
        middleware=[Middleware(AccessPolicy, addresses=addresses)],
        exception_handlers=exception_handlers("Try again."),
    )


class _Asked:
    """The desk's answers to requests."""

    def __init__(self, desk: PageController, on_finish: Callable[[], None]) -> None:
        self._desk, self._on_finish = desk, on_finish
        self._looking = anyio.CapacityLimiter(1)

    async def state(self, request: Request) -> Response:
        return JSONResponse(self._desk.state())

    async def join(self, request: Request) -> Response:
        self._desk.turns.check_rate()
        await read_json(request)
        return JSONResponse(self._desk.join())

    async def frame(self, request: Request) -> Response:
        data = await self._desk.turns.read_frame(request)
        return JSONResponse(await anyio.to_thread.run_sync(self._desk.frame, data, limiter=self._looking))

    async def press(self, request: Request) -> Response:
        return JSONResponse(self._desk.press((await self._desk.turns.read_values(request)).get("key")))

    async def finish(self, request: Request) -> Response:
        await self._desk.turns.read_values(request)
        return JSONResponse(self._desk.finish(), background=BackgroundTask(self._on_finish))
