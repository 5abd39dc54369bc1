"""Who may speak to a page's server: whoever sees the page that was announced, and no other site and no stranger."""

import hmac
from dataclasses import dataclass
from typing import Final

from starlette.datastructures import Headers, MutableHeaders, QueryParams
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aslkit.web.request_limits import MAX_QUERY_CHARS, RequestRefused

MAX_CONCURRENT: Final = 24
"""Requests under way at the same time; a page has six."""

SAFE: Final = ("GET", "HEAD")

HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True, kw_only=True)
class Addresses:
    """Where the page is.

    Attributes:
        hosts: names and addresses under which it may be opened, as they stand in a URL: without a port.
        port: TCP's.
        tls: whether it speaks HTTPS.
        token: what a request must know; None where only this machine can ask.
    """

    hosts: tuple[str, ...]
    port: int
    tls: bool = False
    token: str | None = None

    @property
    def authorities(self) -> frozenset[str]:
        """What a Host header may say. A browser leaves the scheme's own port out."""
        with_port = {f"{host}:{self.port}" for host in self.hosts}
        return frozenset(with_port | (set(self.hosts) if self.port == (443 if self.tls else 80) else set()))

    @property
    def scheme(self) -> str:
        """Http or https."""
        return "https" if self.tls else "http"

    @property
    def cookie(self) -> str:
        """Its name. A browser does not tell ports apart, and two pages may be served."""
        return f"aslkit-token-{self.port}"

    def url(self, host: str) -> str:
        """What to open, token and all."""
        return f"{self.scheme}://{host}:{self.port}/" + (f"?token={self.token}" if self.token else "")


class AccessPolicy:
    """Asks each request for the right Host, Origin and token before it reaches `app`, and marks each answer.

    Another site that a browser has open can send requests here, but neither read this page's answers nor set the
    Origin; DNS rebinding makes it the same origin, but under a Host of its own.
    """

    def __init__(self, app: ASGIApp, addresses: Addresses) -> None:
        self._app, self._addresses = app, addresses
        self._authorities = addresses.authorities
        self._origins = {f"{addresses.scheme}://{authority}" for authority in self._authorities}
        self._under_way = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or say why not."""
        if scope["type"] == "lifespan":
            return await self._app(scope, receive, send)
        if scope["type"] != "http":  # a WebSocket; there is none here
            return await send({"type": "websocket.close"})

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                if welcome:
                    headers.append("Set-Cookie", self._cookie())
            await send(message)

        welcome = False
        self._under_way += 1
        try:
            welcome = self._admit(Request(scope))
            await self._app(scope, receive, marked)
        except RequestRefused as refusal:
            await refusal_response(refusal)(scope, receive, marked)
        finally:
            self._under_way -= 1

    def _admit(self, request: Request) -> bool:
        """Return whether the page is to be given the cookie.

        Raises:
            Refusal: this one stays outside.
        """
        headers = request.headers
        if self._under_way > MAX_CONCURRENT:
            raise RequestRefused(503, "Too many requests at the same time. Wait a second.")
        if len(headers.getlist("host")) != 1 or headers["host"].lower() not in self._authorities:
            raise RequestRefused(421, "This page is not reached under that name. Open the address that aslkit printed.")
        if len(request.scope["query_string"]) > MAX_QUERY_CHARS:
            raise RequestRefused(
                414, f"The address is too long. Use at most {MAX_QUERY_CHARS:,} characters after the '?'."
            )
        if request.method not in SAFE and headers.get("origin") not in self._origins:
            raise RequestRefused(
                403, "Only this server's own page may change anything. Open the address that aslkit printed."
            )
        return self._know(headers, request)

    def _know(self, headers: Headers, request: Request) -> bool:
        token = self._addresses.token
        if token is None:
            return False
        if request.url.path == "/" and _same(QueryParams(request.scope["query_string"]).get("token"), token):
            return True
        if not _same(request.cookies.get(self._addresses.cookie), token):
            raise RequestRefused(401, "The address lacks the token. Open the whole address that aslkit printed.")
        return False

    def _cookie(self) -> str:
        secure = "; Secure" if self._addresses.tls else ""
        return f"{self._addresses.cookie}={self._addresses.token}; Path=/; HttpOnly; SameSite=Strict{secure}"


def _same(given: str | None, token: str) -> bool:
    return given is not None and hmac.compare_digest(given.encode(errors="replace"), token.encode())


def refusal_response(refusal: RequestRefused) -> Response:
    """A refusal as an answer."""
    retry = {"Retry-After": "1"} if refusal.status in (429, 503) else None
    return JSONResponse({"error": refusal.message} | refusal.more, refusal.status, retry)
