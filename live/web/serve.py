"""Serves the live page until the user finishes on the page or presses Ctrl-C."""

from pathlib import Path
from typing import Any, Final

from aslkit.core.progress import OnMessage
from aslkit.live.config import LiveConfig
from aslkit.live.reader import OnEvent, Reader
from aslkit.live.recogniser import Recogniser
from aslkit.live.run import CTRL_C, LiveResult, warn_uncalibrated
from aslkit.live.web.app import create_app
from aslkit.live.web.controller import PageController
from aslkit.web import server

FINISHED_ON_PAGE: Final = "finished on the page"


class LiveServer(server.PageServer):
    """The server of a live page; call `serve` to serve it.

    Args:
        controller: handles the page's requests.
        options: host, port, certificate and key, see `aslkit.web.server.PageServer`.
    """

    access_note = "can use the recogniser and read the text. Give it to the signer only."
    stop_note = "To end the session, press Ctrl-C, or Finish on the page."

    def __init__(self, controller: PageController, **options: Any) -> None:
        super().__init__(lambda addresses, stop: create_app(controller, addresses, on_finish=stop), **options)


def live_in_browser(
    run: Path, *, config: LiveConfig, on_event: OnEvent, on_message: OnMessage, **options: Any
) -> LiveResult:
    """Serve the page until the user finishes or presses Ctrl-C.

    Args:
        run: run folder, as written by `aslkit train`.
        config: settings of live recognition.
        on_event: called with each event.
        on_message: called with each line that the user should read.
        options: host, port, certificate and key, see `aslkit.web.server.PageServer`.

    Raises:
        InputError: the run does not exist; the certificate or its key is missing, unreadable or invalid.
        AslkitError: the model is damaged; the port is taken, or the host is not an address of this machine.
    """
    with Recogniser(run, consecutive=True) as recogniser:
        warn_uncalibrated(run, recogniser, on_message)
        reader = Reader(recogniser=recogniser, contract=recogniser.contract, config=config, on_event=on_event)
        controller = PageController(reader, config, run_name=run.name)
        with LiveServer(controller, **options) as live_server:
            live_server.serve(on_message)
            controller.close()  # before the recogniser is freed, because a frame may still be processed
        end_reason = FINISHED_ON_PAGE if controller.active_page.finished else CTRL_C
        return LiveResult(text=reader.text, frames=reader.frames, dropped=0, first_s=None, ended=end_reason)
