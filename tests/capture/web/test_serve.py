"""The server on a real port: startup, shutdown, certificates, and slow or malformed clients."""

import gc
import hashlib
import ipaddress
import os
import signal
import socket
import ssl
import stat
import subprocess
import sys
import textwrap
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

from aslkit.capture.session.recording import Recording
from aslkit.capture.web.frame_analyzer import FrameAnalyzer, HandFrameAnalyzer
from aslkit.capture.web.serve import RecordingServer, serve_recording
from aslkit.core.errors import AslkitError, InputError
from aslkit.vision.images import decode_image
from aslkit.web import request_limits
from aslkit.web.certificate import create_self_signed, load_certificate

RunServer = Callable[..., AbstractContextManager[Any]]


def record_frame(client: httpx.Client, jpeg: bytes, *, origin: str) -> dict[str, Any]:
    """Join, send one frame to be stored, and return the response."""
    client.headers["Origin"] = origin
    client.headers["X-Page"] = client.post("/join", json={}).json()["page"]
    response = client.post("/frames?keep=1", content=jpeg, headers={"Content-Type": "image/jpeg"})
    return dict(response.json())


def test_recording_over_a_real_port(run_server: RunServer, analyze_frame: FrameAnalyzer, jpeg: bytes) -> None:
    with run_server(analyze_frame=analyze_frame) as (server, recording, future):
        origin = server.url.rstrip("/")
        with httpx.Client(base_url=origin) as client:
            assert record_frame(client, jpeg, origin=origin)["stored"]
            assert client.post("/finish", json={}).json()["stored"] == {"A": 1}
        result = future.result(10)
    assert (result.finished, result.frames, result.failure) == (True, 1, None)
    assert recording.stored == {"A": 1}


def test_startup_messages_on_loopback(recording: Recording, analyze_frame: FrameAnalyzer) -> None:
    with RecordingServer(recording, analyze_frame=analyze_frame) as server:
        assert list(server.startup_messages()) == [
            f"Open http://127.0.0.1:{server.addresses.port}/",
            "To end the recording, press Ctrl-C, or Finish on the page.",
        ]


def test_network_server_uses_https_and_token(run_server: RunServer, analyze_frame: FrameAnalyzer, jpeg: bytes) -> None:
    with run_server(analyze_frame=analyze_frame, host="0.0.0.0") as (server, _, _):
        open_line, warning, fingerprint, access_line, _ = server.startup_messages()
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


def test_own_certificate(
    run_server: RunServer, recording: Recording, analyze_frame: FrameAnalyzer, tmp_path: Path
) -> None:
    with create_self_signed(["127.0.0.1"], now=datetime.now(UTC)) as certificate:
        with RecordingServer(
            recording, analyze_frame=analyze_frame, certificate=certificate.file, key=certificate.key
        ) as server:
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
            RecordingServer(recording, analyze_frame=analyze_frame, certificate=certificate.file, key=other.key)
        with pytest.raises(InputError, match="or neither"):
            RecordingServer(recording, analyze_frame=analyze_frame, certificate=certificate.file)
        with pytest.raises(InputError, match=r"none\.pem cannot be read: No such file"):
            RecordingServer(
                recording, analyze_frame=analyze_frame, certificate=tmp_path / "none.pem", key=certificate.key
            )
        with pytest.raises(InputError, match="not a certificate"):
            RecordingServer(recording, analyze_frame=analyze_frame, certificate=certificate.key, key=certificate.key)


