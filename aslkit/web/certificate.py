"""TLS certificates. Browsers only allow camera access over HTTPS, except to pages of their own machine."""

import hashlib
import ipaddress
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from aslkit.core.errors import InputError

VALIDITY: Final = timedelta(days=30)
_CLOCK_TOLERANCE: Final = timedelta(days=1)
"""The certificate is backdated by this, because clocks of phones may be slow."""


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """A certificate and its private key.

    Attributes:
        file: PEM file with the certificate.
        key: PEM file with the private key.
        fingerprint: SHA-256 of the certificate, formatted as in browsers.
    """

    file: Path
    key: Path
    fingerprint: str


@contextmanager
def create_self_signed(hosts: Iterable[str], *, now: datetime) -> Iterator[Certificate]:
    """Create a self-signed certificate; its files are deleted at the end of the block.

    Args:
        hosts: host names and IP addresses that the certificate is valid for.
        now: current time. The certificate is valid from one day before to 30 days after it.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "aslkit")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_TOLERANCE)
        .not_valid_after(now + VALIDITY)
        # Browsers ignore the common name and only compare these.
        .add_extension(x509.SubjectAlternativeName([_general_name(host) for host in hosts]), critical=False)
        # No authority: a user who trusts this certificate trusts no others signed with its key.
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, SHA256())
    )
    with TemporaryDirectory(prefix="aslkit-") as folder:
        file, key_file = Path(folder) / "certificate.pem", Path(folder) / "key.pem"
        file.write_bytes(certificate.public_bytes(Encoding.PEM))
        # Created with its final mode, so that no other user can open the key before a chmod.
        with os.fdopen(os.open(key_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
            stream.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        yield Certificate(file=file, key=key_file, fingerprint=_fingerprint(certificate))


def load_certificate(file: Path, key: Path) -> Certificate:
    """Load a certificate that the user provides.

    Raises:
        InputError: one of the files cannot be read, or `file` is not a PEM certificate.
    """
    try:
        certificate = x509.load_pem_x509_certificate(file.read_bytes())
        # Only to name the file if it cannot be read; uvicorn loads it later.
        key.read_bytes()
    except OSError as error:
        raise InputError(f"{error.filename} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise InputError(f"{file} is not a certificate in PEM format: {error}.") from error
    return Certificate(file=file, key=key, fingerprint=_fingerprint(certificate))


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host.strip("[]")))
    except ValueError:
        return x509.DNSName(host)


def _fingerprint(certificate: x509.Certificate) -> str:
    digest = hashlib.sha256(certificate.public_bytes(Encoding.DER)).hexdigest().upper()
    return ":".join(digest[i : i + 2] for i in range(0, len(digest), 2))
