"""/api/projects"""

import re
from typing import Any

from .... import log
from ....web.response import Refused, Response, abort, created, document, empty, error
from ...database import DUPLICATE, DatabaseError, Row, code
from ..harbor import Call
from ..records import access_log, projects, repositories
from .guards import project_of_path, require_login, require_manage, require_read
from .paging import page_of, paged

_NAME = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*")
_TRUE = ("1", "t", "T", "true", "TRUE", "True")
_FALSE = ("0", "f", "F", "false", "FALSE", "False")


def listing(call: Call) -> Response:
    request, page = call.request, page_of(call.request)
    rows, total = projects.listing(
        call.database,
        sees_all=call.caller.sees_all,
        user_id=call.caller.user_id,
        name=request.text("name"),
        owner=request.text("owner"),
        public=_flag(request.text("public")),
        limit=page.size,
        offset=page.offset,
    )
    return paged(request, page, [with_role(call, row) for row in rows], total)


def with_role(call: Call, project: Row) -> dict[str, Any]:
    """A project as lists show it: with what the caller is in it."""
    role = call.caller.role(project["project_id"])
    return projects.document(
        project,
        role=role,
        togglable=call.caller.is_admin or role == projects.ADMINISTRATOR,
        repositories=repositories.count_in(call.database, project["project_id"]),
    )


def create(call: Call) -> Response:
    require_login(call)
    settings = call.harbor.configuration.current()
    if settings["project_creation_restriction"] == "adminonly" and not call.caller.is_admin:
        return error(403, "Only system admin can create project")
    sent = call.request.json(project_name=str, public=int)
    name = sent["project_name"]
    if not 2 <= len(name) <= 30:
        text = "Project name is illegal in length. (greater than 2 or less than 30)"
        return error(400, f"invalid request: {text}")
    if not _NAME.fullmatch(name):
        text = "project name is not in lower case or contains illegal characters"
        return error(400, f"invalid request: {text}")
    if projects.by_name(call.database, name):
        return error(409)
    owner_id = call.caller.user_id
    if owner_id is None:
        log.error(f"the owner of project {name} is no user: {call.caller.name}")
        return error(500)
    try:
        project_id = projects.add(call.database, name, owner_id, sent["public"])
    except DatabaseError as failure:
        if code(failure) == DUPLICATE:
            return error(409)
        raise
    access_log.add(call.database, call.caller.name, project_id, f"{name}/", "N/A", "create")
    return created(call.request.path, project_id)


def exists(call: Call) -> Response:
    """Tells anybody, also of private projects."""
    name = call.request.text("project_name")
    if not name:
        return error(400, "project_name is needed")
    return empty() if projects.by_name(call.database, name) else error(404, f"project {name} not found")


def get(call: Call) -> Response:
    project = project_of_path(call)
    require_read(call, project)
    return document(
        projects.document(project, repositories=repositories.count_in(call.database, project["project_id"]))
    )


def delete(call: Call) -> Response:
    project = project_of_path(call)
    require_manage(call, project)
    if reason := projects.why_not_deletable(call.database, project["project_id"]):
        return abort(412, reason)
    projects.delete(call.database, project["project_id"])
    access_log.add(
        call.database, call.caller.name, project["project_id"], f"{project['name']}/", "N/A", "delete"
    )
    return empty()


def deletable(call: Call) -> Response:
    project = project_of_path(call)
    require_manage(call, project)
    reason = projects.why_not_deletable(call.database, project["project_id"])
    return document({"deletable": not reason, "message": reason})


def set_publicity(call: Call) -> Response:
    project = project_of_path(call)
    require_manage(call, project)
    public = call.request.json(public=int)["public"]
    if public not in (0, 1):
        return error(400, "public should be 0 or 1")
    projects.set_public(call.database, project["project_id"], public)
    return empty()


def logs(call: Call) -> Response:
    project, page = project_of_path(call), page_of(call.request)
    require_login(call)
    require_read(call, project)
    rows, total = access_log.listing(
        call.database, project_id=project["project_id"], limit=page.size, offset=page.offset
    )
    return paged(call.request, page, [access_log.document(row) for row in rows], total)


def _flag(text: str) -> bool | None:
    if text and text not in _TRUE + _FALSE:
        raise Refused(error(400, f"invalid public: {text}"))
    return text in _TRUE if text else None
