"""ASGI middleware that only admits requests from the page's own origin, with the access token if one is required."""

import hmac
from dataclasses import dataclass
from typing import Final

from starlette.datastructures import Headers, MutableHeaders, QueryParams
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aslkit.web.request_limits import MAX_QUERY_CHARS, RequestRefused, limit_body

MAX_CONCURRENT_REQUESTS: Final = 60
"""A browser opens at most 6 connections to a host, of which one stays open for events."""

SAFE_METHODS: Final = ("GET", "HEAD")

SECURITY_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # Images of a person must not remain in the browser's cache.
    "Cache-Control": "no-store",
}


@dataclass(frozen=True, kw_only=True)
class Addresses:
    """The addresses under which a page can be opened.

    Attributes:
        hosts: host names and IP addresses, as written in a URL without the port.
        port: TCP port.
        tls: whether the server speaks HTTPS.
        token: access token that every request must present; None if the server only listens on this machine.
    """

    hosts: tuple[str, ...]
    port: int
    tls: bool = False
    token: str | None = None

    @property
    def authorities(self) -> frozenset[str]:
        """Accepted values of the Host header. Browsers omit the default port of the scheme."""
        with_port = {f"{host}:{self.port}" for host in self.hosts}
        return frozenset(with_port | (set(self.hosts) if self.port == (443 if self.tls else 80) else set()))

    @property
    def scheme(self) -> str:
        """URL scheme: "http" or "https"."""
        return "https" if self.tls else "http"

    @property
    def cookie_name(self) -> str:
        """Name of the token cookie. It includes the port because browsers share cookies between ports of a host."""
        return f"aslkit-token-{self.port}"

    def url(self, host: str, *, path: str = "") -> str:
        """Return the address to open in a browser, including the token.

        Args:
            host: one of `hosts`.
            path: path without the leading slash; "" for the start page.
        """
        return f"{self.scheme}://{host}:{self.port}/{path}" + (f"?token={self.token}" if self.token else "")


class AccessPolicy:
    """ASGI middleware that checks Host, Origin and token, and adds security headers to every response.

    The Origin check stops requests from other sites open in the same browser. The Host check stops DNS rebinding,
    which makes a request same-origin, but under the attacker's host name.
    """

    def __init__(self, app: ASGIApp, addresses: Addresses) -> None:
        self._app, self._addresses = app, addresses
        self._authorities = addresses.authorities
        self._origins = {f"{addresses.scheme}://{authority}" for authority in self._authorities}
        self._active_requests = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or respond with the reason for the refusal."""
        if scope["type"] == "lifespan":
            return await self._app(scope, receive, send)
        if scope["type"] != "http":  # a WebSocket; the pages use none
            return await send({"type": "websocket.close"})

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
                if set_cookie:
                    headers.append("Set-Cookie", self._cookie())
            await send(message)

        set_cookie = False
        self._active_requests += 1
        try:
            request = Request(scope)
            set_cookie = self._admit(request)
            await self._app(scope, limit_body(receive, request.headers), send_with_headers)
        except RequestRefused as refusal:
            await refusal_response(refusal)(scope, receive, send_with_headers)
        finally:
            self._active_requests -= 1

    def _admit(self, request: Request) -> bool:
        """Check the request, and return whether the response must set the token cookie.

        Raises:
            RequestRefused: the request does not come from the page, or exceeds a limit.
        """
        headers = request.headers
        # The cheapest checks come first, so that a flood of requests costs little.
        if self._active_requests > MAX_CONCURRENT_REQUESTS:
            raise RequestRefused(503, "Too many requests at the same time. Try again in a second.")
        if len(headers.getlist("host")) != 1 or headers["host"].lower() not in self._authorities:
            raise RequestRefused(
                421, "This page is not available under that host name. Open the URL printed by aslkit."
            )
        if len(request.scope["query_string"]) > MAX_QUERY_CHARS:
            raise RequestRefused(
                414, f"The URL is too long. Use at most {MAX_QUERY_CHARS:,} characters after the question mark."
            )
        if _is_from_other_site(headers):
            raise RequestRefused(403, "Another site asked for this. Open the URL printed by aslkit.")
        # Browsers do not send Origin with every GET, and GET requests change no state here.
        if request.method not in SAFE_METHODS and headers.get("origin") not in self._origins:
            raise RequestRefused(403, "Only the page itself may send this request. Open the URL printed by aslkit.")
        return self._check_token(headers, request)

    def _check_token(self, headers: Headers, request: Request) -> bool:
        token = self._addresses.token
        if token is None:
            return False
        # The token is in the URL once; the page's other requests send the cookie.
        if request.method in SAFE_METHODS and _matches(QueryParams(request.scope["query_string"]).get("token"), token):
            return True
        if not _matches(request.cookies.get(self._addresses.cookie_name), token):
            raise RequestRefused(
                401, "The access token is missing or wrong. Open the complete URL printed by aslkit, with its token."
            )
        return False

    def _cookie(self) -> str:
        secure = "; Secure" if self._addresses.tls else ""
        return f"{self._addresses.cookie_name}={self._addresses.token}; Path=/; HttpOnly; SameSite=Strict{secure}"


def _is_from_other_site(headers: Headers) -> bool:
    """Return whether a page of another site loads this in the background; a user may follow a link to the page."""
    opened = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
    return headers.get("sec-fetch-site") in ("cross-site", "same-site") and not opened


def _matches(value: str | None, token: str) -> bool:
    # Constant time: `==` would reveal how many characters are right. Bytes, because text must be ASCII.
    return value is not None and hmac.compare_digest(value.encode(errors="replace"), token.encode())


def refusal_response(refusal: RequestRefused) -> Response:
    """Return the JSON response for a refused request."""
    retry = {"Retry-After": "1"} if refusal.status_code in (429, 503) else None
    return JSONResponse({"error": refusal.message} | refusal.details, refusal.status_code, retry)
