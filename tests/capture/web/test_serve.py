"""A server on a real port: how it begins, how it ends, and what a slow or rude client does to it."""

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
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509

from aslkit.capture.session.recording import Recording
from aslkit.capture.web.frame_analyzer import FrameAnalyzer, HandFrameAnalyzer
from aslkit.capture.web.serve import RecordingServer, serve_recording
from aslkit.core.errors import AslkitError, InputError
from aslkit.vision.images import decode_image
from aslkit.web import idle_timeout, request_limits
from aslkit.web.certificate import create_self_signed, load_certificate

Running = Callable[..., AbstractContextManager[Any]]


def record(client: httpx.Client, jpeg: bytes, *, origin: str) -> dict[str, Any]:
    """Join, and send one frame that is to be kept."""
    client.headers["Origin"] = origin
    client.headers["X-Page"] = client.post("/join", json={}).json()["page"]
    answer = client.post("/frames?keep=1", content=jpeg, headers={"Content-Type": "image/jpeg"})
    return dict(answer.json())


def test_recording_over_a_real_port(running: Running, look: FrameAnalyzer, jpeg: bytes) -> None:
    with running(look=look) as (service, sitting, result):
        origin = service.url.rstrip("/")
        with httpx.Client(base_url=origin) as client:
            assert record(client, jpeg, origin=origin)["stored"]
            assert client.post("/finish", json={}).json()["stored"] == {"A": 1}
        served = result.result(10)
    assert (served.finished, served.frames, served.failure) == (True, 1, None)
    assert sitting.stored == {"A": 1}


def test_what_is_announced_on_this_machine(sitting: Recording, look: FrameAnalyzer) -> None:
    with RecordingServer(sitting, look=look) as service:
        assert list(service.words()) == [
            f"Open http://127.0.0.1:{service.addresses.port}/",
            "Ctrl-C, or Finish on the page, ends the sitting.",
        ]


def test_beyond_this_machine_it_takes_https_and_the_token(running: Running, look: FrameAnalyzer, jpeg: bytes) -> None:
    with running(look=look, host="0.0.0.0") as (service, _, _):
        opened, warned, fingerprint, network, _ = service.words()
        assert opened.startswith("Open https://")
        assert "?token=" in opened
        assert warned == "The browser warns of a certificate it does not know. Compare its SHA-256 before going on:"
        assert "on the network" in network
        port = service.addresses.port
        shown = ssl.get_server_certificate(("127.0.0.1", port))
        digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(shown)).hexdigest().upper()
        assert fingerprint.replace(":", "") == digest
        trusted = ssl.create_default_context(cadata=shown)  # the name must fit, too
        with httpx.Client(base_url=f"https://127.0.0.1:{port}", verify=trusted) as client:
            assert client.get("/").status_code == 401
            assert client.get("/", params={"token": service.addresses.token}).status_code == 200
            assert record(client, jpeg, origin=f"https://127.0.0.1:{port}")["stored"]


def test_a_certificate_is_for_its_hosts_and_for_a_month() -> None:
    now = datetime(2026, 1, 2, tzinfo=UTC)
    with create_self_signed(["192.0.2.7", "[::1]", "ada.local"], now=now) as made:
        certificate = x509.load_pem_x509_certificate(made.file.read_bytes())
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        addresses = [ipaddress.ip_address("192.0.2.7"), ipaddress.ip_address("::1")]
        assert names.get_values_for_type(x509.IPAddress) == addresses
        assert names.get_values_for_type(x509.DNSName) == ["ada.local"]
        assert certificate.not_valid_after_utc - now == timedelta(days=30)
        assert stat.S_IMODE(made.key.stat().st_mode) == 0o600
    assert not made.key.parent.exists()


def test_a_certificate_of_ones_own(running: Running, sitting: Recording, look: FrameAnalyzer, tmp_path: Path) -> None:
    with create_self_signed(["127.0.0.1"], now=datetime.now(UTC)) as made:
        with RecordingServer(sitting, look=look, certificate=made.file, key=made.key) as service:
            assert service.url.startswith("https://127.0.0.1:")
            said = list(service.words())
            assert said[1:3] == [
                "Only if the browser warns of the certificate, compare its SHA-256 before going on:",
                load_certificate(made.file, made.key).fingerprint,
            ]
        with (
            create_self_signed(["127.0.0.1"], now=datetime.now(UTC)) as other,
            pytest.raises(InputError, match="fit together"),
        ):
            RecordingServer(sitting, look=look, certificate=made.file, key=other.key)
        with pytest.raises(InputError, match="Give both, or none"):
            RecordingServer(sitting, look=look, certificate=made.file)
        with pytest.raises(InputError, match=r"none\.pem cannot be read: No such file"):
            RecordingServer(sitting, look=look, certificate=tmp_path / "none.pem", key=made.key)
        with pytest.raises(InputError, match="not a certificate"):
            RecordingServer(sitting, look=look, certificate=made.key, key=made.key)


