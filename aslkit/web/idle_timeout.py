"""Connections that say nothing: they are let go, so that nobody can hold a page up by keeping silent."""

import asyncio
from typing import Final, cast

from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_S: Final = 15.0
"""After so long, a connection's first request must be there."""


class Impatient(H11Protocol):
    """Uvicorn's HTTP/1.1, which by itself waits for ever for a first request."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """See `asyncio.Protocol`."""
        super().connection_made(transport)
        self.loop.call_later(HEAD_S, self._let_go)

    def _let_go(self) -> None:
        no_request = cast(object, self.cycle) is None
        if no_request and not self.transport.is_closing():
            self.transport.close()
