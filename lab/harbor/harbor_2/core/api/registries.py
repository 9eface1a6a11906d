"""/api/v2.0/registries: other registries, as far as it shows whether the cores have one secret key."""

import base64
import http.client
from typing import Any

from .... import log
from ....web.response import Response, empty
from ... import http_client
from ...database import Duplicate, Row
from .. import secret_key
from ..documents import created, document
from ..errors import bad_request, conflict, not_found
from ..harbor import Call
from ..records import registries
from . import bodies
from .guards import require_administrator
from .paging import page_of, paged

_TIMEOUT_S = 10.0


def listing(call: Call) -> Response:
    """With a key that is none, not even the list can be had."""
    require_administrator(call)
    page = page_of(call.request)
    rows, total = registries.listing(call.database, limit=page.size, offset=page.offset)
    for row in rows:
        _password(call, row)
    return paged(call.request, page, [registries.document(row) for row in rows], total)


def get(call: Call) -> Response:
    require_administrator(call)
    row = _registry(call, int(call.request.parameters["registry_id"]))
    _password(call, row)
    return document(registries.document(row))


def create(call: Call) -> Response:
    require_administrator(call)
    sent = _sent(call)
    if not _is_healthy(sent["url"], sent["access_key"], sent["access_secret"]):
        raise bad_request("the registry is unhealthy")
    try:
        registry_id = registries.add(
            call.database,
            name=sent["name"],
            url=sent["url"],
            type_=sent["type"],
            access_key=sent["access_key"],
            sealed_secret=secret_key.sealed(call.harbor.settings.key_file, sent["access_secret"]),
            insecure=sent["insecure"],
            description=sent["description"],
        )
    except Duplicate:
        raise conflict(f"registry {sent['name']} already exists") from None
    return created(f"/api/v2.0/registries/{registry_id}")


def ping(call: Call) -> Response:
    """Of one that is kept, by its id, or of one that is described."""
    require_administrator(call)
    body = bodies.sent(call, "registry")
    if registry_id := bodies.integer(body, "id"):
        row = _registry(call, registry_id)
        healthy = _is_healthy(row["url"], row["access_key"], _password(call, row))
    else:
        sent = _sent(call)
        healthy = _is_healthy(sent["url"], sent["access_key"], sent["access_secret"])
    if not healthy:
        raise bad_request("the registry is unhealthy")
    return empty()


def delete(call: Call) -> Response:
    require_administrator(call)
    row = _registry(call, int(call.request.parameters["registry_id"]))
    registries.delete(call.database, row["id"])
    return empty()


def _registry(call: Call, registry_id: int) -> Row:
    row = registries.by_id(call.database, registry_id)
    if row is None:
        raise not_found(f"registry {registry_id} not found")
    return row


def _password(call: Call, row: Row) -> str:
    """Raises SecretKeyUnusable."""
    return (
        secret_key.opened(call.harbor.settings.key_file, row["access_secret"]) if row["access_secret"] else ""
    )


def _sent(call: Call) -> dict[str, Any]:
    body = bodies.sent(call, "registry")
    credential = body.get("credential") or {}
    sent = {name: bodies.text(body, name) for name in ("name", "type", "url", "description")}
    if not isinstance(credential, dict) or not sent["url"].startswith(("http://", "https://")):
        raise bad_request(f"invalid URL: {sent['url']}")
    return {
        **sent,
        "url": sent["url"].rstrip("/"),
        "access_key": bodies.text(credential, "access_key"),
        "access_secret": bodies.text(credential, "access_secret"),
        "insecure": body.get("insecure") is True,
    }


def _is_healthy(url: str, user: str, password: str) -> bool:
    credentials = base64.b64encode(f"{user}:{password}".encode()).decode()
    headers = {"Authorization": f"Basic {credentials}"} if user else {}
    try:
        reply = http_client.send("GET", f"{url}/v2/", headers, timeout_s=_TIMEOUT_S)
    except (OSError, http.client.HTTPException, ValueError) as failure:
        log.error(f"failed to ping the registry {url}: {failure}")
        return False
    return reply.status == 200 or (reply.status == 401 and not user)
