"""Serves a local web page until the user finishes on the page or presses Ctrl-C.

If the page is reachable from other machines, it uses HTTPS and an access token; see `aslkit.web.access_control`.
"""

import asyncio
import errno
import ipaddress
import secrets
import signal
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Self

import uvicorn
from starlette.types import ASGIApp

from aslkit.core.errors import AslkitError, InputError
from aslkit.core.progress import OnMessage
from aslkit.web.access_control import Addresses
from aslkit.web.certificate import Certificate, create_self_signed, load_certificate

LOOPBACK_HOSTS: Final = ("127.0.0.1", "localhost", "[::1]")

_KEEP_ALIVE_S: Final = 5
"""An idle connection is closed this long after its last response."""

_SHUTDOWN_TIMEOUT_S: Final = 3
"""Time that active requests get to complete when the server stops; then their connections are closed."""

_SELF_SIGNED_NOTE: Final = (
    "The browser warns about an unknown certificate. Compare its SHA-256 fingerprint before you continue:"
)
_OWN_CERTIFICATE_NOTE: Final = (
    "If the browser warns about the certificate, compare its SHA-256 fingerprint before you continue:"
)

MakeApp = Callable[[Addresses, Callable[[], None]], ASGIApp]
"""Creates the ASGI application from the page's addresses and a callback that stops the server."""


class PageServer:
    """A page whose port is open; call `serve` to serve it. Use as a context manager.

    Args:
        make_app: creates the ASGI application.
        host: address to listen on. If it is reachable from other machines, the page uses HTTPS and an access token.
        port: TCP port; 0 picks a free one.
        certificate: PEM file with a certificate; None creates a self-signed one if HTTPS is needed.
        key: PEM file with the private key of `certificate`.
        on_shutdown: called when the server stops, before it waits for active requests.

    Attributes:
        addresses: addresses under which the page can be opened.
        listener: the listening socket.
        access_note: what a person with the address can do, and who should get it; ends the announced sentence.
        stop_note: how the user can stop the server.

    Raises:
        AslkitError: the port is taken, or the host is not an address of this machine.
        InputError: the certificate or its key is missing, unreadable or invalid.
    """

    access_note = "can use this page."
    stop_note = "Press Ctrl-C to stop."

    def __init__(
        self,
        make_app: MakeApp,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        certificate: Path | None = None,
        key: Path | None = None,
        on_shutdown: Callable[[], None] = lambda: None,
    ) -> None:
        if (certificate is None) != (key is None):
            raise InputError(
                "A certificate and its key belong together. Give both --certificate and --key, or neither."
            )
        self._self_signed = certificate is None
        # If anything below fails, the port is closed and the private key deleted. Otherwise `__exit__` does both.
        with ExitStack() as stack:
            # Opened here instead of by uvicorn, so that the port is known before the address is announced.
            self.listener = stack.enter_context(closing(_create_listener(host, port)))
            bound = self.listener.getsockname()
            public = not ipaddress.ip_address(bound[0]).is_loopback
            hosts = _page_hosts(host, bound[0]) if public else LOOPBACK_HOSTS
            self._certificate: Certificate | None = None
            if certificate is not None and key is not None:
                self._certificate = load_certificate(certificate, key)
            elif public:
                self._certificate = stack.enter_context(create_self_signed(hosts, now=datetime.now(UTC)))
            token = secrets.token_urlsafe(24) if public else None
            self.addresses = Addresses(hosts=hosts, port=bound[1], tls=self._certificate is not None, token=token)
            self._server = _Server(self._create_config(make_app(self.addresses, self.stop)))
            self._server.on_shutdown = on_shutdown
            self._stack = stack.pop_all()

    @property
    def url(self) -> str:
        """The address to open in a browser, including the token."""
        return self.addresses.url(self.addresses.hosts[0])

    def startup_messages(self) -> Iterator[str]:
        """Yield the lines that tell the user how to open the page and stop the server."""
        yield f"Open {self.url}"
        if self._certificate is not None:
            yield _SELF_SIGNED_NOTE if self._self_signed else _OWN_CERTIFICATE_NOTE
            yield self._certificate.fingerprint
        if self.addresses.token is not None:
            yield f"Anyone on the network with this URL {self.access_note}"
        yield self.stop_note

    def serve(self, on_message: OnMessage = lambda _: None) -> None:
        """Serve until the page has finished, `stop` is called, or the user presses Ctrl-C.

        Args:
            on_message: called with each line that the user should read before opening the page.
        """
        for line in self.startup_messages():
            on_message(line)
        # uvicorn raises the signal again after shutdown: SIGTERM would end the process before the session is closed.
        with _sigterm_as_keyboard_interrupt(), suppress(KeyboardInterrupt):
            self._server.run(sockets=[self.listener])

    def stop(self) -> None:
        """Make `serve` return. Thread-safe."""
        # uvicorn checks this flag ten times a second, so that any thread may set it.
        self._server.should_exit = True

    def _create_config(self, app: ASGIApp) -> uvicorn.Config:
        certificate = self._certificate
        config = uvicorn.Config(
            app,
            # h11_max_incomplete_event_size below limits the size of headers; uvicorn's other parser ignores it.
            http="h11",
            ws="none",
            loop="asyncio",
            lifespan="off",
            # uvicorn would replace the logging configuration of the whole process.
            log_config=None,
            log_level="error",
            access_log=False,
            server_header=False,
            # uvicorn would believe the X-Forwarded-* headers of any program on this machine.
            proxy_headers=False,
            timeout_keep_alive=_KEEP_ALIVE_S,
            timeout_graceful_shutdown=_SHUTDOWN_TIMEOUT_S,
            h11_max_incomplete_event_size=16_384,
            ssl_certfile=None if certificate is None else certificate.file,
            ssl_keyfile=None if certificate is None else certificate.key,
        )
        try:
            # Loads certificate and key now, so that a wrong pair is reported before the page is announced.
            config.load()
        except (ssl.SSLError, OSError) as error:
            raise InputError(f"The certificate and the key do not match: {error}.") from error
        return config

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()


