"""Whom a container asks for addresses. Source: Linux, resolv.conf(5)."""


def nameservers(text: str) -> list[str]:
    """The addresses of the `nameserver` lines of a resolv.conf, in their order."""
    words = [line.split() for line in text.splitlines()]
    return [each[1] for each in words if len(each) > 1 and each[0] == "nameserver"]
