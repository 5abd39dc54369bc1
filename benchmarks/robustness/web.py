"""Fuzz the web servers of the recorder and of live recognition with schemathesis.

    ./run bench web [--server recorder] [--examples 200]
    ./run bench web --server live --run RUN

The server is started as by a user. Its routes are described here as OpenAPI and requested as fast as the rate limit
allows; routes that replace or end the page are requested last. No response may be a server error, and the server must
exit when a page finishes. The number of responses by status is printed, because requests rejected early test nothing
else. schemathesis is installed by uv.
"""

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

Bodies = dict[str, dict[str, Any]]


def valid_or_any(*right: Any) -> dict[str, Any]:
    """Return a schema of the valid values, or anything."""
    return {"anyOf": [{"enum": list(right)}, {}]}


BODIES: dict[str, Bodies] = {
    "recorder": {
        "/camera": {
            "type": "object",
            "properties": {"label": valid_or_any("Webcam"), "settings": valid_or_any({"width": 640})},
        },
        "/letter": {"type": "object", "properties": {"letter": valid_or_any("A", "l"), "step": valid_or_any(1, -1)}},
        "/undo": {"type": "object"},
        "/answer": {"type": "object", "properties": {"confirmed": valid_or_any(True, False)}},
    },
    "live": {"/keys": {"type": "object", "properties": {"key": valid_or_any("space", "delete", "clear")}}},
}
LAST: Bodies = {"/join": {"type": "object"}, "/finish": {"type": "object"}}
NUMBERS = ("keep", "revision", "burst", "taken_s")
REQUESTS_PER_S = 18
"""Slightly below the rate limit of the servers."""

HOOKS = """
import pathlib, schemathesis
from hypothesis import strategies as some

picture = pathlib.Path(__file__).with_name("hand.jpg").read_bytes()
near = some.tuples(some.integers(0, len(picture)), some.binary(max_size=20)).map(
    lambda change: picture[: change[0]] + change[1] + picture[change[0] + len(change[1]) :]
)
schemathesis.openapi.media_type("image/jpeg", some.just(picture) | near | some.binary())
"""
"""Strategy for JPEG bodies; random bytes alone are never a JPEG."""


