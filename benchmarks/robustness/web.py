"""Fuzz the server of the studio with schemathesis.

    ./run bench web [--examples 200]

The server is started as by a user, and a page records. All routes of its OpenAPI document are requested as fast as the
rate limit allows, except the stream of events, and those that start processes or end the recording. No response may be
a server error or differ from the document, and the server must stop on Ctrl-C. The number of responses by status is
printed, because requests rejected early test nothing else.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.request
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

NOT_REQUESTED = r"^/api/(events|training|job|review/curation|sharing/(export|prepare))$"

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"

REQUESTS_PER_S = 18
"""Slightly below the rate limit of the server."""

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


def fuzz(url: str, folder: Path, *, page: str, examples: int) -> tuple[bool, Counter[int]]:
    """Run schemathesis as a page. Return whether all responses were right, and their number by status."""
    draw_hand(folder / "hand.jpg")
    (folder / "hooks.py").write_text(HOOKS)
    schemathesis = shutil.which("schemathesis") or Path(sys.executable).with_name("schemathesis")
    report = folder / "responses.ndjson"
    options = ["--checks", CHECKS, "--phases", "examples,fuzzing", "--seed", "1", "--rate-limit", f"{REQUESTS_PER_S}/s",
               "--report-ndjson-path", str(report), "--exclude-path-regex", NOT_REQUESTED,
               "--exclude-name", "POST /api/recording", "--exclude-name", "DELETE /api/recording"]  # fmt: skip
    done = subprocess.run(
        [schemathesis, "run", f"{url}/openapi.json", *options, "--max-examples", str(examples),
         "--header", f"Origin: {url}", "--header", f"X-Page: {page}"],
        env=os.environ | {"SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": str(folder)}, cwd=folder,
    )  # fmt: skip
    with report.open() as lines:
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


def draw_hand(path: Path) -> None:
    """Write an image of a synthetic hand."""
    from aslkit.synthetic import Signer, SyntheticSession, render_frames
    from aslkit.vision.images import encode_jpeg

    signer = Signer.draw("synthetic-ada")
    session = SyntheticSession.draw(signer, "one")
    frame = next(render_frames("L", signer=signer, session=session, width=320, height=240))
    path.write_bytes(encode_jpeg(frame.image))


def start_recording(url: str) -> str:
    """Start a recording as a page does, and return the page's identifier."""
    headers = {"Content-Type": "application/json", "Origin": url}
    request = urllib.request.Request(f"{url}/api/recording", data=b'{"signer": "ada"}', headers=headers)
    with urllib.request.urlopen(request) as response:
        return str(json.load(response)["page"])


def main() -> None:
    """Start the server, fuzz it, and check that it stops normally."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--examples", type=int, default=200)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        command = [sys.executable, "-m", "aslkit", "studio", "--json", "--port", "0", "--workspace", temporary]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert server.stdout is not None
        try:
            url = json.loads(server.stdout.readline())["url"].rstrip("/")
            right, statuses = fuzz(url, Path(temporary), page=start_recording(url), examples=asked.examples)
        finally:
            server.send_signal(signal.SIGINT)
            code = server.wait(60)
        counts = ", ".join(f"{status} {count:,}" for status, count in sorted(statuses.items()))
        print(f"{statuses.total():,} responses: {counts}; the server exited with {code}")
        sys.exit(not (right and code == 0))


if __name__ == "__main__":
    main()
