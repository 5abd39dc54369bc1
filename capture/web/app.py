"""HTTP routes of the recording page."""

from collections.abc import Callable
from typing import Final, TypeVar

import anyio.to_thread
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from aslkit.capture.web.controller import PageController, UploadedFrame
from aslkit.capture.web.thumbnails import frame_not_found, render_letter_png
from aslkit.web.access_control import AccessPolicy, Addresses
from aslkit.web.request_limits import RequestRefused, describe_disk_error, read_json
from aslkit.web.static_files import SHARED_FILES, exception_handlers, file_routes, read_number

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
    routes = _Routes(controller, on_finish)
    return Starlette(
        routes=[
            *file_routes(FILES),
            Route("/letters/{name}", _letter_image),
            Route("/state", routes.state),
            Route("/join", routes.join, methods=["POST"]),
            Route("/camera", routes.camera, methods=["POST"]),
            Route("/frames", routes.frame, methods=["POST"]),
            Route("/frames/{file:path}", routes.thumbnail),
            Route("/frames/{file:path}", routes.remove, methods=["DELETE"]),
            Route("/letter", routes.letter, methods=["POST"]),
            Route("/undo", routes.undo, methods=["POST"]),
            Route("/answer", routes.answer, methods=["POST"]),
            Route("/finish", routes.finish, methods=["POST"]),
        ],
        middleware=[Middleware(AccessPolicy, addresses=addresses)],
        exception_handlers=exception_handlers("Frames stored so far are safe."),
    )


class _Routes:
    """Request handlers that translate between HTTP and the controller."""

    def __init__(self, controller: PageController, on_finish: Callable[[], None]) -> None:
        self._controller, self._on_finish = controller, on_finish
        self._frame_limiter = anyio.CapacityLimiter(1)  # frames are measured one at a time

    async def state(self, request: Request) -> Response:
        return JSONResponse(self._controller.state())

    async def join(self, request: Request) -> Response:
        self._controller.active_page.check_rate()
        await read_json(request)
        return JSONResponse(self._controller.join())

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
            await self._run_in_thread(lambda: self._controller.process_frame(upload), self._frame_limiter)
        )

    async def thumbnail(self, request: Request) -> Response:
        file = request.path_params["file"]
        data = await self._run_in_thread(lambda: self._controller.thumbnail(file))
        return Response(data, media_type="image/jpeg")

    async def remove(self, request: Request) -> Response:
        self._controller.active_page.check_rate()
        self._controller.active_page.check(request.headers.get("x-page"))
        file = request.path_params["file"]
        return JSONResponse(await self._run_in_thread(lambda: self._controller.remove(file)))

    async def letter(self, request: Request) -> Response:
        values = await self._controller.active_page.read_values(request)
        letter, step = values.get("letter"), values.get("step")
        if isinstance(letter, str):
            return JSONResponse(await self._run_in_thread(lambda: self._controller.select_letter(letter)))
        if type(step) is int and step in (1, -1):
            return JSONResponse(await self._run_in_thread(lambda: self._controller.select_adjacent_letter(step)))
        raise RequestRefused(422, 'Send {"letter": "A"}, {"step": 1} or {"step": -1}.')

    async def undo(self, request: Request) -> Response:
        await self._controller.active_page.read_values(request)
        return JSONResponse(await self._run_in_thread(self._controller.undo))

    async def answer(self, request: Request) -> Response:
        confirmed = (await self._controller.active_page.read_values(request)).get("confirmed")
        if not isinstance(confirmed, bool):
            raise RequestRefused(422, 'Send {"confirmed": true} or {"confirmed": false}.')
        return JSONResponse(self._controller.answer_question(confirmed=confirmed))

    async def finish(self, request: Request) -> Response:
        await self._controller.active_page.read_values(request)
        summary = await self._run_in_thread(self._controller.finish)
        return JSONResponse(summary, background=BackgroundTask(self._on_finish))

    async def _run_in_thread(
        self, function: Callable[[], _Result], limiter: anyio.CapacityLimiter | None = None
    ) -> _Result:
        """Run a slow function in a thread, so that it does not block the event loop.

        Raises:
            RequestRefused: raised by the function; or a file is missing (404), or the disk is full (507).
        """
        try:
            return await anyio.to_thread.run_sync(function, limiter=limiter)
        except FileNotFoundError as error:
            raise frame_not_found() from error
        except OSError as error:
            self._controller.failure = error
            raise RequestRefused(507, describe_disk_error(error)) from error


async def _letter_image(request: Request) -> Response:
    data = await anyio.to_thread.run_sync(render_letter_png, request.path_params["name"])
    return Response(data, media_type="image/png", headers={"Cache-Control": "private, max-age=3600"})