def description(server: str) -> dict[str, Any]:
    """Return the routes of a server as OpenAPI, except those of LAST."""
    recorder = server == "recorder"
    number = {"anyOf": [{"type": "number"}, {"type": "string"}]}
    query = [{"name": name, "in": "query", "schema": number} for name in NUMBERS if recorder]
    picture = {"content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}}}
    paths = _posts(BODIES[server])
    paths["/state"] = {"get": _answer()}
    paths["/frames"] = {"post": {"parameters": query, "requestBody": picture, **_answer()}}
    if recorder:
        paths["/frames/{file}"] = {
            "get": {"parameters": [_part("file", "A/1.jpg", "../session.json")], **_answer()},
            "delete": {"parameters": [_part("file", "A/1.jpg", "../session.json")], **_answer()},
        }
        paths["/letters/{name}"] = {"get": {"parameters": [_part("name", "A", "b.png")], **_answer()}}
    return _openapi(paths)


def _posts(bodies: Bodies) -> dict[str, Any]:
    return {
        path: {"post": {"requestBody": {"content": {"application/json": {"schema": body}}}, **_answer()}}
        for path, body in bodies.items()
    }


def _part(name: str, *right: str) -> dict[str, Any]:
    schema = {"anyOf": [{"enum": list(right)}, {"type": "string"}]}
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _answer() -> dict[str, Any]:
    return {"responses": {"default": {"description": "any response"}}}


def _openapi(paths: dict[str, Any]) -> dict[str, Any]:
    return {"openapi": "3.0.2", "info": {"title": "aslkit", "version": "1"}, "paths": paths}


def ask(url: str, described: dict[str, Any], folder: Path, *, page: str, examples: int) -> tuple[bool, Counter[int]]:
    """Run schemathesis as a page. Return whether there was no server error, and the number of responses by status."""
    (folder / "openapi.json").write_text(json.dumps(described))
    (folder / "hooks.py").write_text(HOOKS)
    uv = shutil.which("uv") or Path(__file__).parents[2] / ".tools/bin/uv"
    options = ["--checks", "not_a_server_error", "--phases", "examples,fuzzing", "--seed", "1", "--rate-limit",
               f"{REQUESTS_PER_S}/s", "--report-ndjson-path", str(folder / "asked.ndjson")]  # fmt: skip
    done = subprocess.run(
        [uv, "tool", "run", "schemathesis", "run", f"{folder}/openapi.json", "--url", url, *options,
         "--max-examples", str(examples), "--header", f"Origin: {url}", "--header", f"X-Page: {page}"],
        env=os.environ | {"SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": str(folder)}, cwd=folder,
    )  # fmt: skip
    with (folder / "asked.ndjson").open() as lines:
        return done.returncode == 0, Counter(status for line in lines for status in _statuses(json.loads(line)))


def _statuses(value: Any) -> Iterable[int]:
    """Yield the status of every response in a report."""
    if isinstance(value, dict):
        if isinstance(status := value.get("status_code"), int):
            yield status
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from _statuses(each)


def main() -> None:
    """Start the server, fuzz it, and check that it exits normally."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--server", choices=BODIES, default="recorder")
    parser.add_argument("--run", help="for live: name or folder of a run")
    parser.add_argument("--examples", type=int, default=200)
    asked = parser.parse_args()
    if asked.server == "live" and not asked.run:
        parser.error("--server live requires --run.")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        draw(folder / "hand.jpg")
        command = {
            "recorder": ["capture", "--signer", "ada", "--licence", "CC0-1.0", "--workspace", temporary],
            "live": ["live", asked.run],
        }[asked.server]
        with (folder / "said").open("w") as said:
            command = [sys.executable, "-m", "aslkit", *command, "--web", "--port", "0"]
            server = subprocess.Popen(command, stderr=said, stdout=said)
        try:
            url = address(server, folder / "said")
            page = json.loads(post(f"{url}/join"))["page"]
            well, answers = ask(url, description(asked.server), folder, page=page, examples=asked.examples)
            # No page has the name "none"; a real page would end the server.
            last, more = ask(url, _openapi(_posts(LAST)), folder, page="none", examples=asked.examples)
            statuses = ", ".join(f"{status} {count:,}" for status, count in sorted((answers + more).items()))
            print(f"{(answers + more).total():,} responses: {statuses}")
            post(f"{url}/finish", json.loads(post(f"{url}/join"))["page"])
            ended = server.wait(60)
        finally:
            if server.poll() is None:
                server.send_signal(signal.SIGINT)
                server.wait(60)
        print(f"after a page finished, the server exited with {ended}")
        sys.exit(not (well and last and ended == 0))


def draw(path: Path) -> None:
    """Write an image of a synthetic hand."""
    from aslkit.synthetic import Signer, SyntheticSession, render_frames
    from aslkit.vision.images import encode_jpeg

    who = Signer.draw("synthetic-ada")
    shown = next(render_frames("L", signer=who, session=SyntheticSession.draw(who, "one"), width=320, height=240))
    path.write_bytes(encode_jpeg(shown.image))


def address(server: "subprocess.Popen[bytes]", said: Path) -> str:
    """Return the URL that the server prints."""
    while server.poll() is None:
        if found := re.search(r"https?://[\w.]+:\d+", said.read_text()):
            return found.group(0)
        time.sleep(0.2)
    sys.exit(f"The server did not start: {said.read_text()}")


def post(url: str, page: str = "") -> bytes:
    """Send a POST request as a page does."""
    headers = {"Content-Type": "application/json", "Origin": url.rpartition("/")[0], "X-Page": page}
    with urllib.request.urlopen(urllib.request.Request(url, data=b"{}", headers=headers)) as answer:
        return bytes(answer.read())


if __name__ == "__main__":
    main()
