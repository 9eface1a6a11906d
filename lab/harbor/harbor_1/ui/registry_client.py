"""What the ui asks the registry, each time with a token of its own."""

import http.client
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urljoin

from .. import web_client
from ..web_client import Reply

USER_AGENT = "harbor-registry-client"
SCHEMA_1 = "application/vnd.docker.distribution.manifest.v1+json"
SCHEMA_2 = "application/vnd.docker.distribution.manifest.v2+json"


class RegistryFailure(Exception):
    """The registry does not answer, or refuses; `status` is 0 or what it answered, the text its reason."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class RegistryClient:
    """Raises RegistryFailure, and what its two sources raise: `url` and `token` (for a list of accesses)."""

    def __init__(self, url: Callable[[], str], token: Callable[[list[dict[str, Any]]], str]) -> None:
        self._url = url
        self._token = token

    @property
    def url(self) -> str:
        return self._url()

    def catalog(self) -> list[str]:
        """The names of all repositories; also of those that have no tag any more."""
        names: list[str] = []
        url = urljoin(self.url, "/v2/_catalog?n=1000")
        while url:
            reply = self._send("GET", url, {"type": "registry", "name": "catalog", "actions": ["*"]})
            names += json.loads(reply.body)["repositories"] or []
            following = reply.headers.get("Link", "").partition(">")[0].removeprefix("<")
            url = following and urljoin(url, following)
        return names

    def tags(self, repository: str) -> list[str]:
        """None of a repository that is not there."""
        reply = self._ask("GET", repository, "tags/list", absent_is_fine=True)
        return json.loads(reply.body).get("tags") or [] if reply.status == 200 else []

    def digest(self, repository: str, reference: str) -> str | None:
        """Of a schema 2 manifest; None when there is no such one."""
        reply = self._ask("HEAD", repository, f"manifests/{reference}", SCHEMA_2, absent_is_fine=True)
        return reply.headers["Docker-Content-Digest"] if reply.status == 200 else None

    def manifest(
        self, repository: str, reference: str, media_type: str = SCHEMA_2
    ) -> tuple[str, dict[str, Any]]:
        """Its digest and what it says."""
        reply = self._ask("GET", repository, f"manifests/{reference}", media_type)
        return reply.headers["Docker-Content-Digest"], json.loads(reply.body)

    def blob(self, repository: str, digest: str) -> bytes:
        return self._ask("GET", repository, f"blobs/{digest}").body

    def delete_manifest(self, repository: str, digest: str) -> None:
        """With every tag that names it."""
        self._ask("DELETE", repository, f"manifests/{digest}", absent_is_fine=True)

    def _ask(
        self, method: str, repository: str, what: str, accept: str = "", *, absent_is_fine: bool = False
    ) -> Reply:
        access = {
            "type": "repository",
            "name": repository,
            "actions": ["*"] if method == "DELETE" else ["pull"],
        }
        url = urljoin(self.url, f"/v2/{repository}/{what}")
        return self._send(method, url, access, accept, absent_is_fine)

    def _send(
        self, method: str, url: str, access: dict[str, Any], accept: str = "", absent_is_fine: bool = False
    ) -> Reply:
        headers = {"User-Agent": USER_AGENT, "Authorization": f"Bearer {self._token([access])}"}
        if accept:
            headers["Accept"] = accept
        try:
            reply = web_client.send(method, url, headers)
        except (OSError, http.client.HTTPException) as failure:
            raise RegistryFailure(0, f'{method.title()} "{url}": {failure}') from failure
        if reply.status < 300 or (absent_is_fine and reply.status == 404):
            return reply
        raise RegistryFailure(reply.status, reply.body.decode(errors="replace"))
