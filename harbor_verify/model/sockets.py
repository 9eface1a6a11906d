"""TCP connections as Linux lists them for a network of its own, a pod's. Pure: no I/O.

Source: Linux, Documentation/networking/proc_net_tcp: one line a socket; addresses are words of 32 bits in the
machine's order, as every machine that Harbor is built for has it (the lowest byte first), and ports are not.
"""

import ipaddress
from collections.abc import Iterator

from harbor_verify.model.addresses import joined

_ESTABLISHED = "01"


def remote_ends(text: str) -> Iterator[tuple[str, int]]:
    """(address, port) of the other end of each connection that is open, of /proc/net/tcp, tcp6, or both in a row.

    IPv4 in IPv6 is told as IPv4. What is no such line is passed over.
    """
    for line in text.splitlines():
        match line.split():
            case [_, _, remote, state, *_] if state == _ESTABLISHED and ":" in remote:
                address, _, port = remote.partition(":")
                yield _address(address), int(port, 16)


def connected_with(text: str, port: int) -> frozenset[str]:
    """ADDRESS:PORT of all other ends that have this port."""
    return frozenset(joined(address, port) for address, its in remote_ends(text) if its == port)


def _address(text: str) -> str:
    words = [bytes.fromhex(text[at : at + 8])[::-1] for at in range(0, len(text), 8)]
    address = ipaddress.ip_address(b"".join(words))
    return str(getattr(address, "ipv4_mapped", None) or address)
