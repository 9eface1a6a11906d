"""HOST:PORT as one text, IPv6 addresses in brackets. Pure: no I/O."""

import ipaddress

DEFAULT_PORTS = {"http": 80, "https": 443}
"""Of URLs that name none, by their scheme."""


def joined(host: str, port: int | str) -> str:
    """`fd00::5`, 5432 → `[fd00::5]:5432`."""
    return f"{bracketed(host)}:{port}"


def bracketed(host: str) -> str:
    """A host as URLs carry it."""
    return f"[{host}]" if ":" in host and not host.startswith("[") else host


def split(address: str) -> tuple[str, str]:
    """(host, port) of HOST:PORT or [IPv6]:PORT; the port is empty where none is named.

    An IPv6 address without a port may stand with brackets or without.
    """
    if address.startswith("["):
        host, _, rest = address[1:].partition("]")
        return host, rest.removeprefix(":")
    if address.count(":") > 1:
        return address, ""
    host, _, port = address.partition(":")
    return host, port


def is_loopback(host: str) -> bool:
    """`localhost`, 127.0.0.0/8, ::1."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"
