"""What Helm remembers of a release: the Secret in which it keeps it.

Source: Helm: the storage driver `secret`; sh.helm.release.v1.NAME.vN holds base64 of gzip of JSON.
"""

import base64
import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

SELECTOR = "owner=helm,status=deployed"
"""The labels of such Secrets; `name` is a third one, the release's."""


@dataclass(frozen=True)
class Release:
    """`values`: those of the chart with the user's over them; secrets among them. `home`: where the chart is from."""

    name: str
    chart: str
    home: str
    values: Mapping[str, Any] = field(repr=False)


def release_in(data: Mapping[str, str]) -> Release | None:
    """The release that a Secret's data (base64, as the API gives it) holds; None: it holds something else."""
    try:
        packed = base64.b64decode(base64.b64decode(data["release"]))
        document = json.loads(gzip.decompress(packed) if packed[:2] == b"\x1f\x8b" else packed)
        chart = document["chart"]
        about = chart["metadata"]
        return Release(
            name=str(document["name"]),
            chart=f"{about['name']} {about.get('version', '')}".strip(),
            home=str(about.get("home", "")),
            values=_merged(chart.get("values") or {}, document.get("config") or {}),
        )
    except (KeyError, ValueError, TypeError, AttributeError, OSError, EOFError):
        return None


def value(values: Mapping[str, Any], path: str) -> Any:
    """`core.tokenKey` → what is there; None where nothing is."""
    found: Any = values
    for name in path.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def _merged(below: Any, above: Any) -> Any:
    """As Helm does it: mappings one into the other, null takes away, all else replaces."""
    if not isinstance(below, Mapping) or not isinstance(above, Mapping):
        return above
    both = {**below, **{name: _merged(below.get(name), each) for name, each in above.items()}}
    return {name: each for name, each in both.items() if each is not None}
