"""Running the page of `aslkit live` until it is finished there, or until Ctrl-C."""

from pathlib import Path
from typing import Any

from aslkit.core.progress import OnMessage
from aslkit.live.config import LiveConfig
from aslkit.live.reader import OnEvent, Reader
from aslkit.live.recogniser import Recogniser
from aslkit.live.run import CTRL_C, LiveResult, warn_uncalibrated
from aslkit.live.web.app import create_app
from aslkit.live.web.controller import PageController
from aslkit.web import server


class LiveServer(server.PageServer):
    """A page that listens, for `serve` to serve.

    Args:
        desk: what the page is told.
        where: host, port, certificate and key, as `aslkit.web.server.PageServer` takes them.
    """

    access_note = "can show it a hand and read the text. Give it to the signer only."
    stop_note = "Ctrl-C, or Finish on the page, ends it."

    def __init__(self, desk: PageController, **where: Any) -> None:
        super().__init__(lambda addresses, stop: create_app(desk, addresses, on_finish=stop), **where)


def live_in_browser(
    run: Path, *, config: LiveConfig, on_event: OnEvent, on_message: OnMessage, **where: Any
) -> LiveResult:
    """Serve the page until it is finished there, or until Ctrl-C.

    Args:
        run: the folder that `aslkit train` wrote.
        config: the settings.
        on_event: is told each event as it happens.
        on_message: is given each line that the user must read.
        where: host, port, certificate and key, as `aslkit.web.server.PageServer` takes them.

    Raises:
        InputError: no run; certificate or key are wrong.
        AslkitError: the model is damaged; the port is taken.
    """
    with Recogniser(run) as recogniser:
        warn_uncalibrated(run, recogniser, on_message)
        reader = Reader(recogniser=recogniser, contract=recogniser.contract, config=config, on_event=on_event)
        desk = PageController(reader, config, about=run.name)
        with LiveServer(desk, **where) as served:
            for line in served.startup_messages():
                on_message(line)
            served.serve()
            desk.close()
        ended = "finished on the page" if desk.turns.finished else CTRL_C
        return LiveResult(text=reader.text, frames=reader.frames, dropped=0, first_s=None, ended=ended)
