"""A certificate for HTTPS: without it, a browser on another machine gives no page its camera."""

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

VALID: Final = timedelta(days=30)
_EARLIER: Final = timedelta(days=1)
"""Telephones' clocks are wrong at times."""


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """A certificate and its key, as PEM files; `fingerprint` is its SHA-256 as browsers show it."""

    file: Path
    key: Path
    fingerprint: str


@contextmanager
def create_self_signed(hosts: Iterable[str], *, now: datetime) -> Iterator[Certificate]:
    """Make a certificate that signs itself; file and key are gone when the block ends.

    Args:
        hosts: names and addresses that it is for.
        now: it is valid from a day before this to 30 days after.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "aslkit")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _EARLIER)
        .not_valid_after(now + VALID)
        .add_extension(x509.SubjectAlternativeName([_named(host) for host in hosts]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, SHA256())
    )
    with TemporaryDirectory(prefix="aslkit-") as folder:
        file, key_file = Path(folder) / "certificate.pem", Path(folder) / "key.pem"
        file.write_bytes(certificate.public_bytes(Encoding.PEM))
        with os.fdopen(os.open(key_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as secret:
            secret.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        yield Certificate(file=file, key=key_file, fingerprint=_fingerprint(certificate))


def load_certificate(file: Path, key: Path) -> Certificate:
    """The user's own certificate.

    Raises:
        InputError: one of the files cannot be read, or the certificate is none.
    """
    try:
        certificate = x509.load_pem_x509_certificate(file.read_bytes())
        key.read_bytes()
    except OSError as error:
        raise InputError(f"{error.filename} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise InputError(f"{file} is not a certificate in PEM form: {error}.") from error
    return Certificate(file=file, key=key, fingerprint=_fingerprint(certificate))


def _named(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host.strip("[]")))
    except ValueError:
        return x509.DNSName(host)


def _fingerprint(certificate: x509.Certificate) -> str:
    digest = hashlib.sha256(certificate.public_bytes(Encoding.DER)).hexdigest().upper()
    return ":".join(digest[at : at + 2] for at in range(0, len(digest), 2))
