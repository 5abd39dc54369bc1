"""Running the page of `aslkit live` until it is finished there, or until Ctrl-C."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from aslkit.live.config import LiveConfig
from aslkit.live.reader import Heard, Reader
from aslkit.live.recogniser import Recogniser
from aslkit.live.run import CTRL_C, Lived, warn_uncalibrated
from aslkit.live.web.app import app
from aslkit.live.web.controller import Desk
from aslkit.web import server


class Service(server.Service):
    """A page that listens, for `serve` to serve.

    Args:
        desk: what the page is told.
        where: host, port, certificate and key, as `aslkit.web.server.Service` takes them.
    """

    may = "can show it a hand and read the text. Give it to the signer only."
    end = "Ctrl-C, or Finish on the page, ends it."

    def __init__(self, desk: Desk, **where: Any) -> None:
        super().__init__(lambda addresses, stop: app(desk, addresses, on_finish=stop), **where)


def live_in_browser(
    run: Path, *, config: LiveConfig, heard: Heard, announce: Callable[[str], None], **where: Any
) -> Lived:
    """Serve the page until it is finished there, or until Ctrl-C.

    Args:
        run: the folder that `aslkit train` wrote.
        config: the settings.
        heard: is told each event as it happens.
        announce: is given each line that the user must read.
        where: host, port, certificate and key, as `aslkit.web.server.Service` takes them.

    Raises:
        InputError: no run; certificate or key are wrong.
        AslkitError: the model is damaged; the port is taken.
    """
    with Recogniser(run) as recogniser:
        warn_uncalibrated(run, recogniser, announce)
        reader = Reader(recogniser=recogniser, contract=recogniser.contract, config=config, heard=heard)
        desk = Desk(reader, config, about=run.name)
        with Service(desk, **where) as served:
            for line in served.words():
                announce(line)
            served.serve()
            desk.close()
        ended = "finished on the page" if desk.turns.finished else CTRL_C
        return Lived(text=reader.text, frames=reader.frames, dropped=0, first_s=None, ended=ended)
