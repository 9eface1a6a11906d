"""Which hosts a container runtime speaks of when it says why a pull failed. Pure: no I/O."""

import re

_NAMED = re.compile(r"(?:https?://|\blookup )\[?([\w.-]+)")
_TOKENS = "/service/token"
_HOST = re.compile(r"\[?([\w.-]+)")


def is_about_another(words: str, registry: str) -> bool:
    """Whether what failed in the end was at another host than the registry's: at one that it redirects clients to.

    `registry`: HOST:PORT, or an image's reference that begins so. False where no host is named, and for the place where
    tokens come from, which is Harbor's own name for itself.
    """
    if _TOKENS in words:
        return False
    named, own = _NAMED.findall(words), _HOST.match(registry)
    return own is not None and bool(named) and named[-1] != own[1]
