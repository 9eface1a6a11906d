"""/api/v2.0/quotas"""

from ....web.response import Response, empty
from ...database import Row
from ..documents import document
from ..errors import bad_request, not_found
from ..harbor import Call
from ..records import quotas
from . import bodies
from .guards import require_administrator
from .paging import page_of, paged


def listing(call: Call) -> Response:
    require_administrator(call)
    page = page_of(call.request)
    rows, total = quotas.listing(
        call.database,
        project_id=call.request.query.get("reference_id", [""])[0],
        limit=page.size,
        offset=page.offset,
    )
    return paged(call.request, page, [quotas.document(row) for row in rows], total)


def get(call: Call) -> Response:
    require_administrator(call)
    return document(quotas.document(_quota(call)))


def change(call: Call) -> Response:
    require_administrator(call)
    quota = _quota(call)
    hard = bodies.sent(call, "hard").get("hard")
    storage = hard.get("storage") if isinstance(hard, dict) else None
    if not isinstance(storage, int) or isinstance(storage, bool):
        raise bad_request("bad request: storage is needed in hard")
    if storage <= 0 and storage != quotas.NO_LIMIT:
        raise bad_request(f"invalid hard limit for storage: {storage}")
    quotas.set_limit(call.database, quota["id"], storage)
    return empty()


def _quota(call: Call) -> Row:
    quota_id = int(call.request.parameters["quota_id"])
    quota = quotas.by_id(call.database, quota_id)
    if quota is None:
        raise not_found(f"quota {quota_id} not found")
    return quota
