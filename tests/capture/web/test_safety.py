"""Strangers, other sites and hostile bytes: each is refused with words, and the recorder lives on."""

import io
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from aslkit.capture.session.recording import Recording
from aslkit.capture.web.app import create_app
from aslkit.capture.web.controller import PageController
from aslkit.capture.web.frame_analyzer import FrameAnalyzer
from aslkit.vision.images import encode_jpeg, encode_png
from aslkit.web import request_limits
from aslkit.web.access_control import HEADERS, MAX_CONCURRENT, AccessPolicy, Addresses
from aslkit.web.server import LOOPBACK

JPEG = {"Content-Type": "image/jpeg"}
TOKEN = "correct-horse-battery"


@pytest.fixture(autouse=True)
def lives_on(page: TestClient, send: Callable[..., Any], sitting: Recording) -> Iterator[None]:
    """After each attack, the page records as before."""
    yield
    page.headers["X-Page"] = page.post("/join", json={}).json()["page"]
    turn = page.get("/state").json()["turn"]
    assert send(taken_s=999_999, turn=turn)["stored"] is not None
    sitting.flush()


def refused(answer: Any, status: int, words: str) -> None:
    assert (answer.status_code, words in answer.json()["error"]) == (status, True), answer.text
    assert answer.headers["content-security-policy"] == HEADERS["Content-Security-Policy"]


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://127.0.0.1:8001", "https://127.0.0.1:8000", ""]
)
@pytest.mark.parametrize("asked", ["/join", "/frames", "/letter", "/undo", "/answer", "/finish", "/camera"])
def test_another_site_changes_nothing(page: TestClient, origin: str, asked: str) -> None:
    refused(page.post(asked, json={}, headers={"Origin": origin}), 403, "own page")


def test_who_does_not_say_where_it_comes_from_changes_nothing(page: TestClient) -> None:
    del page.headers["Origin"]
    refused(page.post("/undo", json={}), 403, "own page")
    refused(page.delete("/frames/A/1.jpg"), 403, "own page")
    page.headers["Origin"] = "http://127.0.0.1:8000"


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8000", "127.0.0.1", "127.0.0.1:8001", "", "localhost.:8000"]
)
def test_a_name_that_was_bent_to_this_machine_is_refused(page: TestClient, host: str) -> None:
    refused(page.get("/state", headers={"Host": host}), 421, "not reached under that name")


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost:8000", "LOCALHOST:8000", "[::1]:8000"])
def test_this_machine_has_three_names(page: TestClient, host: str) -> None:
    assert page.get("/state", headers={"Host": host}).status_code == 200


def test_a_browser_leaves_out_the_port_of_its_scheme() -> None:
    assert "ada.local" in Addresses(hosts=("ada.local",), port=443, tls=True, token=TOKEN).authorities
    assert "ada.local" not in Addresses(hosts=("ada.local",), port=80, tls=True, token=TOKEN).authorities


@pytest.fixture
def abroad(desk: PageController) -> Iterator[TestClient]:
    """Speaks to a recorder that is open to the network."""
    served = create_app(desk, Addresses(hosts=("192.0.2.7",), port=8443, tls=True, token=TOKEN))
    base = "https://192.0.2.7:8443"
    with TestClient(served, base_url=base, headers={"Origin": base}) as client:
        yield client


@pytest.mark.parametrize("path", ["/", "/state", "/page.js", "/letters/A.png", "/frames/A/1.jpg", "/nothing"])
@pytest.mark.parametrize("token", ["", "?token=", "?token=wrong", "?token=corréct", f"?token={TOKEN}x"])
def test_without_the_token_nothing_is_seen(abroad: TestClient, path: str, token: str) -> None:
    refused(abroad.get(path + token), 401, "lacks the token")


def test_without_the_token_nothing_is_done(abroad: TestClient) -> None:
    refused(abroad.post("/join", json={}), 401, "lacks the token")
    refused(
        abroad.post(f"/join?token={TOKEN}", json={}), 401, "lacks the token"
    )  # only the page's own address takes it
    refused(abroad.get("/state", headers={"Cookie": "aslkit-token-8443=wrong"}), 401, "lacks the token")


def test_the_token_becomes_a_cookie_that_no_script_and_no_site_sees(abroad: TestClient) -> None:
    cookie = abroad.get(f"/?token={TOKEN}").headers["set-cookie"]
    assert {"HttpOnly", "SameSite=Strict", "Secure", "Path=/"} <= set(cookie.split("; "))
    assert abroad.get("/").status_code == 200
    assert "set-cookie" not in abroad.get("/").headers
    assert abroad.post("/join", json={}).status_code == 200


def test_every_answer_carries_the_headers(page: TestClient) -> None:
    for answer in (page.get("/"), page.get("/state"), page.get("/nothing"), page.put("/undo"), page.post("/undo")):
        assert HEADERS.items() <= dict(answer.headers).items() | {(k.title(), v) for k, v in answer.headers.items()} | {
            (name, answer.headers[name]) for name in HEADERS
        }
        for name, value in HEADERS.items():
            assert answer.headers[name] == value


