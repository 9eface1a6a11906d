"""A private certificate authority, as companies have one: what servers of the lab show where they speak TLS.

Whoever is to trust them is given the authority's certificate: docker, containerd, the suite. The cluster's own
certificates are another subject (`lab.kubernetes.certificates`).
"""

import datetime
import ipaddress
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from lab import settings

_NAME = "harbor-lab private authority"
_VALID_DAYS = 3650


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, both PEM."""

    certificate: str
    key: str = field(repr=False)


def certificate_file() -> Path:
    """The authority's certificate (PEM), which is made when it is not there."""
    file = _folder() / "ca.crt"
    if not file.exists():
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name(_NAME)
        made = _builder(name, name, key).add_extension(
            x509.BasicConstraints(ca=True, path_length=0), critical=True
        )
        usage = x509.KeyUsage(
            digital_signature=False, content_commitment=False, key_encipherment=False, data_encipherment=False,
            key_agreement=False, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False,
        )  # fmt: skip
        made = made.add_extension(usage, critical=True)
        _write(_folder() / "ca.key", _pem_of_key(key))
        _write(file, _pem(made.sign(key, hashes.SHA256())))
    return file


def pair(name: str, hosts: Iterable[str], *, valid_days: int | None = None) -> Pair:
    """The certificate of the server `name`, good for these host names and addresses, and its key.

    The same each time; another one when the hosts are others. `valid_days`: one of its own that ends after so many
    days from when it was made; None: after years.
    """
    wanted = sorted(set(hosts))
    file = _folder() / (f"{name}.json" if valid_days is None else f"{name}-of-{valid_days}-days.json")
    if file.exists():
        kept = json.loads(file.read_text())
        if kept["hosts"] == wanted:
            return Pair(kept["certificate"], kept["key"])
    made = _issue(name, wanted, valid_days or _VALID_DAYS)
    _write(file, json.dumps({"hosts": wanted, "certificate": made.certificate, "key": made.key}))
    return made


def _issue(name: str, hosts: list[str], valid_days: int) -> Pair:
    issuer = x509.load_pem_x509_certificate(certificate_file().read_bytes())
    issuer_key = serialization.load_pem_private_key((_folder() / "ca.key").read_bytes(), None)
    assert isinstance(issuer_key, ec.EllipticCurvePrivateKey)
    key = ec.generate_private_key(ec.SECP256R1())
    made = (
        _builder(_name(name), issuer.subject, key, valid_days)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(list(map(_alternative, hosts))), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False
        )
        .sign(issuer_key, hashes.SHA256())
    )
    return Pair(_pem(made), _pem_of_key(key))


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, valid_days: int = _VALID_DAYS
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=valid_days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _alternative(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _pem_of_key(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def _write(file: Path, text: str) -> None:
    """Readable by its owner only, whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f"{file.name}.partial")
    partial.touch(mode=0o600)
    partial.write_text(text)
    partial.rename(file)


def _folder() -> Path:
    return settings.STATE / "authority"
