"""HTTP routes of the live page."""

from collections.abc import Callable
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from aslkit.live.web.controller import PageController
from aslkit.web.access_control import Addresses
from aslkit.web.page_app import PageRoutes, create_page_app
from aslkit.web.static_files import SHARED_FILES

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
    return create_page_app(_LiveRoutes(controller, on_finish), FILES, addresses, reassurance="Try again.")


class _LiveRoutes(PageRoutes):
    """Request handlers of the live page."""

    def __init__(self, controller: PageController, on_finish: Callable[[], None]) -> None:
        super().__init__(controller, on_finish)
        self._controller = controller

    def routes(self) -> list[Route]:
        return [
            *super().routes(),
            Route("/frames", self.frame, methods=["POST"]),
            Route("/keys", self.key, methods=["POST"]),
        ]

    async def frame(self, request: Request) -> Response:
        data = await self._controller.active_page.read_frame(request)
        reading = await self.run_in_thread(lambda: self._controller.process_frame(data), self._frame_limiter)
        return JSONResponse(reading)

    async def key(self, request: Request) -> Response:
        values = await self._controller.active_page.read_values(request)
        return JSONResponse(self._controller.press_key(values.get("key")))