def test_a_large_upload_is_refused_by_what_it_says(page: TestClient) -> None:
    headers = JPEG | {"Content-Length": "100000000"}
    refused(page.post("/frames", content=b"\xff\xd8", headers=headers), 413, "at most 4,000,000 bytes")


def test_a_large_upload_that_says_nothing_is_refused_midway(page: TestClient) -> None:
    sent = []

    def drip() -> Iterator[bytes]:
        for _ in range(100):
            sent.append(1)
            yield bytes(1_000_000)

    refused(page.post("/frames", content=drip(), headers=JPEG), 413, "at most 4,000,000 bytes")


@pytest.mark.parametrize("length", ["-1", "x", "1e3", "9" * 400])
def test_a_length_that_is_none(page: TestClient, length: str) -> None:
    refused(page.post("/frames", content=b"", headers=JPEG | {"Content-Length": length}), 413, "too large")


def png_of(width: int, height: int) -> bytes:
    """A small PNG file that says it is that large."""
    data = bytearray(encode_png(np.zeros((16, 16, 3), np.uint8)))
    data[16:24] = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, "big")
    return bytes(data)


def webp() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (64, 64)).save(file, "WEBP")
    return file.getvalue()


@pytest.mark.parametrize(
    ("kind", "data", "status", "words"),
    [
        ("image/jpeg", b"this is text, not a picture", 422, "not an image"),
        ("image/jpeg", b"", 422, "empty file"),
        ("image/jpeg", b"\xff\xd8\xff\xe0", 422, "not an image"),
        ("image/jpeg", b"<script>alert(1)</script>", 422, "not an image"),
        ("image/png", png_of(30_000, 30_000), 422, "too large"),  # a bomb: 2.7 GB when decoded
        ("image/png", png_of(4_000, 3_000), 413, "4000×3000"),
        ("image/png", png_of(640, 480), 422, "damaged"),  # says more than it has
        ("image/png", png_of(2, 2), 422, "too small"),
        ("image/jpeg", png_of(16, 16), 415, "is PNG"),  # not what it is called
        ("image/jpeg", webp(), 415, "is WEBP"),
        ("image/webp", webp(), 415, "image/jpeg, image/png"),
        ("text/html", b"<html>", 415, "image/jpeg, image/png"),
        ("", b"", 415, "image/jpeg, image/png"),
        ("multipart/form-data; boundary=x", b"--x", 415, "image/jpeg, image/png"),
    ],
)
def test_what_is_no_picture(page: TestClient, kind: str, data: bytes, status: int, words: str) -> None:
    answer = page.post("/frames", content=data, headers={"Content-Type": kind})
    refused(answer, status, words)


