"""Requests of other sites and unauthorised clients, and malformed input: each is refused, and recording still works."""

import io
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from PIL import Image

from aslkit.capture.session.recording import Recording
from aslkit.capture.web.controller import RecordingController
from aslkit.studio.app import create_app
from aslkit.studio.studio import Studio
from aslkit.vision.images import encode_jpeg, encode_png
from aslkit.web import request_limits
from aslkit.web.access_control import MAX_CONCURRENT_REQUESTS, SECURITY_HEADERS, AccessPolicy, Addresses
from aslkit.web.active_page import ActivePage
from aslkit.web.server import LOOPBACK_HOSTS
from tests.studio.clients import JPEG, TestClient, create_client, join

FRAMES = "/api/recording/frames"
CHANGES = [
    ("POST", "/api/recording"), ("DELETE", "/api/recording"), ("POST", "/api/recording/frames"),
    ("POST", "/api/recording/letter"), ("POST", "/api/recording/undo"), ("PUT", "/api/people"),
    ("POST", "/api/review/decisions"), ("DELETE", "/api/review/decisions/last"), ("POST", "/api/training"),
    ("DELETE", "/api/job"), ("POST", "/api/reading"), ("POST", "/api/reading/frames"), ("POST", "/api/reading/exam"),
    ("POST", "/api/sharing/export"), ("POST", "/api/sharing/prepare"),
]  # fmt: skip
"""Requests that change something."""

TOKEN = "correct-horse-battery"


@pytest.fixture(autouse=True)
def recording_still_works(page: TestClient, send_frame: Callable[..., Any], recording: Recording) -> Iterator[None]:
    """Check after each test that the page can still record."""
    yield
    join(page, take_over=True)
    revision = page.get("/api/recording").json()["revision"]
    assert send_frame(taken_s=999_999, revision=revision)["stored"] is not None
    recording.flush()


def assert_refused(response: Any, status: int, message: str) -> None:
    assert (response.status_code, message in response.json()["error"]) == (status, True), response.text
    assert response.headers["content-security-policy"] == SECURITY_HEADERS["Content-Security-Policy"]


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://127.0.0.1:8001", "https://127.0.0.1:8000", ""]
)
@pytest.mark.parametrize(("method", "path"), CHANGES)
def test_request_of_other_origin_is_refused(page: TestClient, origin: str, method: str, path: str) -> None:
    assert_refused(page.request(method, path, json={}, headers={"Origin": origin}), 403, "Only the page itself")


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_other_sites_load_nothing_in_the_background(page: TestClient, site: str) -> None:
    image = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}
    for path in ("/api/state", "/api/events", "/download/dataset/custom", "/api/review/image/ada/one/A/1.jpg"):
        assert_refused(page.get(path, headers=image), 403, "Another site")
    link = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert page.get("/", headers=link).status_code == 200


def test_request_without_origin_is_refused(page: TestClient) -> None:
    del page.headers["Origin"]
    assert_refused(page.post("/api/recording/undo", json={}), 403, "Only the page itself")
    assert_refused(page.delete("/api/recording/frames/A/1.jpg"), 403, "Only the page itself")
    page.headers["Origin"] = "http://127.0.0.1:8000"


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8000", "127.0.0.1", "127.0.0.1:8001", "", "localhost.:8000"]
)
def test_unknown_host_header_is_refused(page: TestClient, host: str) -> None:
    assert_refused(page.get("/api/recording", headers={"Host": host}), 421, "not available under that host name")


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost:8000", "LOCALHOST:8000", "[::1]:8000"])
def test_loopback_hosts_are_accepted(page: TestClient, host: str) -> None:
    assert page.get("/api/recording", headers={"Host": host}).status_code == 200


def test_default_port_may_be_omitted() -> None:
    assert "ada.local" in Addresses(hosts=("ada.local",), port=443, tls=True, token=TOKEN).authorities
    assert "ada.local" not in Addresses(hosts=("ada.local",), port=80, tls=True, token=TOKEN).authorities


