"""A local TCP proxy that can cut connections, and a local web server."""

import http.server
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any


class Proxy:
    """A local TCP proxy that counts the bytes in each direction, and can cut connections after a number of bytes."""

    def __init__(self, port: int) -> None:
        self._target, self._closing = ("127.0.0.1", port), False
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.up = self.down = 0
        self.cut_up: float = float("inf")
        self.cut_down: float = float("inf")
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def reset(self) -> None:
        """Allow all traffic again, and reset the counters."""
        self.up = self.down = 0
        self.cut_up = self.cut_down = float("inf")

    def _accept(self) -> None:
        while not self._closing:
            try:
                near, _ = self._socket.accept()
            except OSError:
                return
            far = socket.create_connection(self._target)
            for source, target, direction in ((near, far, "up"), (far, near, "down")):
                thread = threading.Thread(target=self._forward, args=(source, target, direction), daemon=True)
                thread.start()
                self._threads.append(thread)

    def _forward(self, source: socket.socket, target: socket.socket, direction: str) -> None:
        try:
            while data := source.recv(16_384):
                setattr(self, direction, getattr(self, direction) + len(data))
                if getattr(self, direction) > getattr(self, f"cut_{direction}"):
                    break
                target.sendall(data)
        except OSError:
            pass
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def close(self) -> None:
        self._closing = True
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for thread in self._threads:
            thread.join(2)


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves a folder. Supports byte offsets if `server.offsets` is set."""

    def log_message(self, format: str, *args: Any) -> None:
        """Do not log requests."""

    def do_GET(self) -> None:
        server: Any = self.server
        server.requests.append((self.path, self.headers.get("Range"), self.headers.get("Authorization")))
        path = Path(self.translate_path(self.path))
        if server.truncated and path.name.startswith(server.truncated[0]):
            server.truncated.pop(0)
            data = path.read_bytes()
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data[: len(data) // 2])
            self.close_connection = True
            return
        start = self.headers.get("Range")
        if not server.offsets or start is None or not path.is_file():
            super().do_GET()
            return
        at, data = int(start.removeprefix("bytes=").rstrip("-")), path.read_bytes()
        self.send_response(206)
        self.send_header("Content-Length", str(len(data) - at))
        self.end_headers()
        self.wfile.write(data[at:])


@contextmanager
def serve_folder(folder: Path, *, offsets: bool = True) -> Iterator[Any]:
    """Serve a folder over HTTP.

    The server has the attributes `requests` (path, Range and Authorization of each request) and `truncated` (prefixes
    of file names; the response for each is cut off once).
    """
    server: Any = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
    server.requests, server.truncated, server.offsets = [], [], offsets
    server.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()
