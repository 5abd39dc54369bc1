"""A page's files, and what it is told when something does not work out."""

import math
from collections.abc import Callable, Mapping
from functools import partial
from importlib import resources
from pathlib import PurePath
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from aslkit.web.access_control import HEADERS, refusal_response
from aslkit.web.request_limits import RequestRefused

SHARED: Final = {
    f"/{name}": ("aslkit.web", name) for name in ("base.css", "camera.js", "asking.js", "hand.js", "notice.js")
}
"""Path to package and file, of what several pages have."""

_KINDS: Final = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}

_ICON: Final = (
    "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'><rect width='32' height='32' rx='8' fill='#0b6e6e'/>"
    "<circle cx='16' cy='16' r='7' fill='#fff'/></svg>"
)


def file_routes(paths: Mapping[str, tuple[str, str]]) -> list[Route]:
    """A route for each path, given its package and file; and one for the icon."""
    return [Route("/icon.svg", _icon), *(Route(path, partial(_file, *where)) for path, where in paths.items())]


def exception_handlers(safe: str) -> dict[Any, Callable[[Request, Exception], Any]]:
    """Exception handlers for Starlette: each says in words what was wrong.

    Args:
        safe: what a user is told of their work when aslkit itself fails.
    """
    return {RequestRefused: _refused, HTTPException: _unknown, Exception: partial(_broken, safe)}


def read_number(text: str, name: str, at_most: float) -> float:
    """Read a number of a query, 0 to `at_most`.

    Raises:
        Refusal: it is none.
    """
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= at_most:
        raise RequestRefused(422, f"{name} must be a number from 0 to {at_most:,.0f}.")
    return value


async def _file(package: str, name: str, request: Request) -> Response:
    text = resources.files(package).joinpath(name).read_text(encoding="utf-8")
    return Response(text, media_type=_KINDS[PurePath(name).suffix])


async def _icon(request: Request) -> Response:
    return Response(_ICON, media_type="image/svg+xml")


async def _refused(request: Request, refusal: Exception) -> Response:
    assert isinstance(refusal, RequestRefused)
    return refusal_response(refusal)


async def _unknown(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    words = {404: "There is nothing at this address.", 405: "This address does not take that method."}
    return JSONResponse({"error": words.get(error.status_code, error.detail)}, error.status_code, error.headers)


async def _broken(safe: str, request: Request, error: Exception) -> Response:
    words = f"Something went wrong in aslkit; the terminal has the details. {safe}"
    return JSONResponse({"error": words}, 500, HEADERS)