@pytest.fixture
def network_client(studio: Studio) -> Iterator[TestClient]:
    """An HTTP client for a server that is reachable from the network."""
    app = create_app(studio, Addresses(hosts=("192.0.2.7",), port=8443, tls=True, token=TOKEN))
    base = "https://192.0.2.7:8443"
    with TestClient(app, base_url=base, headers={"Origin": base}) as client:
        yield client


@pytest.mark.parametrize(
    "path",
    [
        "/", "/api/state", "/api/events", "/api/qr.svg", "/openapi.json", "/studio.js", "/letters/A.png",
        "/api/review/frames", "/api/review/image/ada/one/A/1.jpg", "/files/runs/x/report.html",
        "/download/dataset/custom", "/nothing",
    ],
)  # fmt: skip
@pytest.mark.parametrize("token", ["", "?token=", "?token=wrong", "?token=corréct", f"?token={TOKEN}x"])
def test_get_requires_token(network_client: TestClient, path: str, token: str) -> None:
    assert_refused(network_client.get(path + token), 401, "access token is missing or wrong")


@pytest.mark.parametrize(("method", "path"), CHANGES)
def test_changes_require_the_cookie(network_client: TestClient, method: str, path: str) -> None:
    missing = "access token is missing or wrong"
    assert_refused(network_client.request(method, path, json={}), 401, missing)
    # Not the token in the URL: a link must not change anything.
    assert_refused(network_client.request(method, f"{path}?token={TOKEN}", json={}), 401, missing)
    wrong = {"Cookie": "aslkit-token-8443=wrong"}
    assert_refused(network_client.get("/api/state", headers=wrong), 401, missing)


def test_token_is_stored_in_protected_cookie(network_client: TestClient) -> None:
    cookie = network_client.get(f"/?token={TOKEN}").headers["set-cookie"]
    assert {"HttpOnly", "SameSite=Strict", "Secure", "Path=/"} <= set(cookie.split("; "))
    assert network_client.get("/").status_code == 200
    assert "set-cookie" not in network_client.get("/").headers
    assert network_client.put("/api/people", json={"name": "ben"}).status_code == 200


def test_every_response_has_security_headers(page: TestClient) -> None:
    paths = ("/", "/studio.js", "/api/recording", "/nothing", "/openapi.json")
    for response in (*map(page.get, paths), page.put("/api/recording/undo"), page.post("/api/recording/undo")):
        for name, value in SECURITY_HEADERS.items():
            assert response.headers[name] == value


def test_large_upload_is_refused_by_content_length(page: TestClient) -> None:
    headers = JPEG | {"Content-Length": "100000000"}
    assert_refused(page.post(FRAMES, content=b"\xff\xd8", headers=headers), 413, "at most 4,000,000 bytes")


def test_large_upload_without_content_length_is_refused(page: TestClient) -> None:
    chunks = []

    def send_chunks() -> Iterator[bytes]:
        for _ in range(100):
            chunks.append(1)
            yield bytes(1_000_000)

    assert_refused(page.post(FRAMES, content=send_chunks(), headers=JPEG), 413, "at most 4,000,000 bytes")


@pytest.mark.parametrize("length", ["-1", "x", "1e3", "9" * 400])
def test_invalid_content_length_is_refused(page: TestClient, length: str) -> None:
    assert_refused(page.post(FRAMES, content=b"", headers=JPEG | {"Content-Length": length}), 413, "too large")


def fake_png(width: int, height: int) -> bytes:
    """Return a small PNG file whose header declares this size."""
    data = bytearray(encode_png(np.zeros((16, 16, 3), np.uint8)))
    data[16:24] = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, "big")
    return bytes(data)


def create_webp() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (64, 64)).save(file, "WEBP")
    return file.getvalue()


