"""Certificates that servers show, whoever has signed them, and how long they are valid."""

import socket
import ssl
from datetime import UTC, datetime, timedelta

from cryptography import x509

from harbor_verify.errors import NoAnswer


def shown_at(host: str, port: int, *, timeout_s: float) -> x509.Certificate:
    """The certificate that a server shows to who asks for `host`. It is not checked. Raises NoAnswer."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with (
            socket.create_connection((host, port), timeout_s) as plain,
            context.wrap_socket(plain, server_hostname=host) as secured,
        ):
            shown = secured.getpeercert(binary_form=True)
    except OSError as silent:
        raise NoAnswer(f"TLS to {host}:{port}: {silent}", sent=False) from silent
    if not shown:
        raise NoAnswer(f"TLS to {host}:{port}: no certificate is shown", sent=True)
    return x509.load_der_x509_certificate(shown)


def end_of(certificate: x509.Certificate) -> str:
    """`ends on 2026-12-01, in 7 days`, or since when it has expired."""
    left = certificate.not_valid_after_utc - datetime.now(UTC)
    if left < timedelta():
        return f"expired on {certificate.not_valid_after_utc:%Y-%m-%d}"
    return f"ends on {certificate.not_valid_after_utc:%Y-%m-%d}, in {left.days} days"
