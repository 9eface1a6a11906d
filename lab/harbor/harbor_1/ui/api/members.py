"""/api/projects/{project}/members"""

from ....web.response import Response, abort, document, empty, error
from ..harbor import Call
from ..records import projects, users
from .guards import project_of_path, require_login, require_manage, require_read


def listing(call: Call) -> Response:
    require_login(call)
    project = project_of_path(call)
    require_read(call, project)
    return document(projects.members(call.database, project["project_id"], call.request.text("username")))


def add(call: Call) -> Response:
    require_login(call)
    project = project_of_path(call)
    require_manage(call, project)
    sent = call.request.json(username=str, roles=list)
    user = users.by_name(call.database, sent["username"])
    if user is None:
        return error(404, "User does not exist")
    if projects.role(call.database, project["project_id"], user["user_id"]):
        return error(409, "user is ready in project")
    roles = (projects.ADMINISTRATOR, projects.DEVELOPER, projects.GUEST)
    if len(sent["roles"]) != 1 or sent["roles"][0] not in roles:
        return abort(400, "only one of the roles 1, 2, 3 is supported")
    projects.add_member(call.database, project["project_id"], user["user_id"], sent["roles"][0])
    return empty()


def remove(call: Call) -> Response:
    require_login(call)
    project = project_of_path(call)
    require_manage(call, project)
    projects.remove_member(call.database, project["project_id"], int(call.request.parameters["user"]))
    return empty()