def test_used_port_is_reported(recording: Recording, analyze_frame: FrameAnalyzer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(AslkitError, match=f"Port {port} is used by another program. Give --port another number"):
            serve_recording(recording, port=port, analyze_frame=analyze_frame, on_message=print)


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
def test_invalid_address_is_reported(
    recording: Recording, analyze_frame: FrameAnalyzer, host: str, port: int, message: str
) -> None:
    with pytest.raises(AslkitError, match=message):
        serve_recording(recording, host=host, port=port, analyze_frame=analyze_frame, on_message=print)


def test_slow_body_times_out(
    run_server: RunServer, analyze_frame: FrameAnalyzer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_limits, "BODY_TIMEOUT_S", 0.3)
    with run_server(analyze_frame=analyze_frame) as (server, _, _):
        port = server.addresses.port
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            head = f"POST /frames HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: http://127.0.0.1:{port}\r\n"
            connection.sendall(f"{head}Content-Type: image/jpeg\r\nContent-Length: 1000\r\n\r\n\xff".encode("latin-1"))
            assert b"408" in connection.recv(64)


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"], ids=["http", "https"])
def test_half_open_connections_block_neither_recording_nor_shutdown(
    run_server: RunServer, analyze_frame: FrameAnalyzer, jpeg: bytes, host: str
) -> None:
    with run_server(analyze_frame=analyze_frame, host=host) as (server, _, future), ExitStack() as stack:
        port, token = server.addresses.port, server.addresses.token
        origin = f"{server.addresses.scheme}://127.0.0.1:{port}"
        head = f"POST /frames HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: {origin}\r\nContent-Type: image/jpeg\r\n"
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
            client.post("/finish", json={})
        finished_at = time.monotonic()
        assert future.result(20).finished
        assert time.monotonic() - finished_at < 6  # active requests get 3 s to complete


def test_connection_accepted_during_shutdown_is_closed(
    run_server: RunServer, analyze_frame: FrameAnalyzer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aslkit.web.server._SHUTDOWN_TIMEOUT_S", 1)
    # A connection that is accepted after the others were shut down never gets this call.
    monkeypatch.setattr("uvicorn.protocols.http.h11_impl.H11Protocol.shutdown", lambda self: None)
    with run_server(analyze_frame=analyze_frame) as (server, _, future):
        with socket.create_connection(("127.0.0.1", server.addresses.port), timeout=10) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            connection.recv(100)
            server.stop()
            future.result(20)
            with suppress(ConnectionResetError):
                while connection.recv(65_536):  # until the server has closed it
                    pass
        gc.collect()  # reports a connection that is left open


def test_nagle_algorithm_is_disabled(recording: Recording, analyze_frame: FrameAnalyzer) -> None:
    with RecordingServer(recording, analyze_frame=analyze_frame) as server:  # otherwise responses are delayed by 40 ms
        assert server.listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # TLS handshake to a plain HTTP port
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET /" + b"x" * 40_000 + b" HTTP/1.1\r\n\r\n",
        b"NONSENSE\r\n\r\n",
        b"POST /frames HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
)
def test_malformed_requests_are_refused(
    run_server: RunServer, analyze_frame: FrameAnalyzer, capfd: pytest.CaptureFixture[str], data: bytes
) -> None:
    with run_server(analyze_frame=analyze_frame) as (server, _, _):
        with socket.create_connection(("127.0.0.1", server.addresses.port), timeout=10) as connection:
            connection.sendall(data)
            assert connection.recv(64)[:12] in (b"HTTP/1.1 400", b"HTTP/1.1 421")
        assert httpx.get(f"{server.url}state").status_code == 200
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


SERVE_SCRIPT = """
    import sys
    from collections import Counter
    from pathlib import Path
    from aslkit.capture.config import CaptureConfig, GateConfig
    from aslkit.vision.frame_metrics import measure_frame
    from aslkit.capture.session.store import Session
    from aslkit.capture.session.recording import Recording
    from aslkit.capture.web.serve import serve_recording
    from aslkit.formats.captures import SessionInfo
    from aslkit.core.config import load_settings
    from aslkit.core.workspace import Workspace

    workspace = Workspace(root=Path(sys.argv[1]))
    info = SessionInfo(signer="ada", session="one", camera="browser")
    capture, gate = load_settings("capture", CaptureConfig), load_settings("gate", GateConfig, flags={"enabled": False})
    with Session.open(workspace, info, measure=None) as session:
        recording = Recording(session, capture=capture, gate=gate, letters="A", counts=Counter())
        announce = lambda line: print(line, flush=True)
        analyze = lambda frame, time_s: measure_frame(frame, [])
        result = serve_recording(recording, on_message=announce, analyze_frame=analyze)
        recording.close()
    print("closed", result.frames, result.finished)
"""


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM])
def test_signal_stops_server_and_caller_can_close(signal_number: signal.Signals, tmp_path: Path, jpeg: bytes) -> None:
    arguments = [sys.executable, "-c", textwrap.dedent(SERVE_SCRIPT), str(tmp_path)]
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().split()[1]
        with httpx.Client(base_url=url, timeout=30) as client:
            assert record_frame(client, jpeg, origin=url.rstrip("/"))["stored"]
        process.send_signal(signal_number)
        out, err = process.communicate(timeout=30)
    assert out.splitlines()[-1] == "closed 1 False"
    assert err == ""
    assert len(list(tmp_path.glob("captures/ada/one/A/*.jpg"))) == 1
