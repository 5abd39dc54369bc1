"""The ASGI application of the studio."""

import io
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import quote

import segno
from fastapi import FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.staticfiles import StaticFiles

from aslkit import __version__
from aslkit.core.errors import AslkitError, InputError
from aslkit.studio.api.reading import reading_routes
from aslkit.studio.api.recording import letter_routes, recording_routes
from aslkit.studio.api.review import review_routes
from aslkit.studio.api.workspace import sharing_routes, workspace_routes
from aslkit.studio.studio import Studio
from aslkit.web.access_control import SECURITY_HEADERS, AccessPolicy, Addresses, refusal_response
from aslkit.web.request_limits import RequestRefused

PAGE_FOLDER: Final = Path(__file__).parent / "page"

_PROBLEM: Final[dict[str, Any]] = {
    "description": "What is wrong, and what to do.",
    "content": {
        "application/json": {
            "schema": {"type": "object", "properties": {"error": {"type": "string"}}, "required": ["error"]}
        }
    },
}

_HTTP_MESSAGES: Final = {404: "This address does not exist.", 405: "This address does not support that method."}


def create_app(studio: Studio, addresses: Addresses) -> FastAPI:
    """Create the ASGI application of the studio.

    Args:
        studio: handles the requests.
        addresses: addresses under which the page can be opened.
    """
    app = FastAPI(
        title="aslkit studio",
        version=__version__,
        docs_url=None,  # these pages would load scripts from other servers
        redoc_url=None,
        responses={"4XX": _PROBLEM, "5XX": _PROBLEM, 422: _PROBLEM},
        middleware=[Middleware(AccessPolicy, addresses=addresses)],
        exception_handlers={
            RequestRefused: _handle_refusal,
            HTTPException: _handle_http_error,
            RequestValidationError: _handle_invalid_request,
            AslkitError: _handle_aslkit_error,
            Exception: _handle_internal_error,
        },
    )
    for router in (
        workspace_routes(studio), recording_routes(studio), letter_routes(), review_routes(studio),
        reading_routes(studio), sharing_routes(studio),
    ):  # fmt: skip
        app.include_router(router)
    app.add_api_route("/api/qr.svg", partial(_send_qr_code, addresses), response_class=Response, tags=["State"])
    app.mount("/", StaticFiles(directory=PAGE_FOLDER, html=True))
    return app


def _send_qr_code(
    addresses: Addresses, run: Annotated[str, Query(pattern="^[^/?#%]*$", max_length=250)] = ""
) -> Response:
    """Return the QR code with which a phone opens the studio, or the exported page of a run.

    Only if other devices can reach it.
    """
    if addresses.token is None:
        raise RequestRefused(404, "Only this computer can open the page. Start aslkit studio with --host 0.0.0.0.")
    path = f"pages/{quote(run)}/" if run else ""
    code = segno.make(addresses.url(addresses.hosts[0], path=path), error="m")
    image = io.BytesIO()
    code.save(image, kind="svg", scale=6, border=4, light="#fff", omitsize=True)
    return Response(image.getvalue(), media_type="image/svg+xml")


async def _handle_refusal(request: Request, refusal: Exception) -> Response:
    assert isinstance(refusal, RequestRefused)
    return refusal_response(refusal)


async def _handle_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    message = _HTTP_MESSAGES.get(error.status_code, error.detail)
    return JSONResponse({"error": message}, error.status_code, error.headers)


async def _handle_invalid_request(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(str(each) for each in first["loc"] if each != "body")
    status = 400 if first["type"] == "json_invalid" else 422
    return JSONResponse({"error": f"{where}: {first['msg']}." if where else f"{first['msg']}."}, status)


async def _handle_aslkit_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, AslkitError)
    return JSONResponse({"error": error.message}, 422 if isinstance(error, InputError) else 409)


async def _handle_internal_error(request: Request, error: Exception) -> Response:
    message = "An internal error occurred; see the terminal for details. Everything stored so far is safe."
    # Starlette handles `Exception` outside all middleware, so AccessPolicy cannot add the headers.
    return JSONResponse({"error": message}, 500, SECURITY_HEADERS)
