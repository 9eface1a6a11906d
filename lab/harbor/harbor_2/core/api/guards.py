"""Whom the API lets through."""

from .... import log
from ....web.response import Response
from ...database import Row
from .. import callers
from ..errors import error, forbidden, not_found, refuse, unauthorized
from ..harbor import Call, Caller
from ..jobservice_client import JobserviceRefusal
from ..records import members, projects, robots

_READING = frozenset({"read", "list", "pull"})
_PUBLIC = frozenset({"project", "repository", "artifact", "tag", "artifact-addition", "accessory", "label"})
"""What everybody may read in a public project."""
_DEVELOPING = frozenset({"repository", "artifact", "tag", "artifact-addition", "accessory", "label"})


def caller_of(call: Call) -> Caller | None:
    """Who calls, with what the database says of the user of a session. Raises DatabaseError."""
    return callers.known(call.database, call.caller)


def require_login(call: Call) -> Caller:
    """Raises Refused with 401, DatabaseError."""
    caller = caller_of(call)
    if caller is None:
        raise unauthorized()
    return caller


def require_administrator(call: Call) -> Caller:
    """Raises Refused with 401 or 403, DatabaseError."""
    caller = require_login(call)
    if not is_almighty(caller):
        raise forbidden()
    return caller


def require_user(call: Call) -> Caller:
    """Somebody who is no robot and no program. Raises Refused, DatabaseError."""
    caller = require_login(call)
    if caller.robot is not None or caller.is_program:
        kind = "robot" if caller.robot is not None else "solution"
        raise refuse(412, "PRECONDITION", f"get current user not available for security context: {kind}")
    return caller


def is_almighty(caller: Caller | None) -> bool:
    """Administrators, and Harbor's own programs."""
    return caller is not None and (caller.is_admin or caller.is_program)


def project_of_path(call: Call, resource: str, action: str) -> Row:
    """The project that the path names, for a caller who may do that in it.

    Its name may be its number, where the header X-Is-Resource-Name does not say otherwise. Raises Refused with 401
    or 403, and with 404 for those who may know; DatabaseError.
    """
    return project_for(call, call.request.parameters["project"], resource, action)


def project_for(call: Call, named: str, resource: str, action: str) -> Row:
    """As `project_of_path`, of the project of that name or number."""
    is_name = call.request.headers.get("X-Is-Resource-Name", "").lower() == "true"
    project = projects.by_id(call.database, int(named)) if named.isdecimal() and not is_name else None
    project = project or projects.by_name(call.database, named)
    caller = caller_of(call)
    if project is None:
        if is_almighty(caller):
            raise not_found(f"project {named} not found")
        raise _refused(caller)
    if not may(call, caller, project, resource, action):
        raise _refused(caller)
    return project


def may(call: Call, caller: Caller | None, project: Row, resource: str, action: str) -> bool:
    """Whether somebody may do that (read, list, create, update, delete) with resources of a project."""
    if is_almighty(caller):
        return True
    if projects.is_public(project) and resource in _PUBLIC and action in _READING:
        return True
    if caller is None:
        return False
    if caller.robot is not None:
        return robots.allows(caller.robot, project["name"], resource, action)
    return _allowed(members.role(call.database, project["project_id"], caller.user_id), resource, action)


def roles_of(call: Call, caller: Caller | None, project: Row) -> list[int] | None:
    """The caller's roles in a project; None for somebody who can have none."""
    if caller is None or caller.robot is not None or caller.is_program:
        return None
    role = members.role(call.database, project["project_id"], caller.user_id)
    if caller.is_admin:
        return [members.ADMINISTRATOR]
    return [role] if role else []


def _allowed(role: int | None, resource: str, action: str) -> bool:
    if role is None:
        return False
    if role == members.ADMINISTRATOR:
        return True
    if role == members.MAINTAINER:
        return action in _READING or resource in _DEVELOPING
    if role == members.DEVELOPER:
        return action in _READING or (resource in _DEVELOPING and action != "delete")
    return action in _READING and (role != members.LIMITED_GUEST or resource in _PUBLIC)


def _refused(caller: Caller | None) -> Exception:
    return unauthorized() if caller is None else forbidden()


def failed(failure: Exception) -> Response:
    """What jobservice did not do. Core passes a refusal on, as if it were the caller who is unknown."""
    log.error(f"jobservice: {failure}")
    if isinstance(failure, JobserviceRefusal):
        return error(401, "UNAUTHORIZED", str(failure))
    return error(500, "UNKNOWN", "internal server error")
