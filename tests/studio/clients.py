"""HTTP clients that act as a page of the studio, and a hand that they may show."""

import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from aslkit.studio.app import create_app
from aslkit.studio.studio import Studio
from aslkit.vision.hand_landmarker import Hand
from aslkit.web.access_control import Addresses
from aslkit.web.server import LOOPBACK_HOSTS

with warnings.catch_warnings():
    # starlette.testclient warns that it prefers httpx2, which no other dependency uses yet.
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient as TestClient

ORIGIN = "http://127.0.0.1:8000"
JPEG = {"Content-Type": "image/jpeg"}


def create_client(studio: Studio) -> TestClient:
    """Return an HTTP client for a page of this computer that has not joined."""
    app = create_app(studio, Addresses(hosts=LOOPBACK_HOSTS, port=8000))
    return TestClient(app, base_url=ORIGIN, headers={"Origin": ORIGIN})


def join(client: TestClient, signer: str = "ada", **values: object) -> dict[str, Any]:
    """Let a page record, and return the state."""
    state = client.post("/api/recording", json={"signer": signer, **values}).json()
    client.headers["X-Page"] = state["page"]
    return dict(state)


def open_hand() -> Hand:
    """Return an open right hand in the centre of the frame."""
    angles = np.linspace(-1.0, 1.0, 5)
    reach = np.array([0.12, 0.2, 0.25, 0.3])
    tips = [(0.5 + np.sin(a) * r, 0.75 - np.cos(a) * r, 0.0) for a in angles for r in reach]
    landmarks = np.array([(0.5, 0.75, 0.0), *tips], np.float32)
    return Hand(landmarks=landmarks, handedness="right", score=0.98)


def wait_until(condition: Callable[[], Any], timeout_s: float = 60) -> Any:
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.1)
    raise AssertionError("timeout")
