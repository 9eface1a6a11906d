"""/api/v2.0/statistics, /api/v2.0/search, /api/v2.0/audit-logs"""

from typing import Any

from ....web.response import Response
from ...database import Row
from ..documents import document
from ..harbor import Call
from ..records import audit_log, projects, repositories
from .guards import caller_of, is_almighty, require_administrator, require_login, roles_of
from .paging import page_of, paged

_ALL = 1_000_000


def statistics(call: Call) -> Response:
    caller = require_login(call)
    rows, total = projects.listing(
        call.database, sees_all=is_almighty(caller), user_id=caller.user_id, limit=_ALL, offset=0
    )
    public = [row for row in rows if projects.is_public(row)]
    private = [row for row in rows if not projects.is_public(row)]
    counts = {
        "private_project_count": len(private),
        "private_repo_count": sum(row["repo_count"] for row in private),
        "public_project_count": len(public),
        "public_repo_count": sum(row["repo_count"] for row in public),
        "total_project_count": total,
        "total_repo_count": sum(row["repo_count"] for row in rows),
    }
    if is_almighty(caller):
        counts["total_storage_consumption"] = call.database.count(
            "SELECT COALESCE(SUM(size), 0) AS n FROM blob"
        )
    return document(counts)


def search(call: Call) -> Response:
    asked, caller = call.request.text("q"), caller_of(call)
    rows, _ = projects.listing(
        call.database,
        sees_all=is_almighty(caller),
        user_id=caller.user_id if caller else 0,
        limit=_ALL,
        offset=0,
    )
    seen = {row["project_id"]: row for row in rows}
    found, _ = repositories.listing(call.database, name_like=asked, limit=_ALL, offset=0)
    return document(
        {
            "project": [
                projects.document(row, roles=roles_of(call, caller, row))
                for row in rows
                if asked in row["name"]
            ],
            "repository": [
                _repository(row, seen[row["project_id"]]) for row in found if row["project_id"] in seen
            ],
        }
    )


def audit_logs(call: Call) -> Response:
    require_administrator(call)
    page = page_of(call.request)
    rows, total = audit_log.listing(call.database, limit=page.size, offset=page.offset)
    return paged(call.request, page, [audit_log.document(row) for row in rows], total)


def _repository(repository: Row, project: Row) -> dict[str, Any]:
    """What is false or zero is left out."""
    return {
        "artifact_count": repository["artifact_count"],
        "project_id": project["project_id"],
        "project_name": project["name"],
        **({"project_public": True} if projects.is_public(project) else {}),
        **({"pull_count": repository["pull_count"]} if repository["pull_count"] else {}),
        "repository_name": repository["name"],
    }