@pytest.mark.parametrize(
    ("content_type", "data", "status", "message"),
    [
        ("image/jpeg", b"this is text, not an image", 422, "not an image"),
        ("image/jpeg", b"", 422, "empty file"),
        ("image/jpeg", b"\xff\xd8\xff\xe0", 422, "not an image"),
        ("image/jpeg", b"<script>alert(1)</script>", 422, "not an image"),
        ("image/png", fake_png(30_000, 30_000), 422, "too large"),  # decompression bomb: 2.7 GB when decoded
        ("image/png", fake_png(4_000, 3_000), 413, "4000×3000"),
        ("image/png", fake_png(640, 480), 422, "damaged"),  # fewer pixels than declared
        ("image/png", fake_png(2, 2), 422, "too small"),
        ("image/jpeg", fake_png(16, 16), 415, "is PNG"),  # differs from the content type
        ("image/jpeg", create_webp(), 415, "is WEBP"),
        ("image/webp", create_webp(), 415, "image/jpeg, image/png"),
        ("text/html", b"<html>", 415, "image/jpeg, image/png"),
        ("", b"", 415, "image/jpeg, image/png"),
        ("multipart/form-data; boundary=x", b"--x", 415, "image/jpeg, image/png"),
    ],
)
def test_invalid_images_are_refused(
    page: TestClient, content_type: str, data: bytes, status: int, message: str
) -> None:
    response = page.post(FRAMES, content=data, headers={"Content-Type": content_type})
    assert_refused(response, status, message)


