"""The server on a real port: startup, shutdown, certificates, and slow or malformed clients."""

import gc
import hashlib
import ipaddress
import json
import signal
import socket
import ssl
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from cryptography import x509

from aslkit.capture.web.frame_analyzer import HandFrameAnalyzer
from aslkit.core.errors import AslkitError, InputError
from aslkit.studio.serve import StudioServer, run_studio
from aslkit.studio.studio import Studio
from aslkit.vision.images import decode_image
from aslkit.web import request_limits
from aslkit.web.certificate import create_self_signed, load_certificate

RunServer = Callable[..., AbstractContextManager[Any]]


def record_frame(client: httpx.Client, jpeg: bytes, *, origin: str) -> dict[str, Any]:
    """Join, send one frame to be stored, and return the response."""
    client.headers["Origin"] = origin
    client.headers["X-Page"] = client.post("/api/recording", json={"signer": "ada"}).json()["page"]
    response = client.post("/api/recording/frames?keep=1", content=jpeg, headers={"Content-Type": "image/jpeg"})
    return dict(response.json())


def test_recording_over_a_real_port(run_server: RunServer, jpeg: bytes) -> None:
    with run_server() as (server, studio), httpx.Client(base_url=server.addresses.url("127.0.0.1")) as client:
        assert record_frame(client, jpeg, origin=str(client.base_url).rstrip("/"))["stored"]
        assert client.delete("/api/recording").json()["stored"] == {"A": 1}
    (result,) = studio.recording.results
    assert (result.stored, result.end_reason) == (1, "finished on the page")
    assert result.report["seen"] == 1


def test_startup_messages_on_loopback(studio: Studio) -> None:
    with StudioServer(studio) as server:
        assert list(server.startup_messages()) == [
            f"Open http://127.0.0.1:{server.addresses.port}/#record",
            "To stop, press Ctrl-C. Everything is stored at once.",
        ]


def test_events_follow_a_change_and_do_not_delay_the_shutdown(run_server: RunServer) -> None:
    with run_server() as (server, studio), httpx.Client(base_url=server.addresses.url("127.0.0.1")) as client:
        client.headers["Origin"] = str(client.base_url).rstrip("/")
        with client.stream("GET", "/api/events") as response:
            events = (json.loads(line[6:]) for line in response.iter_lines() if line.startswith("data: "))
            first = next(events)
            assert {"people", "recording", "review", "job", "runs", "guidance"} == set(first)
            client.put("/api/people", json={"name": "zoe"})
            assert [person["name"] for person in next(events)["people"]] == ["ada", "zoe"]
            started_s = time.monotonic()
            server.stop()
            assert [event for event in events if "people" in event] == []
            assert time.monotonic() - started_s < 2
    assert studio.events.values(["recording"]) == {"recording": {"signer": None}}


def test_network_server_uses_https_and_token(run_server: RunServer, jpeg: bytes) -> None:
    with run_server(host="0.0.0.0") as (server, _):
        open_line, warning, fingerprint, access_line, _, code = server.startup_messages()
        assert "scan this" in code
        assert open_line.startswith("Open https://")
        assert "?token=" in open_line
        assert (
            warning
            == "The browser warns about an unknown certificate. Compare its SHA-256 fingerprint before you continue:"
        )
        assert "on the network" in access_line
        port = server.addresses.port
        certificate = ssl.get_server_certificate(("127.0.0.1", port))
        digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(certificate)).hexdigest().upper()
        assert fingerprint.replace(":", "") == digest
        trusted = ssl.create_default_context(cadata=certificate)  # also checks the host name
        with httpx.Client(base_url=f"https://127.0.0.1:{port}", verify=trusted) as client:
            assert client.get("/").status_code == 401
            assert client.get("/", params={"token": server.addresses.token}).status_code == 200
            assert record_frame(client, jpeg, origin=f"https://127.0.0.1:{port}")["stored"]


