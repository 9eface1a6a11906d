"""/api/v2.0/projects"""

import re
from typing import Any

from ....web.response import Response, empty
from ...database import Duplicate, Row
from ..documents import created, document
from ..errors import bad_request, conflict, error, forbidden, not_found
from ..harbor import Call, Caller
from ..records import audit_log, members, projects, quotas, robots, users
from . import bodies
from .guards import caller_of, is_almighty, project_of_path, require_login, roles_of
from .paging import exact_or_like, page_of, paged, query_of

_NAME = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*")
_LONGEST_NAME = 255


def listing(call: Call) -> Response:
    request, page, asked, caller = (
        call.request,
        page_of(call.request),
        query_of(call.request),
        caller_of(call),
    )
    exact, like = exact_or_like(asked, "name")
    public = request.query.get("public", [asked.get("public", "")])[0].lower()
    covered = robots.covered(caller.robot) if caller and caller.robot else []
    rows, total = projects.listing(
        call.database,
        sees_all=is_almighty(caller) or "*" in covered,
        user_id=caller.user_id if caller else 0,
        names=covered,
        name=exact,
        name_like=request.query.get("name", [like])[0],
        owner=request.query.get("owner", [asked.get("owner", "")])[0],
        public=None if not public else public in ("true", "1"),
        limit=page.size,
        offset=page.offset,
    )
    return paged(request, page, [_document(call, caller, row) for row in rows], total)


def create(call: Call) -> Response:
    caller = require_login(call)
    settings = call.harbor.configuration.current()
    if settings["project_creation_restriction"] == "adminonly" and not is_almighty(caller):
        raise forbidden("Only system admin can create project")
    if caller.robot is not None:
        raise forbidden()
    body = bodies.sent(call, "project")
    name = bodies.text(body, "project_name")
    if not 0 < len(name) <= _LONGEST_NAME:
        raise bad_request(
            f"Project name {name} is illegal in length: (must be less or equal than 255 or greater than 0)"
        )
    if not _NAME.fullmatch(name):
        raise bad_request("project name is not in lower case or contains illegal characters")
    metadata = body.get("metadata") or {}
    public = metadata.get("public") == "true" if isinstance(metadata, dict) else False
    limit = bodies.integer(body, "storage_limit", settings["storage_per_project"])
    owner_id = caller.user_id or users.ADMIN_ID
    try:
        project_id = projects.add(
            call.database, name, owner_id, public=public, storage_limit=limit or quotas.NO_LIMIT
        )
    except Duplicate:
        raise conflict(f"The project named {name} already exists") from None
    audit_log.add(call.database, caller.name, project_id, "create", "project", name)
    by_name = call.request.headers.get("X-Resource-Name-In-Location", "").lower() == "true"
    return created(f"/api/v2.0/projects/{name if by_name else project_id}")


def exists(call: Call) -> Response:
    require_login(call)
    name = call.request.text("project_name")
    if projects.by_name(call.database, name) is None:
        return error(404, "NOT_FOUND", f"project {name} not found")
    return empty()


def get(call: Call) -> Response:
    project = project_of_path(call, "project", "read")
    return document(_document(call, caller_of(call), project))


def change(call: Call) -> Response:
    project = project_of_path(call, "project", "update")
    body = bodies.sent(call, "project")
    metadata = body.get("metadata") or {}
    if isinstance(metadata, dict) and "public" in metadata:
        projects.set_public(call.database, project["project_id"], metadata["public"] == "true")
    if isinstance(limit := body.get("storage_limit"), int) and is_almighty(caller_of(call)):
        quota = quotas.of_project(call.database, project["project_id"])
        if quota is None:
            raise not_found(f"quota of project {project['name']} not found")
        quotas.set_limit(call.database, quota["id"], limit)
    return empty()


def delete(call: Call) -> Response:
    project = project_of_path(call, "project", "delete")
    if reason := projects.why_not_deletable(project):
        return error(412, "PRECONDITION", f"precondition failed: {reason}")
    projects.delete(call.database, project["project_id"])
    audit_log.add(
        call.database, require_login(call).name, project["project_id"], "delete", "project", project["name"]
    )
    return empty()


def deletable(call: Call) -> Response:
    project = project_of_path(call, "project", "delete")
    reason = projects.why_not_deletable(project)
    return document({"message": reason} if reason else {"deletable": True})


def summary(call: Call) -> Response:
    project = project_of_path(call, "project", "read")
    counts = members.counts(call.database, project["project_id"])
    counts_storage = call.harbor.configuration.current()["quota_per_project_enable"]
    quota = quotas.of_project(call.database, project["project_id"]) if counts_storage else None
    named = {
        "developer_count": counts.get(members.DEVELOPER),
        "guest_count": counts.get(members.GUEST),
        "limited_guest_count": counts.get(members.LIMITED_GUEST),
        "maintainer_count": counts.get(members.MAINTAINER),
        "project_admin_count": counts.get(members.ADMINISTRATOR),
        "quota": {"hard": quota["hard"], "used": quota["used"]} if quota else None,
    }
    return document(
        {name: value for name, value in named.items() if value} | {"repo_count": project["repo_count"]}
    )


def _document(call: Call, caller: Caller | None, project: Row) -> dict[str, Any]:
    return projects.document(project, roles=roles_of(call, caller, project))
