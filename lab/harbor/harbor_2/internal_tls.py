"""TLS between Harbor's own programs."""

import os
import ssl
from collections.abc import Mapping
from functools import cache

from ..termination import Fatal
from . import authorities


def of_environment(environment: Mapping[str, str] = os.environ) -> ssl.SSLContext | None:
    """What a program serves with that is told by INTERNAL_TLS_…; None: plain HTTP. Raises Fatal."""
    if environment.get("INTERNAL_TLS_ENABLED", "").lower() != "true":
        return None
    return _served_with(
        environment.get("INTERNAL_TLS_CERT_PATH", ""), environment.get("INTERNAL_TLS_KEY_PATH", "")
    )


def of_configuration(document: Mapping[str, object]) -> ssl.SSLContext | None:
    """The same of a program that is told by `protocol` and `https_config` of its configuration. Raises Fatal."""
    if document.get("protocol") != "https":
        return None
    files = document.get("https_config")
    files = files if isinstance(files, dict) else {}
    return _served_with(str(files.get("cert", "")), str(files.get("key", "")))


@cache
def trusted() -> ssl.SSLContext:
    """What the others are asked with: Harbor's own authority is trusted beside all others. Read once."""
    context = ssl.create_default_context(cafile=authorities.file())
    if authority := os.environ.get("INTERNAL_TLS_TRUST_CA_PATH"):
        context.load_verify_locations(authority)
    return context


def _served_with(certificate: str, key: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(certificate, key)
    except OSError as failure:
        raise Fatal(f"internal TLS: {certificate!r}, {key!r}: {failure}") from None
    return context
