"""The recorder's addresses: what of the desk is asked under which one."""

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
from aslkit.web.static_files import SHARED, exception_handlers, file_routes, read_number

FILES: Final = {
    "/": ("aslkit.capture.web", "page.html"),
    "/page.css": ("aslkit.capture.web", "page.css"),
    "/page.js": ("aslkit.capture.web", "page.js"),
    "/controls.js": ("aslkit.capture.web", "controls.js"),
    "/recording.js": ("aslkit.capture.web", "recording.js"),
    "/server.js": ("aslkit.capture.web", "server.js"),
    "/view.js": ("aslkit.capture.web", "view.js"),
    **SHARED,
}
"""Path to package and file."""

_LARGEST: Final = 10**9
_Value = TypeVar("_Value")


def create_app(
    desk: PageController, addresses: Addresses, *, on_finish: Callable[[], None] = lambda: None
) -> Starlette:
    """The recorder around one desk.

    Args:
        desk: what is asked.
        addresses: where it is reached, and by whom.
        on_finish: called when the signer has finished and has been told the balance.
    """
    asked = _Asked(desk, on_finish)
    routes = [
        *file_routes(FILES),
        Route("/letters/{name}", _letter_picture),
        Route("/state", asked.state),
        Route("/join", asked.join, methods=["POST"]),
        Route("/camera", asked.camera, methods=["POST"]),
        Route("/frames", asked.frame, methods=["POST"]),
        Route("/frames/{file:path}", asked.thumbnail),
        Route("/frames/{file:path}", asked.remove, methods=["DELETE"]),
        Route("/letter", asked.letter, methods=["POST"]),
        Route("/undo", asked.undo, methods=["POST"]),
        Route("/answer", asked.answer, methods=["POST"]),
        Route("/finish", asked.finish, methods=["POST"]),
    ]
    return Starlette(
        routes=routes,
        middleware=[Middleware(AccessPolicy, addresses=addresses)],
        exception_handlers=exception_handlers("What was stored is safe."),
    )


class _Asked:
    """The desk's answers to requests."""

    def __init__(self, desk: PageController, on_finish: Callable[[], None]) -> None:
        self._desk, self._on_finish = desk, on_finish
        self._looking = anyio.CapacityLimiter(1)

    async def state(self, request: Request) -> Response:
        return JSONResponse(self._desk.state())

    async def join(self, request: Request) -> Response:
        self._desk.turns.slow_down()
        await read_json(request)
        return JSONResponse(self._desk.join())

    async def camera(self, request: Request) -> Response:
        values = await self._desk.turns.values(request)
        self._desk.use_camera(values.get("label"), values.get("settings"))
        return JSONResponse(self._desk.state())

    async def frame(self, request: Request) -> Response:
        data = await self._desk.turns.picture(request)
        query = request.query_params
        sent = UploadedFrame(
            data=data,
            keep=query.get("keep") == "1",
            turn=int(read_number(query.get("turn", "0"), "turn", _LARGEST)),
            burst=int(read_number(query.get("burst", "0"), "burst", _LARGEST)),
            taken_s=read_number(query.get("taken_s", "0"), "taken_s", _LARGEST),
        )
        return JSONResponse(await self._off_the_loop(lambda: self._desk.frame(sent), self._looking))

    async def thumbnail(self, request: Request) -> Response:
        file = request.path_params["file"]
        data = await self._off_the_loop(lambda: self._desk.thumbnail(file))
        return Response(data, media_type="image/jpeg")

    async def remove(self, request: Request) -> Response:
        self._desk.turns.slow_down()
        self._desk.turns.check(request.headers.get("x-page"))
        file = request.path_params["file"]
        return JSONResponse(await self._off_the_loop(lambda: self._desk.remove(file)))

    async def letter(self, request: Request) -> Response:
        values = await self._desk.turns.values(request)
        letter, step = values.get("letter"), values.get("step")
        if isinstance(letter, str):
            return JSONResponse(await self._off_the_loop(lambda: self._desk.choose(letter)))
        if type(step) is int and step in (1, -1):
            return JSONResponse(await self._off_the_loop(lambda: self._desk.step(step)))
        raise RequestRefused(422, 'Send {"letter": "A"}, {"step": 1} or {"step": -1}.')

    async def undo(self, request: Request) -> Response:
        await self._desk.turns.values(request)
        return JSONResponse(await self._off_the_loop(self._desk.undo))

    async def answer(self, request: Request) -> Response:
        is_so = (await self._desk.turns.values(request)).get("is_so")
        if not isinstance(is_so, bool):
            raise RequestRefused(422, 'Send {"is_so": true} or {"is_so": false}.')
        return JSONResponse(self._desk.answer(is_so=is_so))

    async def finish(self, request: Request) -> Response:
        await self._desk.turns.values(request)
        balance = await self._off_the_loop(self._desk.finish)
        return JSONResponse(balance, background=BackgroundTask(self._on_finish))

    async def _off_the_loop(self, work: Callable[[], _Value], limiter: anyio.CapacityLimiter | None = None) -> _Value:
        """Do what may take time in another thread.

        Raises:
            Refusal: as `work`; or its file is gone, or the disk takes no more.
        """
        try:
            return await anyio.to_thread.run_sync(work, limiter=limiter)
        except FileNotFoundError as error:
            raise frame_not_found() from error
        except OSError as error:
            self._desk.failure = error
            raise RequestRefused(507, describe_disk_error(error)) from error


async def _letter_picture(request: Request) -> Response:
    data = await anyio.to_thread.run_sync(render_letter_png, request.path_params["name"])
    return Response(data, media_type="image/png", headers={"Cache-Control": "private, max-age=3600"})
