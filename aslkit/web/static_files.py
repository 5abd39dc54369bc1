"""Routes for the static files of a page, and JSON responses for errors."""

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

from aslkit.web.access_control import SECURITY_HEADERS, refusal_response
from aslkit.web.request_limits import RequestRefused

SHARED_FILES: Final = {
    f"/{name}": ("aslkit.web", name) for name in ("base.css", "camera.js", "api_client.js", "hand.js", "notice.js")
}
"""URL path to package and file name, for the files that all pages use."""

_MEDIA_TYPES: Final = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}

_ICON: Final = (
    "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'><rect width='32' height='32' rx='8' fill='#0b6e6e'/>"
    "<circle cx='16' cy='16' r='7' fill='#fff'/></svg>"
)


def file_routes(files: Mapping[str, tuple[str, str]]) -> list[Route]:
    """Create routes for static files and the icon.

    Args:
        files: URL path to package and file name.
    """
    return [
        Route("/icon.svg", _send_icon),
        *(Route(path, partial(_send_file, *location)) for path, location in files.items()),
    ]


def exception_handlers(reassurance: str) -> dict[Any, Callable[[Request, Exception], Any]]:
    """Create exception handlers for Starlette that respond with a JSON error message.

    Args:
        reassurance: appended to the message of an internal error, such as whether the user's work is safe.
    """
    return {
        RequestRefused: _handle_refusal,
        HTTPException: _handle_http_error,
        Exception: partial(_handle_internal_error, reassurance),
    }


def read_number(text: str, name: str, max_value: float) -> float:
    """Parse a number in a query string.

    Args:
        text: the value.
        name: the parameter, for the error message.
        max_value: the largest allowed value; the smallest is 0.

    Raises:
        RequestRefused: the value is not a number in this range.
    """
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    # NaN fails this comparison, also if the client sends "nan".
    if not 0 <= value <= max_value:
        raise RequestRefused(422, f"{name} must be a number from 0 to {max_value:,.0f}.")
    return value


async def _send_file(package: str, name: str, request: Request) -> Response:
    text = resources.files(package).joinpath(name).read_text(encoding="utf-8")
    return Response(text, media_type=_MEDIA_TYPES[PurePath(name).suffix])


async def _send_icon(request: Request) -> Response:
    return Response(_ICON, media_type="image/svg+xml")


async def _handle_refusal(request: Request, refusal: Exception) -> Response:
    assert isinstance(refusal, RequestRefused)
    return refusal_response(refusal)


async def _handle_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    messages = {404: "This address does not exist.", 405: "This address does not support that method."}
    return JSONResponse({"error": messages.get(error.status_code, error.detail)}, error.status_code, error.headers)


async def _handle_internal_error(reassurance: str, request: Request, error: Exception) -> Response:
    message = f"An internal error occurred; see the terminal for details. {reassurance}"
    # Starlette handles `Exception` outside all middleware, so AccessPolicy cannot add the headers.
    return JSONResponse({"error": message}, 500, SECURITY_HEADERS)
