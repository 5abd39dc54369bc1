"""A run with a motion network, Chromium with a fake camera, and a web server for exported pages."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from aslkit.inference import network_file
from aslkit.inference.starter import STARTER_RUN, load_landmark_starter, load_starter
from aslkit.vision.preprocess import CONTRACT_FILE, MOTION_FILE, NETWORK_FILE

BROWSER_OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--host-resolver-rules=MAP aslkit.test 127.0.0.1",
)


class QuietHandler(SimpleHTTPRequestHandler):
    """Serves files without logging requests."""

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture(scope="module")
def run_with_motion(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with the starter's landmark network and its motion network."""
    run = tmp_path_factory.mktemp("runs") / "run"
    model = run / "model"
    model.mkdir(parents=True)
    network, contract = load_landmark_starter()
    network_file.write_network(model / NETWORK_FILE, network)
    shutil.copy(STARTER_RUN / "model" / MOTION_FILE, model / MOTION_FILE)
    replace(contract, motion=load_starter()[1].motion).save(model / CONTRACT_FILE)
    return run


@pytest.fixture(scope="module")
def serve() -> Iterator[Callable[[Path], str]]:
    """Return a function that serves a folder until the tests of the module end, and returns its URL."""
    with ExitStack() as stack:

        def start(folder: Path) -> str:
            server = ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=str(folder)))
            Thread(target=server.serve_forever, daemon=True).start()
            stack.callback(server.server_close)
            stack.callback(server.shutdown)
            return f"http://127.0.0.1:{server.server_port}/"

        yield start


@pytest.fixture(scope="module")
def launch(chromium_path: str) -> Iterator[Callable[..., Any]]:
    """Return a function that starts Chromium with further options. It is closed when the tests of the module end."""
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as started, ExitStack() as stack:

        def start(*options: str) -> Any:
            browser = started.chromium.launch(executable_path=chromium_path, args=[*BROWSER_OPTIONS, *options])
            stack.callback(browser.close)
            return browser

        yield start


@pytest.fixture(scope="module")
def browser(launch: Callable[..., Any]) -> Any:
    return launch()
