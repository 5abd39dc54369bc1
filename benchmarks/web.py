"""The recorder's server, asked by schemathesis all that its addresses may be asked, and much that they may not.

    .venv/bin/python benchmarks/web.py [--examples 200]

The server is started as a user starts it; its addresses are described here as OpenAPI. No answer may be a server's
error, and the server must still answer at the end. uv fetches schemathesis.
"""

import argparse
import json
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path
from typing import Any

ANYTHING: dict[str, Any] = {}
BODIES: dict[str, dict[str, Any]] = {
    "/join": {"type": "object"},
    "/camera": {"type": "object", "properties": {"label": ANYTHING, "settings": ANYTHING}},
    "/letter": {"type": "object", "properties": {"letter": ANYTHING, "step": ANYTHING}},
    "/undo": {"type": "object"},
    "/answer": {"type": "object", "properties": {"is_so": ANYTHING}},
}
NUMBERS = ("keep", "turn", "burst", "taken_s")


def description(page: str) -> dict[str, Any]:
    """The server's addresses as OpenAPI."""
    header = {"name": "X-Page", "in": "header", "schema": {"type": "string", "enum": [page, "none"]}, "required": True}
    any_file = {"name": "file", "in": "path", "required": True, "schema": {"type": "string"}}
    query = [{"name": name, "in": "query", "schema": {"type": "string"}} for name in NUMBERS]
    answer = {"responses": {"default": {"description": "an answer"}}}
    picture = {"content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}}}
    paths: dict[str, Any] = {
        path: {
            "post": {
                "parameters": [header],
                "requestBody": {"content": {"application/json": {"schema": body}}},
                **answer,
            }
        }
        for path, body in BODIES.items()
    }
    paths["/state"] = {"get": answer}
    paths["/frames"] = {"post": {"parameters": [header, *query], "requestBody": picture, **answer}}
    paths["/frames/{file}"] = {
        "get": {"parameters": [any_file], **answer},
        "delete": {"parameters": [any_file, header], **answer},
    }
    paths["/letters/{name}"] = {"get": {"parameters": [any_file | {"name": "name"}], **answer}}
    return {"openapi": "3.0.2", "info": {"title": "recorder", "version": "1"}, "paths": paths}


def main() -> None:
    """Start the server, ask, and see whether it lives."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--examples", type=int, default=200)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        command = ["capture", "--web", "--signer", "ada", "--licence", "CC0-1.0", "--workspace", folder, "--port", "0"]
        server = subprocess.Popen(
            [sys.executable, "-m", "aslkit", *command], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        url = address(server)
        page = json.loads(post(f"{url}/join"))["page"]
        (Path(folder) / "openapi.json").write_text(json.dumps(description(page)))
        uv = shutil.which("uv") or Path(__file__).parent.parent / ".tools/bin/uv"
        options = ["--checks", "not_a_server_error", "--phases", "examples,fuzzing", "--seed", "1"]
        done = subprocess.run(
            [uv, "tool", "run", "schemathesis", "run", f"{folder}/openapi.json", "--url", url, *options,
             "--max-examples", str(asked.examples), "--header", f"Origin: {url}"],
        )  # fmt: skip
        print("the server answers" if urllib.request.urlopen(f"{url}/state").status == 200 else "the server is gone")
        server.send_signal(signal.SIGINT)
        server.wait()
        sys.exit(done.returncode)


def address(server: "subprocess.Popen[str]") -> str:
    """What the server says that it is reached at."""
    for stream in (server.stderr, server.stdout):
        for line in stream or ():
            if found := re.search(r"https?://[\w.]+:\d+", line):
                return found.group(0)
    sys.exit("The server did not start.")


def post(url: str) -> bytes:
    """Ask as a page does."""
    request = urllib.request.Request(
        url, data=b"{}", headers={"Content-Type": "application/json", "Origin": url.rpartition("/")[0]}
    )
    with urllib.request.urlopen(request) as answer:
        return bytes(answer.read())


if __name__ == "__main__":
    main()
