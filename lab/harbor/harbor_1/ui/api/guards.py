"""What several handlers ask first."""

from ....web.response import Refused, error
from ...database import Row
from ..harbor import Call
from ..records import projects


def require_login(call: Call) -> None:
    if not call.caller.is_authenticated:
        raise Refused(error(401))


def require_administrator(call: Call) -> None:
    require_login(call)
    if not call.caller.is_admin:
        raise Refused(error(403))


def project_of_path(call: Call) -> Row:
    """The project whose id stands in the path, whoever asks."""
    return project_by_id(call, int(call.request.parameters["project"]))


def project_by_id(call: Call, project_id: int) -> Row:
    if project_id <= 0:
        raise Refused(error(400, f"invalid project ID: {project_id}"))
    return _present(projects.by_id(call.database, project_id), project_id)


def project_by_name(call: Call, name: str) -> Row:
    return _present(projects.by_name(call.database, name), name)


def require_read(call: Call, project: Row) -> None:
    if not call.caller.may_read(project):
        raise _refusal(call)


def require_manage(call: Call, project: Row) -> None:
    if not call.caller.may_manage(project):
        raise _refusal(call)


def _present(project: Row | None, which: str | int) -> Row:
    if project is None:
        raise Refused(error(404, f"project {which} not found"))
    return project


def _refusal(call: Call) -> Refused:
    return Refused(error(403 if call.caller.is_authenticated else 401))
