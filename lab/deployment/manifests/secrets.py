"""The secrets that the parts of Harbor share, made once for a lab and kept with it."""

import datetime
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol, Self, TypeVar, cast

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

_VALID_DAYS = 3650


class Made(Protocol):
    """A dataclass of text, whose `make` makes a new one."""

    @classmethod
    def make(cls) -> Self: ...


S = TypeVar("S", bound=Made)


def kept(file: Path, kind: type[S]) -> S:
    """The secrets of that kind in `file`, which is made, readable by its owner only, when it is not there."""
    if not file.exists():
        partial = file.with_suffix(".partial")
        partial.touch(mode=0o600)
        partial.write_text(json.dumps(asdict(cast(Any, kind.make()))))
        partial.rename(file)
    return kind(**json.loads(file.read_text()))


def token_pair() -> tuple[str, str]:
    """A new key to sign tokens with, and its certificate, both PEM."""
    return key_pair("harbor-token-issuer")


def key_pair(
    common_name: str, *, hosts: Sequence[str] = (), valid_days: int = _VALID_DAYS
) -> tuple[str, str]:
    """A new key and a certificate of it, its own authority, that servers with these names can show; both PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=valid_days))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    )
    if hosts:
        names = x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts])
        builder = builder.add_extension(names, critical=False)
    certificate = builder.sign(key, hashes.SHA256())
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    return pem.decode(), certificate.public_bytes(serialization.Encoding.PEM).decode()
