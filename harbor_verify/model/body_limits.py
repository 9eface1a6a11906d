"""How large a request may be, as proxies are told.

Source: nginx, client_max_body_size (0: no limit, its default is 1m); ingress-nginx and nginx's own ingress controller.
"""

import re
from collections.abc import Mapping

_DIRECTIVE = re.compile(r"^[^#\n]*?\bclient_max_body_size\s+([^;\s]+)\s*;", re.M)
_SERVER = re.compile(r"^\s*server\s*\{", re.M)
_NONE = re.compile(r"0+[kmg]?", re.I)
ANNOTATIONS = frozenset(
    {
        "nginx.ingress.kubernetes.io/proxy-body-size",
        "nginx.org/client-max-body-size",
    }
)


def of_nginx(text: str) -> list[str] | None:
    """The limits in a configuration of nginx, as it says them; None when the text is no such configuration.

    A server without the directive has nginx's own limit; of several, each counts.
    """
    values = _DIRECTIVE.findall(text)
    if not values:
        return ["nothing, so nginx takes 1 MiB"] if _SERVER.search(text) else None
    return [f"client_max_body_size {value}" for value in dict.fromkeys(values) if not _NONE.fullmatch(value)]


def of_annotations(annotations: Mapping[str, str]) -> list[str]:
    """The limits that an Ingress's annotations tell, as NAME: VALUE."""
    return [
        f"{name}: {annotations[name]}"
        for name in sorted(ANNOTATIONS & annotations.keys())
        if not _NONE.fullmatch(annotations[name].strip())
    ]
