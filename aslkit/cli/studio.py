"""The command `aslkit studio`."""

import json
import sys
from pathlib import Path
from typing import Any

import click

from aslkit.cli.shared.open_studio import open_studio
from aslkit.cli.shared.options import config_option, workspace_option
from aslkit.core.workspace import Workspace


@click.command()
@click.option(
    "--host", default="127.0.0.1", show_default=True,
    help="Address to listen on; 0.0.0.0 for phones in the same network, with HTTPS and an access token.",
)  # fmt: skip
@click.option("--port", type=click.IntRange(0, 65535), default=8620, show_default=True, help="Port to listen on.")
@click.option("--certificate", type=click.Path(dir_okay=False, path_type=Path), help="TLS certificate, PEM.")
@click.option("--key", type=click.Path(dir_okay=False, path_type=Path), help="Its private key, PEM.")
@click.option("--open/--no-open", "opens", default=None, help="Open the browser.  [default: in a terminal]")
@config_option
@workspace_option
@click.option("--json", "as_json", is_flag=True, help="Print the page's address as one JSON object for programs.")
def studio(root: Path, config: Path | None, opens: bool | None, as_json: bool, **location: Any) -> None:
    """Record, review, train, try and share in the browser.

    Everything happens on this computer. With --host 0.0.0.0, phones in the same network can take part: scan the QR code
    that is printed. Ctrl-C stops the studio; a running training job continues.

    \b
    Example:  aslkit studio
              aslkit studio --host 0.0.0.0     (with a phone)
    """
    from aslkit.studio.studio import StudioOptions

    workspace = Workspace(root=root)
    open_studio(workspace, config, StudioOptions(), location, opens=opens, on_open=_print_address if as_json else None)


def _print_address(url: str) -> None:
    click.echo(json.dumps({"url": url}))
    sys.stdout.flush()
