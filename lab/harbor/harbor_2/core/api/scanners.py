"""/api/v2.0/scanners: those that somebody has registered, and what they say of themselves."""

import http.client
import json

from .... import log
from ....web.response import Response
from ... import http_client
from ...database import Row
from ..documents import document
from ..errors import error, not_found
from ..harbor import Call
from ..records.moments import moment
from .guards import require_administrator
from .paging import page_of, paged

_TIMEOUT_S = 5.0


def listing(call: Call) -> Response:
    require_administrator(call)
    page = page_of(call.request)
    rows = call.database.rows("SELECT * FROM scanner_registration ORDER BY id")
    chosen = rows[page.offset : page.offset + page.size]
    return paged(call.request, page, [_document(row) for row in chosen], len(rows))


def metadata(call: Call) -> Response:
    require_administrator(call)
    wanted = call.request.parameters["scanner"]
    row = call.database.row("SELECT * FROM scanner_registration WHERE uuid = %s", wanted)
    if row is None:
        raise not_found(f"scanner {wanted} not found")
    try:
        reply = http_client.send("GET", f"{row['url']}/api/v1/metadata", timeout_s=_TIMEOUT_S)
        return document(json.loads(reply.body))
    except (OSError, http.client.HTTPException, ValueError) as failure:
        log.error(f"scanner {row['name']} at {row['url']}: {failure}")
        return error(500, "UNKNOWN", "internal server error")


def _document(row: Row) -> dict[str, object]:
    return {
        "create_time": moment(row["create_time"]),
        "disabled": row["disabled"],
        "is_default": row["is_default"],
        "name": row["name"],
        "update_time": moment(row["update_time"]),
        "url": row["url"],
        "uuid": row["uuid"],
    }