def test_a_port_that_is_taken(sitting: Recording, look: FrameAnalyzer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(AslkitError, match=f"Port {port} is taken by another program. Give --port another number"):
            serve_recording(sitting, port=port, look=look, on_message=print)


@pytest.mark.parametrize(
    ("host", "port", "words"),
    [
        ("nobody.invalid", 0, "--host"),
        ("192.0.2.1", 0, "--host an address of this machine"),
        ("127.0.0.1", 70_000, "--port must be from 0 to 65535"),
        ("127.0.0.1", -1, "--port must be from 0 to 65535"),
        ("", 0, "--host"),
        ("a" * 100, 0, "--host"),
    ],
)
def test_where_nothing_can_listen(sitting: Recording, look: FrameAnalyzer, host: str, port: int, words: str) -> None:
    with pytest.raises(AslkitError, match=words):
        serve_recording(sitting, host=host, port=port, look=look, on_message=print)


def test_a_body_that_drips_is_let_go(running: Running, look: FrameAnalyzer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_limits, "BODY_S", 0.3)
    with running(look=look) as (service, _, _):
        port = service.addresses.port
        with socket.create_connection(("127.0.0.1", port), timeout=10) as slow:
            head = f"POST /frames HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: http://127.0.0.1:{port}\r\n"
            slow.sendall(f"{head}Content-Type: image/jpeg\r\nContent-Length: 1000\r\n\r\n\xff".encode("latin-1"))
            assert b"408" in slow.recv(64)


def test_a_connection_that_says_nothing_is_let_go(
    running: Running, look: FrameAnalyzer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idle_timeout, "HEAD_S", 0.3)
    with running(look=look) as (service, _, _):
        with socket.create_connection(("127.0.0.1", service.addresses.port), timeout=10) as silent:
            silent.sendall(b"GET / HTTP/1.1\r\nHost:")
            assert silent.recv(64) == b""
        assert httpx.get(f"{service.url}state").status_code == 200


def test_answers_do_not_wait_for_more(sitting: Recording, look: FrameAnalyzer) -> None:
    with RecordingServer(sitting, look=look) as service:  # Nagle's algorithm would add 40 ms to each
        assert service.listening.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # TLS to a port without
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET /" + b"x" * 40_000 + b" HTTP/1.1\r\n\r\n",
        b"NONSENSE\r\n\r\n",
        b"POST /frames HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
)
def test_rude_bytes(running: Running, look: FrameAnalyzer, capfd: pytest.CaptureFixture[str], sent: bytes) -> None:
    with running(look=look) as (service, _, _):
        with socket.create_connection(("127.0.0.1", service.addresses.port), timeout=10) as rude:
            rude.sendall(sent)
            assert rude.recv(64)[:12] in (b"HTTP/1.1 400", b"HTTP/1.1 421")
        assert httpx.get(f"{service.url}state").status_code == 200
    assert capfd.readouterr().err == ""


def test_the_real_looker_sees_the_hand_and_its_speed(jpeg: bytes) -> None:
    with HandFrameAnalyzer() as look:
        first, second = (look(decode_image(jpeg), time_s) for time_s in (0.0, 0.1))
    assert first.hands == 1
    assert first.speed is None
    assert second.speed == pytest.approx(0, abs=0.05)


SCRIPT = """
    import sys
    from collections import Counter
    from pathlib import Path
    from aslkit.capture.config import CaptureConfig, GateConfig
    from aslkit.vision.frame_metrics import measure_frame
    from aslkit.capture.session.store import Session
    from aslkit.capture.session.recording import Recording
    from aslkit.capture.web.serve import serve_recording
    from aslkit.formats.captures import SessionInfo
    from aslkit.core.config import load
    from aslkit.core.workspace import Workspace

    workspace = Workspace(root=Path(sys.argv[1]))
    info = SessionInfo(signer="ada", session="one", camera="browser")
    capture, gate = load("capture", CaptureConfig), load("gate", GateConfig, flags={"enabled": False})
    with Session.open(workspace, info, look_at=None) as session:
        sitting = Recording(session, capture=capture, gate=gate, letters="A", counts=Counter())
        announce = lambda line: print(line, flush=True)
        served = serve_recording(sitting, on_message=announce, look=lambda frame, time_s: measure_frame(frame, []))
        sitting.close()
    print("closed", served.frames, served.finished)
"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_lets_the_caller_close(how: signal.Signals, tmp_path: Path, jpeg: bytes) -> None:
    arguments = [sys.executable, "-c", textwrap.dedent(SCRIPT), str(tmp_path)]
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().split()[1]
        with httpx.Client(base_url=url, timeout=30) as client:
            assert record(client, jpeg, origin=url.rstrip("/"))["stored"]
        process.send_signal(how)
        out, err = process.communicate(timeout=30)
    assert out.splitlines()[-1] == "closed 1 False"
    assert err == ""
    assert len(list(tmp_path.glob("captures/ada/one/A/*.jpg"))) == 1
