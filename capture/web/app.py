"""HTTP routes of the recording page."""

from collections.abc import Callable
from typing import Final, TypeVar

import anyio.to_thread
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from aslkit.capture.web.controller import PageController, UploadedFrame
from aslkit.capture.web.licence_question import choose_licence
from aslkit.capture.web.thumbnails import frame_not_found, render_letter_png
from aslkit.web.access_control import Addresses
from aslkit.web.page_app import PageRoutes, create_page_app
from aslkit.web.request_limits import RequestRefused, describe_disk_error
from aslkit.web.static_files import SHARED_FILES, read_number

FILES: Final = {
    "/": ("aslkit.capture.web", "page.html"),
    "/page.css": ("aslkit.capture.web", "page.css"),
    "/page.js": ("aslkit.capture.web", "page.js"),
    "/controls.js": ("aslkit.capture.web", "controls.js"),
    "/recording.js": ("aslkit.capture.web", "recording.js"),
    "/server.js": ("aslkit.capture.web", "server.js"),
    "/view.js": ("aslkit.capture.web", "view.js"),
    **SHARED_FILES,
}
"""URL path to package and file name."""

_MAX_NUMBER: Final = 10**9
_Result = TypeVar("_Result")


def create_app(
    controller: PageController, addresses: Addresses, *, on_finish: Callable[[], None] = lambda: None
) -> Starlette:
    """Create the ASGI application of the recording page.

    Args:
        controller: handles the requests.
        addresses: addresses under which the page can be opened.
        on_finish: called after the signer has finished and the summary has been sent.
    """
    page = _RecordingRoutes(controller, on_finish)
    return create_page_app(page, FILES, addresses, reassurance="Frames stored so far are safe.")


class _RecordingRoutes(PageRoutes):
    """Request handlers of the recording page."""

    def __init__(self, controller: PageController, on_finish: Callable[[], None]) -> None:
        super().__init__(controller, on_finish)
        self._controller = controller

    def routes(self) -> list[Route]:
        return [
            *super().routes(),
            Route("/letters/{name}", _letter_image),
            Route("/camera", self.camera, methods=["POST"]),
            Route("/frames", self.frame, methods=["POST"]),
            Route("/frames/{file:path}", self.thumbnail),
            Route("/frames/{file:path}", self.remove, methods=["DELETE"]),
            Route("/letter", self.letter, methods=["POST"]),
            Route("/undo", self.undo, methods=["POST"]),
            Route("/answer", self.answer, methods=["POST"]),
            Route("/licence", self.licence, methods=["POST"]),
        ]

    async def camera(self, request: Request) -> Response:
        values = await self._controller.active_page.read_values(request)
        self._controller.set_camera(values.get("label"), values.get("settings"))
        return JSONResponse(self._controller.state())

    async def frame(self, request: Request) -> Response:
        data = await self._controller.active_page.read_frame(request)
        query = request.query_params
        upload = UploadedFrame(
            data=data,
            keep=query.get("keep") == "1",
            revision=int(read_number(query.get("revision", "0"), "revision", _MAX_NUMBER)),
            burst=int(read_number(query.get("burst", "0"), "burst", _MAX_NUMBER)),
            taken_s=read_number(query.get("taken_s", "0"), "taken_s", _MAX_NUMBER),
        )
        return JSONResponse(
            await self.run_in_thread(lambda: self._controller.process_frame(upload), self._frame_limiter)
        )

    async def thumbnail(self, request: Request) -> Response:
        file = request.path_params["file"]
        data = await self.run_in_thread(lambda: self._controller.thumbnail(file))
        return Response(data, media_type="image/jpeg")

    async def remove(self, request: Request) -> Response:
        self._controller.active_page.check_rate()
        self._controller.active_page.check(request.headers.get("x-page"))
        file = request.path_params["file"]
        return JSONResponse(await self.run_in_thread(lambda: self._controller.remove(file)))

    async def letter(self, request: Request) -> Response:
        values = await self._controller.active_page.read_values(request)
        letter, step = values.get("letter"), values.get("step")
        if isinstance(letter, str):
            return JSONResponse(await self.run_in_thread(lambda: self._controller.select_letter(letter)))
        # Not isinstance: True is an int.
        if type(step) is int and step in (1, -1):
            return JSONResponse(await self.run_in_thread(lambda: self._controller.select_adjacent_letter(step)))
        raise RequestRefused(422, 'Send {"letter": "A"}, {"step": 1} or {"step": -1}.')

    async def undo(self, request: Request) -> Response:
        await self._controller.active_page.read_values(request)
        return JSONResponse(await self.run_in_thread(self._controller.undo))

    async def answer(self, request: Request) -> Response:
        confirmed = (await self._controller.active_page.read_values(request)).get("confirmed")
        if not isinstance(confirmed, bool):
            raise RequestRefused(422, 'Send {"confirmed": true} or {"confirmed": false}.')
        return JSONResponse(self._controller.answer_question(confirmed=confirmed))

    async def licence(self, request: Request) -> Response:
        licence = (await self._controller.active_page.read_values(request)).get("licence")
        await self.run_in_thread(lambda: choose_licence(self._controller.recording, licence))
        return JSONResponse(self._controller.state())

    async def run_in_thread(
        self, function: Callable[[], _Result], limiter: anyio.CapacityLimiter | None = None
    ) -> _Result:
        """Run a slow function in a thread, so that it does not block the event loop.

        Raises:
            RequestRefused: raised by the function; or a file is missing (404), or the disk is full (507).
        """
        try:
            return await super().run_in_thread(function, limiter)
        except FileNotFoundError as error:
            raise frame_not_found() from error
        except OSError as error:
            self._controller.failure = error
            raise RequestRefused(507, describe_disk_error(error)) from error


async def _letter_image(request: Request) -> Response:
    data = await anyio.to_thread.run_sync(render_letter_png, request.path_params["name"])
    return Response(data, media_type="image/png", headers={"Cache-Control": "private, max-age=3600"})