def test_self_signed_certificate_is_valid_for_hosts_and_30_days() -> None:
    now = datetime(2026, 1, 2, tzinfo=UTC)
    with create_self_signed(["192.0.2.7", "[::1]", "ada.local"], now=now) as certificate:
        parsed = x509.load_pem_x509_certificate(certificate.file.read_bytes())
        names = parsed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        addresses = [ipaddress.ip_address("192.0.2.7"), ipaddress.ip_address("::1")]
        assert names.get_values_for_type(x509.IPAddress) == addresses
        assert names.get_values_for_type(x509.DNSName) == ["ada.local"]
        assert parsed.not_valid_after_utc - now == timedelta(days=30)
        assert stat.S_IMODE(certificate.key.stat().st_mode) == 0o600
    assert not certificate.key.parent.exists()


def test_own_certificate(studio: Studio, tmp_path: Path) -> None:
    with create_self_signed(["127.0.0.1"], now=datetime.now(UTC)) as certificate:
        with StudioServer(studio, certificate=certificate.file, key=certificate.key) as server:
            assert server.url.startswith("https://127.0.0.1:")
            messages = list(server.startup_messages())
            assert messages[1:3] == [
                "If the browser warns about the certificate, compare its SHA-256 fingerprint before you continue:",
                load_certificate(certificate.file, certificate.key).fingerprint,
            ]
        with (
            create_self_signed(["127.0.0.1"], now=datetime.now(UTC)) as other,
            pytest.raises(InputError, match="do not match"),
        ):
            StudioServer(studio, certificate=certificate.file, key=other.key)
        with pytest.raises(InputError, match="or neither"):
            StudioServer(studio, certificate=certificate.file)
        with pytest.raises(InputError, match=r"none\.pem cannot be read: No such file"):
            StudioServer(studio, certificate=tmp_path / "none.pem", key=certificate.key)
        with pytest.raises(InputError, match="not a certificate"):
            StudioServer(studio, certificate=certificate.key, key=certificate.key)


def test_used_port_is_reported(studio: Studio) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(AslkitError, match=f"Port {port} is used by another program. Give --port another number"):
            run_studio(studio, port=port, on_message=print)


@pytest.mark.parametrize(
    ("host", "port", "message"),
    [
        ("nobody.invalid", 0, "--host"),
        ("192.0.2.1", 0, "--host an address of this machine"),
        ("127.0.0.1", 70_000, "--port must be from 0 to 65535"),
        ("127.0.0.1", -1, "--port must be from 0 to 65535"),
        ("", 0, "--host"),
        ("a" * 100, 0, "--host"),
    ],
)
def test_invalid_address_is_reported(studio: Studio, host: str, port: int, message: str) -> None:
    with pytest.raises(AslkitError, match=message):
        run_studio(studio, host=host, port=port, on_message=print)


def test_slow_body_times_out(run_server: RunServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_limits, "BODY_TIMEOUT_S", 0.3)
    with run_server() as (server, _):
        port = server.addresses.port
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            head = (
                f"POST /api/recording/frames HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: http://127.0.0.1:{port}\r\n"
            )
            connection.sendall(f"{head}Content-Type: image/jpeg\r\nContent-Length: 1000\r\n\r\n\xff".encode("latin-1"))
            assert b"408" in connection.recv(64)


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"], ids=["http", "https"])
def test_half_open_connections_block_neither_recording_nor_shutdown(
    run_server: RunServer, jpeg: bytes, host: str
) -> None:
    with run_server(host=host) as (server, _), ExitStack() as stack:
        port, token = server.addresses.port, server.addresses.token
        origin = f"{server.addresses.scheme}://127.0.0.1:{port}"
        head = f"POST /api/recording/frames HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: {origin}\r\n"
        head += "Content-Type: image/jpeg\r\n"
        incomplete = [
            b"",
            b"GET / HTTP/1.1\r\nHost:",
            b"\x16\x03\x01\x02\x00\x01",  # start of a TLS handshake
            f"{head}Content-Length: 1000\r\n\r\n".encode(),
        ]
        for data in incomplete * 12:
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10))
            connection.sendall(data)
        with httpx.Client(base_url=origin, verify=False) as client:
            client.get("/", params={"token": token} if token else None)  # sets the token cookie
            assert record_frame(client, jpeg, origin=origin)["stored"]
            client.delete("/api/recording")
        stopped_at = time.monotonic()
    assert time.monotonic() - stopped_at < 6  # active requests get 3 s to complete