class _Server(uvicorn.Server):
    on_shutdown: Callable[[], None] = staticmethod(lambda: None)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Shut down, then close the connections that are still open.

        uvicorn leaves a connection open if its request did not complete in time, or if it was accepted during shutdown.
        """
        self.on_shutdown()
        await super().shutdown(sockets)
        if self.server_state.connections:
            await asyncio.sleep(0.1)  # requests that were cancelled send their error response
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        await asyncio.sleep(0)  # the transports close in the next iteration of the event loop


def _create_listener(host: str, port: int) -> socket.socket:
    if not 0 <= port <= 65_535:
        raise InputError(f"--port must be from 0 to 65535; it is {port}.")
    if not host:  # getaddrinfo would return every address of this machine
        raise InputError("--host must not be empty. Give 127.0.0.1 for this machine, or 0.0.0.0 for the network.")
    try:
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        listener = socket.create_server(addresses[0][4][:2], family=addresses[0][0])
        # Disable Nagle's algorithm, which delays responses by 40 ms. asyncio disables it only for sockets created with
        # an explicit protocol number, which create_server does not set.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listener
    except (socket.gaierror, UnicodeError) as error:
        raise AslkitError(f"{host!r} is not a known host. Give --host another address, such as 127.0.0.1.") from error
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            message = f"Port {port} is used by another program. Give --port another number, or 0 for a free one."
        elif error.errno == errno.EACCES:
            message = f"You may not use port {port}. Give --port a number from 1024, or 0 for a free one."
        else:
            message = f"Cannot listen on {host}: {error.strerror}. Give --host an address of this machine."
        raise AslkitError(message) from error


def _page_hosts(host: str, address: str) -> tuple[str, ...]:
    """Return the hosts under which the page can be opened; the first one is shown to the user."""
    if not ipaddress.ip_address(address).is_unspecified:
        return tuple(dict.fromkeys((_url_host(host).lower(), _url_host(address))))
    name = socket.gethostname().lower()
    return tuple(dict.fromkeys((*_outbound_addresses(), name, *LOOPBACK_HOSTS)))


def _outbound_addresses() -> Iterator[str]:
    """Yield the address of this machine on the network, if it has one.

    Connecting a UDP socket sends nothing; it only selects the route and thereby the local address.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # TEST-NET-1 (RFC 5737), reserved for documentation
            yield str(probe.getsockname()[0])
        except OSError:
            return


def _url_host(host: str) -> str:
    return f"[{host}]" if ":" in host and host[0] != "[" else host


@contextmanager
def _sigterm_as_keyboard_interrupt() -> Iterator[None]:
    """Handle SIGTERM like Ctrl-C, so that the caller can close the session."""
    if threading.current_thread() is not threading.main_thread():  # only the main thread may set signal handlers
        yield
        return
    previous = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)
