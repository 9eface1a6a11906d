"""Certificates that servers show, whoever has signed them, how long they are valid, and whom this side trusts."""

import socket
import ssl
import struct
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import requests.utils
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from harbor_verify import clock
from harbor_verify.errors import NoAnswer

DER = Encoding.DER
_SSL_REQUEST = struct.pack("!ii", 8, 80877103)


SYSTEMS_FILES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
"""Where authorities are that were given to a whole machine, on Debian and Alpine, Red Hat's, SUSE, macOS and the BSDs.
OpenSSL itself finds most of them in a folder alone, and Python's programs want a file. Source: each one's manual."""


def system_authorities() -> Path:
    """The file (PEM) of those that this side trusts as it is: the one that SSL_CERT_FILE names or OpenSSL was built
    with, the system's, or where there is none, Mozilla's, as `requests` brings them.
    """
    places = (ssl.get_default_verify_paths().cafile, *SYSTEMS_FILES)
    found = (Path(place) for place in places if place and Path(place).is_file())
    return next(found, Path(requests.utils.DEFAULT_CA_BUNDLE_PATH))


def ask_postgresql(connection: socket.socket) -> None:
    """Ask a PostgreSQL (or a pooler) to go on with TLS. Raises ConnectionError where it does not.

    Source: PostgreSQL: message formats, SSLRequest.
    """
    connection.sendall(_SSL_REQUEST)
    if connection.recv(1) != b"S":
        raise ConnectionRefusedError("it does not speak TLS")


def shown_at(
    host: str,
    port: int,
    *,
    timeout_s: float,
    first: Callable[[socket.socket], None] = lambda connection: None,
) -> x509.Certificate:
    """The certificate that a server shows to who asks for `host`; `first`: what is said before TLS begins.

    It is not checked. Raises NoAnswer.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with socket.create_connection((host, port), timeout_s) as plain:
            first(plain)
            with context.wrap_socket(plain, server_hostname=host) as secured:
                shown = secured.getpeercert(binary_form=True)
    except OSError as silent:
        raise NoAnswer(f"TLS to {host}:{port}: {silent}", sent=False) from silent
    if not shown:
        raise NoAnswer(f"TLS to {host}:{port}: no certificate is shown", sent=True)
    return x509.load_der_x509_certificate(shown)


def end_of(certificate: x509.Certificate) -> str:
    """`ends on 2026-12-01, in 7 days`, or since when it has expired."""
    left = certificate.not_valid_after_utc - clock.now()
    if left < timedelta():
        return f"expired on {certificate.not_valid_after_utc:%Y-%m-%d}"
    return f"ends on {certificate.not_valid_after_utc:%Y-%m-%d}, in {left.days} days"