def test_a_jpeg_that_is_cut_short(page: TestClient, jpeg: bytes) -> None:
    refused(page.post("/frames", content=jpeg[: len(jpeg) // 2], headers=JPEG), 422, "cannot be read")


def test_a_png_is_welcome(page: TestClient, jpeg: bytes) -> None:
    from aslkit.vision.images import decode_image

    answer = page.post("/frames?keep=1", content=encode_png(decode_image(jpeg)), headers={"Content-Type": "image/png"})
    assert answer.json()["stored"] is not None


@pytest.mark.parametrize(
    "file",
    [
        "../../etc/passwd",
        "..%2f..%2f..%2fetc%2fpasswd",
        "%2e%2e/%2e%2e/session.json",
        "%252e%252e%252fsession.json",
        "session.json",
        "frames.jsonl",
        "A",
        "A/",
        "/etc/passwd",
        "A/../session.json",
        "A/%00.jpg",
        "A/" + "x" * 5000,
        "%ff%fe",
        "C:%5CWindows",
        "-1",
        "<script>",
    ],
)
def test_a_name_is_looked_up_and_never_opened(page: TestClient, file: str) -> None:
    for answer in (page.get(f"/frames/{file}"), page.delete(f"/frames/{file}")):
        assert answer.status_code in (404, 405), answer.text
        assert "root:" not in answer.text


@pytest.mark.parametrize(
    "name", ["J.png", "Z.png", "a.png", "A.jpg", "A", "..%2fA.png", "<script>.png", "%00", "A.png.png"]
)
def test_a_letter_picture_that_is_not_there(page: TestClient, name: str) -> None:
    assert page.get(f"/letters/{name}").status_code == 404


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("/letter", {"letter": "J"}),
        ("/letter", {"letter": "D"}),  # a letter, but not of this sitting
        ("/letter", {"letter": "<script>alert(1)</script>"}),
        ("/letter", {"letter": "../A"}),
        ("/letter", {"letter": ["A"]}),
        ("/letter", {"letter": None}),
        ("/letter", {"step": 10**30}),
        ("/letter", {"step": -2}),
        ("/letter", {"step": True}),
        ("/letter", {"step": 1.0}),
        ("/letter", {}),
        ("/answer", {}),
        ("/answer", {"is_so": "yes"}),
        ("/answer", {"is_so": 1}),
    ],
)
def test_what_cannot_be_asked(page: TestClient, path: str, values: dict[str, object]) -> None:
    answer = page.post(path, json=values)
    assert answer.status_code == 422, answer.text
    assert "<script>" not in answer.text


@pytest.mark.parametrize(
    ("kind", "data", "status"),
    [
        ("application/json", b"{", 400),
        ("application/json", b"[]", 400),
        ("application/json", b"null", 400),
        ("application/json", b"\xff\xfe", 400),
        ("application/json", b"[" * 16_000, 400),
        ("application/json", b'{"step": ' + b"9" * 16_000 + b"}", 400),
        ("application/json", b" " * 20_000, 413),
        ("text/plain", b"{}", 415),  # what another site may send without asking first
        ("application/x-www-form-urlencoded", b"letter=B", 415),
    ],
)
def test_what_is_no_json(page: TestClient, kind: str, data: bytes, status: int) -> None:
    answer = page.post("/letter", content=data, headers={"Content-Type": kind})
    assert (answer.status_code, "error" in answer.json()) == (status, True)


@pytest.mark.parametrize("value", ["-1", "nan", "inf", "1e300", "x", "", "0x10", "９" * 40, "-0.1"])
@pytest.mark.parametrize("name", ["taken_s", "burst", "turn"])
def test_numbers_that_are_none(page: TestClient, jpeg: bytes, name: str, value: str) -> None:
    answer = page.post("/frames", params={"keep": "1", name: value}, content=jpeg, headers=JPEG)
    refused(answer, 422, f"{name} must be a number from 0")


def test_a_huge_query(page: TestClient) -> None:
    refused(page.get("/state?" + "x" * 60_000), 414, "too long")


def test_a_camera_of_nonsense(page: TestClient, desk: PageController) -> None:
    for label, settings in [
        (None, None),
        (["x"], [1]),
        ({"a": 1}, "x"),
        ("\u202e" * 9, {"width": float("1e300"), "height": {}}),
    ]:
        assert page.post("/camera", json={"label": label, "settings": settings}).status_code == 200
    assert page.post("/camera", content=b'{"settings": {"width": NaN}}', headers={"Content-Type": "application/json"})
    assert all(camera["settings"] == {} for camera in desk.cameras)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
def test_methods_that_are_not_taken(page: TestClient, method: str) -> None:
    answer = page.request(method, "/undo")
    assert (answer.status_code, "does not take" in answer.json()["error"]) == (405, True)


def test_hammering(sitting: Recording, look: FrameAnalyzer, jpeg: bytes) -> None:
    desk = PageController(sitting, look, clock=lambda: 0.0)  # all at one moment
    with TestClient(create_app(desk, Addresses(hosts=LOOPBACK, port=80)), base_url="http://localhost") as client:
        client.headers["Origin"] = "http://localhost"
        client.headers["X-Page"] = client.post("/join", json={}).json()["page"]
        frames = [client.post("/frames", content=jpeg, headers=JPEG) for _ in range(40)]
        refused(frames[-1], 429, "at most 60 a second")
        assert frames[-1].headers["retry-after"] == "1"
        assert sum(answer.status_code == 200 for answer in frames) == 24
        others = [client.post("/undo", json={}) for _ in range(60)]
        refused(others[-1], 429, "Wait a second")
        refused(client.post("/join", json={}), 429, "Wait a second")


def test_too_many_at_the_same_time() -> None:
    import anyio

    async def never_ready(scope: Any, receive: Any, send: Any) -> None:
        await anyio.sleep_forever()

    statuses: list[int] = []

    async def ask(door: AccessPolicy) -> None:
        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])

        async def receive() -> Any:
            raise AssertionError("nobody reads")

        scope = {
            "type": "http",
            "method": "GET",
            "path": "/",
            "query_string": b"",
            "headers": [(b"host", b"localhost:80")],
        }
        await door(scope, receive, send)

    async def crowd() -> None:
        door = AccessPolicy(never_ready, Addresses(hosts=LOOPBACK, port=80))
        async with anyio.create_task_group() as group:
            for _ in range(MAX_CONCURRENT + 3):
                group.start_soon(ask, door)
            with anyio.fail_after(5):
                while len(statuses) < 3:
                    await anyio.sleep(0.01)
            group.cancel_scope.cancel()

    anyio.run(crowd)
    assert statuses == [503, 503, 503]


def test_a_frame_of_full_size_fits() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (720, 1280, 3), np.uint8)
    assert len(encode_jpeg(noise)) < request_limits.MAX_FRAME_BYTES  # no photograph is harder
    assert request_limits.MAX_PIXELS >= 1920 * 1080
