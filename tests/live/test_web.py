"""The page of aslkit live: read by one window, refused to strangers and other sites."""

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from aslkit.core.config import load_settings
from aslkit.live.config import LiveConfig
from aslkit.live.reader import Reader
from aslkit.live.recogniser import Recognised
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
PICTURE = encode_jpeg(np.full((48, 64, 3), 90, np.uint8))
JPEG = {"Content-Type": "image/jpeg"}


class Nobody:
    def recognise(self, frame: Any) -> Recognised:
        return Recognised(hand=None, letter=None, probabilities=np.zeros(24, np.float32), refused=True)


@pytest.fixture
def desk() -> PageController:
    config = load_settings("live", LiveConfig)
    reader = Reader(recogniser=Nobody(), contract=PreprocessConfig(kind="landmarks"), config=config)
    return PageController(reader, config, about="a run")


@pytest.fixture
def page(desk: PageController) -> Iterator[TestClient]:
    served = create_app(desk, Addresses(hosts=LOOPBACK_HOSTS, port=8000))
    with TestClient(served, base_url=ORIGIN, headers={"Origin": ORIGIN}) as client:
        client.headers["X-Page"] = client.post("/join", json={}).json()["page"]
        yield client


def test_a_frame_is_read(page: TestClient) -> None:
    answer = page.post("/frames", content=PICTURE, headers=JPEG)
    assert answer.status_code == 200
    assert answer.json() == {
        "letter": None, "best": [], "share": 0.0, "text": "", "landmarks": None, "box": None,
    }  # fmt: skip


@pytest.mark.parametrize("path", [*FILES, "/icon.svg"])
def test_the_page_comes_with_its_parts(page: TestClient, path: str) -> None:
    answer = page.get(path)
    assert answer.status_code == 200
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert "https:" not in answer.text


@pytest.mark.parametrize("asked", ["/join", "/frames", "/keys", "/finish"])
@pytest.mark.parametrize("origin", ["http://evil.example", "null", ""])
def test_another_site_changes_nothing(page: TestClient, asked: str, origin: str) -> None:
    assert page.post(asked, json={}, headers={"Origin": origin}).status_code == 403


def test_another_name_is_not_answered(page: TestClient) -> None:
    assert page.get("/state", headers={"Host": "evil.example:8000"}).status_code == 421


def test_without_the_token_nobody_reads(desk: PageController) -> None:
    with TestClient(
        create_app(desk, Addresses(hosts=LOOPBACK_HOSTS, port=8000, token="secret")), base_url=ORIGIN
    ) as stranger:
        assert stranger.get("/state").status_code == 401
        assert stranger.get("/?token=secret").status_code == 200


def test_one_window_at_a_time(page: TestClient) -> None:
    other = page.post("/join", json={}).json()["page"]
    assert page.post("/frames", content=PICTURE, headers=JPEG).json()["why"] == "elsewhere"
    assert page.post("/frames", content=PICTURE, headers=JPEG | {"X-Page": other}).status_code == 200


def test_keys_and_the_end(page: TestClient, desk: PageController) -> None:
    assert page.post("/keys", json={"key": "space"}).json()["text"] == ""
    assert page.post("/keys", json={"key": "explode"}).status_code == 422
    assert page.post("/frames", content=b"no picture", headers=JPEG).status_code == 422
    assert page.post("/finish", json={}).json() == {"text": ""}
    assert desk.turns.finished
    assert page.post("/frames", content=PICTURE, headers=JPEG).status_code == 410


def test_frames_come_no_faster_than_they_may(page: TestClient) -> None:
    answers = [page.post("/frames", content=PICTURE, headers=JPEG).status_code for _ in range(300)]
    assert {200, 429} >= set(answers)
