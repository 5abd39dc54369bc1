"""Serves the studio, for `aslkit studio`, `capture --web` and `live --web`."""

import sys
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from aslkit.core.workspace import Workspace

if TYPE_CHECKING:
    from aslkit.live.reader import OnEvent
    from aslkit.studio.studio import Studio, StudioOptions

_LOCATION: Final = ("host", "port", "certificate", "key")


def open_studio(
    workspace: Workspace,
    config: Path | None,
    options: "StudioOptions",
    location: dict[str, Any],
    *,
    opens: bool | None = None,
    on_open: Callable[[str], None] | None = None,
    flags: dict[str, dict[str, Any]] | None = None,
    on_event: "OnEvent" = lambda event: None,
) -> "Studio":
    """Serve the studio until Ctrl-C, and return it with the results of its recordings.

    Args:
        workspace: workspace that everything is stored in.
        config: TOML file with the user's settings.
        options: what the command line sets.
        location: host, port, certificate and key, see `aslkit.web.server.PageServer`.
        opens: open the browser; None does so if a person started the command in a terminal.
        on_open: called with the page's address when it can be opened.
        flags: settings by section that the command line sets.
        on_event: called with each event of live spelling.
    """
    from aslkit.capture.config import CaptureConfig, GateConfig
    from aslkit.core.config import load_settings
    from aslkit.live.config import LiveConfig
    from aslkit.studio.serve import run_studio
    from aslkit.studio.studio import Studio

    flags = flags or {}
    opened = Studio(
        workspace,
        capture=load_settings("capture", CaptureConfig, file=config, flags=flags.get("capture", {})),
        gate=load_settings("gate", GateConfig, file=config, flags=flags.get("gate", {})),
        live=load_settings("live", LiveConfig, file=config, flags=flags.get("live", {})),
        options=options,
        on_event=on_event,
    )
    in_terminal = sys.stdout.isatty() and sys.stdin.isatty()

    def announce(url: str) -> None:
        if on_open is not None:
            on_open(url)
        if opens or (opens is None and in_terminal):
            _open_browser(url)

    run_studio(opened, on_message=_print_message, on_open=announce, **{name: location[name] for name in _LOCATION})
    return opened


def _open_browser(url: str) -> None:
    """Open a graphical browser, if there is one; a browser in the terminal would hide the messages."""
    try:
        browser = webbrowser.get()
    except webbrowser.Error:
        return
    if not isinstance(browser, webbrowser.GenericBrowser) or isinstance(browser, webbrowser.BackgroundBrowser):
        browser.open(url)


def _print_message(text: str) -> None:
    click.echo(text, err=True)