def test_connection_accepted_during_shutdown_is_closed(run_server: RunServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aslkit.web.server._SHUTDOWN_TIMEOUT_S", 1)
    # A connection that is accepted after the others were shut down never gets this call.
    monkeypatch.setattr("uvicorn.protocols.http.h11_impl.H11Protocol.shutdown", lambda self: None)
    with run_server() as (server, _):
        with socket.create_connection(("127.0.0.1", server.addresses.port), timeout=10) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            connection.recv(100)
            server.stop()
            with suppress(ConnectionResetError):
                while connection.recv(65_536):  # until the server has closed it
                    pass
        gc.collect()  # reports a connection that is left open


def test_nagle_algorithm_is_disabled(studio: Studio) -> None:
    with StudioServer(studio) as server:  # otherwise responses are delayed by 40 ms
        assert server.listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # TLS handshake to a plain HTTP port
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET /" + b"x" * 40_000 + b" HTTP/1.1\r\n\r\n",
        b"NONSENSE\r\n\r\n",
        b"POST /api/recording/frames HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
)
def test_malformed_requests_are_refused(run_server: RunServer, capfd: pytest.CaptureFixture[str], data: bytes) -> None:
    with run_server() as (server, _):
        with socket.create_connection(("127.0.0.1", server.addresses.port), timeout=10) as connection:
            connection.sendall(data)
            assert connection.recv(64)[:12] in (b"HTTP/1.1 400", b"HTTP/1.1 421")
        assert httpx.get(f"http://127.0.0.1:{server.addresses.port}/api/state").status_code == 200
    assert capfd.readouterr().err == ""


def test_hand_frame_analyzer_measures_hand_and_speed(jpeg: bytes) -> None:
    with HandFrameAnalyzer() as analyze_frame:
        first, second = (analyze_frame(decode_image(jpeg), time_s) for time_s in (0.0, 0.1))
        without_hand = analyze_frame(np.full((48, 64, 3), 90, np.uint8), 0.2)
    assert first.hands == 1
    assert first.speed is None
    # Without a hand, the search continues in the next frame, so that curation has to search on its own.
    assert (first.independent, second.independent, without_hand.independent) == (True, True, False)
    assert second.speed == pytest.approx(0, abs=0.05)


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM])
def test_signal_stops_the_command_and_closes_the_recording(
    signal_number: signal.Signals, tmp_path: Path, jpeg: bytes
) -> None:
    command = "capture --web --signer ada --yes --no-gate --port 0 --json --workspace"
    arguments = [sys.executable, "-m", "aslkit", *command.split(), str(tmp_path)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        url = process.stderr.readline().split()[1].partition("#")[0]
        with httpx.Client(base_url=url, timeout=30) as client:
            assert record_frame(client, jpeg, origin=url.rstrip("/"))["stored"]
        process.send_signal(signal_number)
        out, err = process.communicate(timeout=30)
    assert json.loads(out)["stored"] == 1
    assert "Traceback" not in err
    assert len(list(tmp_path.glob("captures/ada/*/A/*.jpg"))) == 1
    session = json.loads(next(tmp_path.glob("captures/ada/*/session.json")).read_text())
    assert session["recordings"][0]["ended_by"] == "stopped with Ctrl-C"
