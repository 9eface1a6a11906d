"""/api/v2.0/replication, as far as it is read: rules, and what became of their runs."""

from ....web.response import Response
from ..errors import refuse
from ..harbor import Call
from ..records import replication
from .guards import require_administrator
from .paging import page_of, paged


def rules(call: Call) -> Response:
    require_administrator(call)
    page = page_of(call.request)
    rows, total = replication.rules(call.database, limit=page.size, offset=page.offset)
    return paged(call.request, page, [replication.rule_document(call.database, row) for row in rows], total)


def runs(call: Call) -> Response:
    require_administrator(call)
    page, asked = page_of(call.request), call.request.query.get("policy_id", [""])[0]
    if asked and not asked.isdigit():
        raise refuse(422, "UNPROCESSABLE_ENTITY", "policy_id in query must be of type int64")
    rows, total = replication.runs(
        call.database, int(asked) if asked else None, limit=page.size, offset=page.offset
    )
    return paged(call.request, page, [replication.run_document(row) for row in rows], total)
