"""Serving a page of this machine's own until it is finished there, or until Ctrl-C.

Beyond this machine a page speaks HTTPS and asks for a token; `aslkit.web.access_control` decides who may ask.
"""

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
from aslkit.web.access_control import Addresses
from aslkit.web.certificate import Certificate, create_self_signed, load_certificate
from aslkit.web.idle_timeout import Impatient

LOOPBACK: Final = ("127.0.0.1", "localhost", "[::1]")

_GRACE_S: Final = 3
"""After the end, so long for requests under way."""

_OF_ITS_OWN: Final = "The browser warns of a certificate it does not know. Compare its SHA-256 before going on:"
_OF_THE_USER: Final = "Only if the browser warns of the certificate, compare its SHA-256 before going on:"

MakeApp = Callable[[Addresses, Callable[[], None]], ASGIApp]
"""Makes what answers: given where it is reached, and what to call when the page has finished."""


class PageServer:
    """A page that listens, for `serve` to serve.

    Args:
        make_app: makes what answers.
        host: to listen at. Beyond this machine, the page speaks HTTPS and asks for a token.
        port: 0 picks a free one.
        certificate: the user's own, PEM; None for one that signs itself, where one is needed.
        key: of `certificate`.

    Attributes:
        addresses: where.
        listening: the socket.
        may: what somebody with the address can do, and to whom to give it.
        end: how the user ends it.

    Raises:
        AslkitError: the port is taken, or nothing can listen at that host.
        InputError: certificate or key are missing or wrong.
    """

    may = "can use this page."
    end = "Ctrl-C ends it."

    def __init__(
        self,
        make_app: MakeApp,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        certificate: Path | None = None,
        key: Path | None = None,
    ) -> None:
        if (certificate is None) != (key is None):
            raise InputError("A certificate needs its key, and a key its certificate. Give both, or none.")
        self._self_signed = certificate is None
        with ExitStack() as stack:
            self.listening = stack.enter_context(closing(_listening(host, port)))
            bound = self.listening.getsockname()
            beyond = not ipaddress.ip_address(bound[0]).is_loopback
            hosts = _hosts(host, bound[0]) if beyond else LOOPBACK
            self._certificate: Certificate | None = None
            if certificate is not None and key is not None:
                self._certificate = load_certificate(certificate, key)
            elif beyond:
                self._certificate = stack.enter_context(create_self_signed(hosts, now=datetime.now(UTC)))
            token = secrets.token_urlsafe(24) if beyond else None
            self.addresses = Addresses(hosts=hosts, port=bound[1], tls=self._certificate is not None, token=token)
            self._server = uvicorn.Server(self._config(make_app(self.addresses, self.stop)))
            self._stack = stack.pop_all()

    @property
    def url(self) -> str:
        """What to open."""
        return self.addresses.url(self.addresses.hosts[0])

    def words(self) -> Iterator[str]:
        """Yield what the user must know, line by line."""
        yield f"Open {self.url}"
        if self._certificate is not None:
            yield _OF_ITS_OWN if self._self_signed else _OF_THE_USER
            yield self._certificate.fingerprint
        if self.addresses.token is not None:
            yield f"Whoever on the network has this address {self.may}"
        yield self.end

    def serve(self) -> None:
        """Serve until the page has finished, until `stop`, or until Ctrl-C."""
        with _terminated_as_interrupted(), suppress(KeyboardInterrupt):
            self._server.run(sockets=[self.listening])

    def stop(self) -> None:
        """Let `serve` end. May be called from any thread."""
        self._server.should_exit = True

    def _config(self, app: ASGIApp) -> uvicorn.Config:
        files = self._certificate
        config = uvicorn.Config(
            app,
            http=Impatient,
            ws="none",
            loop="asyncio",
            lifespan="off",
            log_config=None,
            log_level="error",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=_GRACE_S,
            h11_max_incomplete_event_size=16_384,
            ssl_certfile=None if files is None else files.file,
            ssl_keyfile=None if files is None else files.key,
        )
        try:
            config.load()
        except (ssl.SSLError, OSError) as error:
            raise InputError(f"The certificate and its key do not fit together: {error}.") from error
        return config

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()


def _listening(host: str, port: int) -> socket.socket:
    if not 0 <= port <= 65_535:
        raise InputError(f"--port must be from 0 to 65535; it is {port}.")
    if not host:  # which would be every address that there is
        raise InputError("--host must not be empty. Give 127.0.0.1 for this machine, or 0.0.0.0 for the network.")
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        listening = socket.create_server(found[0][4][:2], family=found[0][0])
        # Without it an answer waits 40 ms for the other side's word that its head has arrived. asyncio only sees to it
        # where the socket names its protocol, which create_server does not.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listening
    except (socket.gaierror, UnicodeError) as error:
        raise AslkitError(f"{host!r} is no address of a machine. Give --host another, such as 127.0.0.1.") from error
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            words = f"Port {port} is taken by another program. Give --port another number, or 0 for a free one."
        elif error.errno == errno.EACCES:
            words = f"Port {port} is not open to you. Give --port a number from 1024 up, or 0 for a free one."
        else:
            words = f"Nothing can listen at {host}: {error.strerror}. Give --host an address of this machine."
        raise AslkitError(words) from error


def _hosts(host: str, address: str) -> tuple[str, ...]:
    """Under which names and addresses the page may be opened; first the one to tell."""
    if not ipaddress.ip_address(address).is_unspecified:
        return tuple(dict.fromkeys((_in_url(host).lower(), _in_url(address))))
    name = socket.gethostname().lower()
    return tuple(dict.fromkeys((*_outward(), name, *LOOPBACK)))


def _outward() -> Iterator[str]:
    """The address by which this machine reaches others. Nothing is sent: a datagram's socket only picks its way."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # TEST-NET-1, RFC 5737: nobody's
            yield str(probe.getsockname()[0])
        except OSError:
            return


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host and host[0] != "[" else host


@contextmanager
def _terminated_as_interrupted() -> Iterator[None]:
    """Let SIGTERM end the sitting as Ctrl-C does, so that the caller can close it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