def test_truncated_jpeg_is_refused(page: TestClient, jpeg: bytes) -> None:
    assert_refused(page.post(FRAMES, content=jpeg[: len(jpeg) // 2], headers=JPEG), 422, "cannot be decoded")


def test_png_is_accepted(page: TestClient, jpeg: bytes) -> None:
    from aslkit.vision.images import decode_image

    response = page.post(
        "/api/recording/frames?keep=1", content=encode_png(decode_image(jpeg)), headers={"Content-Type": "image/png"}
    )
    assert response.json()["stored"] is not None


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
def test_file_name_is_never_used_as_path(page: TestClient, file: str) -> None:
    for response in (page.get(f"/api/recording/frames/{file}"), page.delete(f"/api/recording/frames/{file}")):
        assert response.status_code in (404, 405), response.text
        assert "root:" not in response.text


@pytest.mark.parametrize(
    "name", ["none.png", "Ä.png", "a.png", "A.jpg", "A", "..%2fA.png", "<script>.png", "%00", "A.png.png"]
)
def test_unknown_letter_image_is_not_found(page: TestClient, name: str) -> None:
    assert page.get(f"/letters/{name}").status_code == 404


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("/api/recording/letter", {"letter": "J"}),
        ("/api/recording/letter", {"letter": "D"}),  # not a letter of this recording
        ("/api/recording/letter", {"letter": "<script>alert(1)</script>"}),
        ("/api/recording/letter", {"letter": "../A"}),
        ("/api/recording/letter", {"letter": ["A"]}),
        ("/api/recording/letter", {"letter": None}),
        ("/api/recording/letter", {"step": 10**30}),
        ("/api/recording/letter", {"step": -2}),
        ("/api/recording/letter", {}),
        ("/api/recording/answer", {}),
        ("/api/recording/answer", {"confirmed": "yes"}),
        ("/api/recording/answer", {"confirmed": 1}),
    ],
)
def test_invalid_values_are_refused(page: TestClient, path: str, values: dict[str, object]) -> None:
    response = page.post(path, json=values)
    assert response.status_code == 422, response.text
    assert "<script>" not in response.text


@pytest.mark.parametrize(
    ("content_type", "data", "status"),
    [
        ("application/json", b"{", 400),
        ("application/json", b"[]", 422),
        ("application/json", b"null", 422),
        ("application/json", b"\xff\xfe", 400),
        ("application/json", b"[" * 16_000, 400),
        ("application/json", b'{"step": ' + b"9" * 16_000 + b"}", 400),
        ("application/json", b" " * 2_000_001, 413),
        ("text/plain", b"{}", 422),  # other sites can send this without a CORS preflight
        ("application/x-www-form-urlencoded", b"letter=B", 422),
    ],
)
def test_invalid_json_is_refused(page: TestClient, content_type: str, data: bytes, status: int) -> None:
    response = page.post("/api/recording/letter", content=data, headers={"Content-Type": content_type})
    assert (response.status_code, "error" in response.json()) == (status, True)


@pytest.mark.parametrize("value", ["-1", "nan", "inf", "1e300", "x", "", "0x10", "９" * 40, "-0.1"])
@pytest.mark.parametrize("name", ["taken_s", "burst", "revision"])
def test_invalid_numbers_are_refused(page: TestClient, jpeg: bytes, name: str, value: str) -> None:
    response = page.post(FRAMES, params={"keep": "1", name: value}, content=jpeg, headers=JPEG)
    assert_refused(response, 422, f"query.{name}: Input should be")


def test_long_query_is_refused(page: TestClient) -> None:
    assert_refused(page.get("/api/recording?" + "x" * 60_000), 414, "too long")


def test_invalid_camera_info_is_ignored(page: TestClient, controller: RecordingController) -> None:
    for label, settings in [
        (None, None),
        (["x"], [1]),
        ({"a": 1}, "x"),
        ("\u202e" * 9, {"width": float("1e300"), "height": {}}),
    ]:
        assert page.post("/api/recording/camera", json={"label": label, "settings": settings}).status_code == 200
    assert page.post(
        "/api/recording/camera", content=b'{"settings": {"width": NaN}}', headers={"Content-Type": "application/json"}
    )
    assert all(camera["settings"] == {} for camera in controller.cameras)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
def test_unsupported_methods_are_refused(page: TestClient, method: str) -> None:
    response = page.request(method, "/api/recording/undo")
    assert (response.status_code, "does not support" in response.json()["error"]) == (405, True)


def test_rate_limit(open_studio: Any, jpeg: bytes) -> None:
    with open_studio() as studio, create_client(studio) as client:
        # A clock that stands still.
        studio.recording.active_page = ActivePage(60, taken_over_message="", clock=lambda: 0.0)
        join(client, "ben")
        frames = [client.post(FRAMES, content=jpeg, headers=JPEG) for _ in range(40)]
        assert_refused(frames[-1], 429, "at most 60 per second")
        assert frames[-1].headers["retry-after"] == "1"
        assert sum(response.status_code == 200 for response in frames) == 24
        others = [client.post("/api/recording/undo") for _ in range(60)]
        assert_refused(others[-1], 429, "Try again in a second")
        assert_refused(client.post("/api/recording", json={"signer": "ben"}), 429, "Try again in a second")


def test_concurrent_requests_are_limited() -> None:
    import anyio

    async def wait_forever(scope: Any, receive: Any, send: Any) -> None:
        await anyio.sleep_forever()

    statuses: list[int] = []

    async def request(policy: AccessPolicy) -> None:
        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])

        async def receive() -> Any:
            raise AssertionError("the body is not read")

        scope = {
            "type": "http",
            "method": "GET",
            "path": "/",
            "query_string": b"",
            "headers": [(b"host", b"localhost:80")],
        }
        await policy(scope, receive, send)

    async def send_many() -> None:
        policy = AccessPolicy(wait_forever, Addresses(hosts=LOOPBACK_HOSTS, port=80))
        async with anyio.create_task_group() as group:
            for _ in range(MAX_CONCURRENT_REQUESTS + 3):
                group.start_soon(request, policy)
            with anyio.fail_after(5):
                while len(statuses) < 3:
                    await anyio.sleep(0.01)
            group.cancel_scope.cancel()

    anyio.run(send_many)
    assert statuses == [503, 503, 503]


def test_largest_frame_fits_size_limit() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (720, 1280, 3), np.uint8)
    assert len(encode_jpeg(noise)) < request_limits.MAX_FRAME_BYTES  # noise compresses worse than any photo
    assert request_limits.MAX_PIXELS >= 1920 * 1080
