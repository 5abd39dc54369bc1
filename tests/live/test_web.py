"""The live page: one window at a time, no access from other sites or without the token."""

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from aslkit.core.config import load_settings
from aslkit.live.config import LiveConfig
from aslkit.live.reader import Reader
from aslkit.live.recogniser import Recognition
from aslkit.live.web.app import FILES, create_app
from aslkit.live.web.controller import PageController
from aslkit.vision.images import encode_jpeg
from aslkit.vision.preprocess import PreprocessConfig
from aslkit.web.access_control import Addresses
from aslkit.web.server import LOOPBACK_HOSTS

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

ORIGIN = "http://127.0.0.1:8000"
IMAGE = encode_jpeg(np.full((48, 64, 3), 90, np.uint8))
JPEG = {"Content-Type": "image/jpeg"}


class NoHandRecogniser:
    """Finds no hand in any frame."""

    def recognise(self, frame: Any) -> Recognition:
        return Recognition(hand=None, letter=None, probabilities=np.zeros(24, np.float32), rejected=True)


@pytest.fixture
def controller() -> PageController:
    config = load_settings("live", LiveConfig)
    reader = Reader(recogniser=NoHandRecogniser(), contract=PreprocessConfig(kind="landmarks"), config=config)
    return PageController(reader, config, run_name="a run")


@pytest.fixture
def page(controller: PageController) -> Iterator[TestClient]:
    app = create_app(controller, Addresses(hosts=LOOPBACK_HOSTS, port=8000))
    with TestClient(app, base_url=ORIGIN, headers={"Origin": ORIGIN}) as client:
        client.headers["X-Page"] = client.post("/join", json={}).json()["page"]
        yield client


def test_frame_returns_reading(page: TestClient) -> None:
    response = page.post("/frames", content=IMAGE, headers=JPEG)
    assert response.status_code == 200
    assert response.json() == {
        "letter": None, "top_letters": [], "progress": 0.0, "text": "", "landmarks": None, "box": None,
    }  # fmt: skip


@pytest.mark.parametrize("path", [*FILES, "/icon.svg"])
def test_static_files_are_served(page: TestClient, path: str) -> None:
    response = page.get(path)
    assert response.status_code == 200
    assert "frame-ancestors 'none'" in response.headers["content-security-policy"]
    assert "https:" not in response.text


@pytest.mark.parametrize("route", ["/join", "/frames", "/keys", "/finish"])
@pytest.mark.parametrize("origin", ["http://evil.example", "null", ""])
def test_requests_from_other_sites_are_rejected(page: TestClient, route: str, origin: str) -> None:
    assert page.post(route, json={}, headers={"Origin": origin}).status_code == 403


def test_requests_with_other_host_name_are_rejected(page: TestClient) -> None:
    assert page.get("/state", headers={"Host": "evil.example:8000"}).status_code == 421


def test_token_is_required(controller: PageController) -> None:
    with TestClient(
        create_app(controller, Addresses(hosts=LOOPBACK_HOSTS, port=8000, token="secret")), base_url=ORIGIN
    ) as client:
        assert client.get("/state").status_code == 401
        assert client.get("/?token=secret").status_code == 200


def test_only_newest_window_is_active(page: TestClient) -> None:
    other = page.post("/join", json={}).json()["page"]
    assert page.post("/frames", content=IMAGE, headers=JPEG).json()["why"] == "elsewhere"
    assert page.post("/frames", content=IMAGE, headers=JPEG | {"X-Page": other}).status_code == 200


def test_keys_and_finish(page: TestClient, controller: PageController) -> None:
    assert page.post("/keys", json={"key": "space"}).json()["text"] == ""
    assert page.post("/keys", json={"key": "explode"}).status_code == 422
    assert page.post("/frames", content=b"no image", headers=JPEG).status_code == 422
    assert page.post("/finish", json={}).json() == {"text": ""}
    assert controller.active_page.finished
    assert page.post("/frames", content=IMAGE, headers=JPEG).status_code == 410


def test_frame_rate_is_limited(page: TestClient) -> None:
    statuses = [page.post("/frames", content=IMAGE, headers=JPEG).status_code for _ in range(300)]
    assert {200, 429} >= set(statuses)
