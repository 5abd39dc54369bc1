"""Runs the studio: opens the port, tells the user how to open the page, and serves it until Ctrl-C."""

import io
from collections.abc import Callable, Iterator
from typing import Any

import segno

from aslkit.capture.session.lifecycle import CTRL_C
from aslkit.core.progress import OnMessage
from aslkit.studio.app import create_app
from aslkit.studio.studio import Studio
from aslkit.web import server


class StudioServer(server.PageServer):
    """The server of a studio; call `serve` to serve it.

    Args:
        studio: handles the page's requests.
        options: host, port, certificate and key, see `aslkit.web.server.PageServer`.
    """

    access_note = "can see and change everything in this workspace. Give it to people you trust only."
    stop_note = "To stop, press Ctrl-C. Everything is stored at once."

    def __init__(self, studio: Studio, **options: Any) -> None:
        self._studio = studio
        super().__init__(lambda addresses, _: create_app(studio, addresses), on_shutdown=studio.events.close, **options)

    @property
    def url(self) -> str:
        """The address to open in a browser, including the token and the part."""
        part = self._studio.options.part
        return super().url + (f"#{part}" if part else "")

    def startup_messages(self) -> Iterator[str]:
        """Yield the lines that tell the user how to open the page; for a phone, with a QR code."""
        yield from super().startup_messages()
        if self.addresses.token is not None:
            code = io.StringIO()
            segno.make(self.url, error="l").terminal(code, border=2, compact=True)
            yield f"With a phone in the same network, scan this:\n{code.getvalue()}"


def run_studio(
    studio: Studio, *, on_message: OnMessage, on_open: Callable[[str], None] = lambda url: None, **options: Any
) -> None:
    """Serve the studio until the user presses Ctrl-C. An open recording is then closed.

    Args:
        studio: handles the page's requests.
        on_message: called with each line that the user should read.
        on_open: called with the page's address when it can be opened.
        options: host, port, certificate and key, see `aslkit.web.server.PageServer`.

    Raises:
        AslkitError: the port is taken, or the host is not an address of this machine.
        InputError: the certificate or its key is missing, unreadable or invalid.
        OSError: the last frame of a recording could not be written.
    """
    with StudioServer(studio, **options) as studio_server, studio:
        on_open(studio_server.url)
        studio_server.serve(on_message)
        studio.recording.close(CTRL_C)
        if studio.jobs.is_running():
            on_message("The running task continues. Open the studio again to see it.")
