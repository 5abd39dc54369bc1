"""The pages' servers, asked by schemathesis all that their addresses may be asked, and much that they may not.

    ./run bench web [--server recorder] [--examples 200]
    ./run bench web --server live --run RUN

The server is started as a user starts it; its addresses are described here as OpenAPI, and asked as fast as it lets a
page ask. What takes the page's place, or ends it, is asked last. No answer may be a server's error, and the server must
end by itself when a page finishes. How many answers there were of each kind is printed: what was refused at the door
tries nothing behind it. uv fetches schemathesis.
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


def some(*right: Any) -> dict[str, Any]:
    """What is right, or anything."""
    return {"anyOf": [{"enum": list(right)}, {}]}


BODIES: dict[str, Bodies] = {
    "recorder": {
        "/camera": {"type": "object", "properties": {"label": some("Webcam"), "settings": some({"width": 640})}},
        "/letter": {"type": "object", "properties": {"letter": some("A", "l"), "step": some(1, -1)}},
        "/undo": {"type": "object"},
        "/answer": {"type": "object", "properties": {"confirmed": some(True, False)}},
    },
    "live": {"/keys": {"type": "object", "properties": {"key": some("space", "delete", "clear")}}},
}
LAST: Bodies = {"/join": {"type": "object"}, "/finish": {"type": "object"}}
NUMBERS = ("keep", "revision", "burst", "taken_s")
A_SECOND = 18
"""Requests: a page may send some more, and is told to wait where it does."""

HOOKS = """
import pathlib, schemathesis
from hypothesis import strategies as some

picture = pathlib.Path(__file__).with_name("hand.jpg").read_bytes()
near = some.tuples(some.integers(0, len(picture)), some.binary(max_size=20)).map(
    lambda change: picture[: change[0]] + change[1] + picture[change[0] + len(change[1]) :]
)
schemathesis.openapi.media_type("image/jpeg", some.just(picture) | near | some.binary())
"""
"""For schemathesis: what a JPEG is. Bytes by chance are never one."""


def description(server: str) -> dict[str, Any]:
    """The server's addresses as OpenAPI, but for the last ones."""
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
    return {"responses": {"default": {"description": "an answer"}}}


def _openapi(paths: dict[str, Any]) -> dict[str, Any]:
    return {"openapi": "3.0.2", "info": {"title": "aslkit", "version": "1"}, "paths": paths}


def ask(url: str, described: dict[str, Any], folder: Path, *, page: str, examples: int) -> tuple[bool, Counter[int]]:
    """Let schemathesis ask as that page: whether there was no server's error, how many answers of each status."""
    (folder / "openapi.json").write_text(json.dumps(described))
    (folder / "hooks.py").write_text(HOOKS)
    uv = shutil.which("uv") or Path(__file__).parents[2] / ".tools/bin/uv"
    options = ["--checks", "not_a_server_error", "--phases", "examples,fuzzing", "--seed", "1", "--rate-limit",
               f"{A_SECOND}/s", "--report-ndjson-path", str(folder / "asked.ndjson")]  # fmt: skip
    done = subprocess.run(
        [uv, "tool", "run", "schemathesis", "run", f"{folder}/openapi.json", "--url", url, *options,
         "--max-examples", str(examples), "--header", f"Origin: {url}", "--header", f"X-Page: {page}"],
        env=os.environ | {"SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": str(folder)}, cwd=folder,
    )  # fmt: skip
    with (folder / "asked.ndjson").open() as lines:
        return done.returncode == 0, Counter(status for line in lines for status in _statuses(json.loads(line)))


def _statuses(value: Any) -> Iterable[int]:
    """Of all answers that are told anywhere in a report."""
    if isinstance(value, dict):
        if isinstance(status := value.get("status_code"), int):
            yield status
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from _statuses(each)


def main() -> None:
    """Start the server, ask, and see whether it lives until it is told to end."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--server", choices=BODIES, default="recorder")
    parser.add_argument("--run", help="for live: a run's name or folder")
    parser.add_argument("--examples", type=int, default=200)
    asked = parser.parse_args()
    if asked.server == "live" and not asked.run:
        parser.error("live needs --run: a run's folder.")
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
            # No page is called "none": it would be the end.
            last, more = ask(url, _openapi(_posts(LAST)), folder, page="none", examples=asked.examples)
            statuses = ", ".join(f"{status} {count:,}" for status, count in sorted((answers + more).items()))
            print(f"{(answers + more).total():,} answers: {statuses}")
            post(f"{url}/finish", json.loads(post(f"{url}/join"))["page"])
            ended = server.wait(60)
        finally:
            if server.poll() is None:
                server.send_signal(signal.SIGINT)
                server.wait(60)
        print(f"finished by a page, the server ended with {ended}")
        sys.exit(not (well and last and ended == 0))


def draw(path: Path) -> None:
    """A synthetic hand."""
    from aslkit.synthetic import Signer, SyntheticSession, render_frames
    from aslkit.vision.images import encode_jpeg

    who = Signer.draw("synthetic-ada")
    shown = next(render_frames("L", signer=who, session=SyntheticSession.draw(who, "one"), width=320, height=240))
    path.write_bytes(encode_jpeg(shown.image))


def address(server: "subprocess.Popen[bytes]", said: Path) -> str:
    """What the server says that it is reached at."""
    while server.poll() is None:
        if found := re.search(r"https?://[\w.]+:\d+", said.read_text()):
            return found.group(0)
        time.sleep(0.2)
    sys.exit(f"The server did not start: {said.read_text()}")


def post(url: str, page: str = "") -> bytes:
    """Ask as a page does."""
    headers = {"Content-Type": "application/json", "Origin": url.rpartition("/")[0], "X-Page": page}
    with urllib.request.urlopen(urllib.request.Request(url, data=b"{}", headers=headers)) as answer:
        return bytes(answer.read())


if __name__ == "__main__":
    main()
