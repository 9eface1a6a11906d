"""What a path below /v2/ means."""

import re
from dataclasses import dataclass
from enum import Enum, auto
from urllib.parse import parse_qs, unquote, urlsplit


class Kind(Enum):
    BASE = auto()
    CATALOG = auto()
    TAGS = auto()
    MANIFEST = auto()
    BLOB = auto()
    UPLOAD = auto()
    REFERRERS = auto()
    OTHER = auto()


@dataclass(frozen=True)
class Place:
    """`reference` is a tag, a digest, or the id of an upload (empty where one begins)."""

    kind: Kind
    repository: str = ""
    reference: str = ""

    @property
    def project(self) -> str:
        return self.repository.partition("/")[0]


_PATTERNS = (
    (Kind.TAGS, re.compile(r"/v2/(?P<repository>.+)/tags/list")),
    (
        Kind.MANIFEST,
        re.compile(r"/v2/(?P<repository>.+)/manifests/(?P<reference>[^/:]+:[^/]+|\w[\w.-]{0,127})"),
    ),
    (Kind.UPLOAD, re.compile(r"/v2/(?P<repository>.+)/blobs/uploads/?(?P<reference>[^/]*)")),
    (Kind.BLOB, re.compile(r"/v2/(?P<repository>.+)/blobs/(?P<reference>[^/]+)")),
    (Kind.REFERRERS, re.compile(r"/v2/(?P<repository>.+)/referrers/(?P<reference>[^/]+)")),
)


def place_of(target: str) -> Place:
    path = unquote(urlsplit(target).path)
    if path in ("/v2", "/v2/"):
        return Place(Kind.BASE)
    if path in ("/v2/_catalog", "/v2/_catalog/"):
        return Place(Kind.CATALOG)
    for kind, pattern in _PATTERNS:
        if match := pattern.fullmatch(path):
            return Place(kind, **match.groupdict())
    return Place(Kind.OTHER)


def mounted_from(target: str) -> tuple[str, str]:
    """Digest and repository of a mount across repositories, empty where it is none."""
    query = parse_qs(urlsplit(target).query)
    digest, source = query.get("mount", [""])[0], query.get("from", [""])[0]
    return (digest, source) if digest and source else ("", "")
