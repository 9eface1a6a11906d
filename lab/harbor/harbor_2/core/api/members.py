"""/api/v2.0/projects/{project}/members"""

from ....web.response import Response, empty
from ...database import Duplicate, Row
from ..documents import created, document
from ..errors import bad_request, conflict, not_found
from ..harbor import Call
from ..records import members, users
from . import bodies
from .guards import project_of_path
from .paging import page_of, paged


def listing(call: Call) -> Response:
    project, page = project_of_path(call, "member", "list"), page_of(call.request)
    name = call.request.query.get("entityname", [""])[0]
    rows, total = members.listing(
        call.database, project["project_id"], name_like=name, limit=page.size, offset=page.offset
    )
    return paged(call.request, page, [members.document(row) for row in rows], total)


def add(call: Call) -> Response:
    project = project_of_path(call, "member", "create")
    body = bodies.sent(call, "projectMember")
    role_id = _role(body.get("role_id"))
    named = body.get("member_user")
    if not isinstance(named, dict):
        raise bad_request("invalid argument: member_user or member_group is needed")
    if username := named.get("username"):
        user = users.by_name(call.database, str(username))
    else:
        user = users.by_id(call.database, bodies.integer(named, "user_id"))
    if user is None:
        raise not_found(f"user {username or named.get('user_id')} not found")
    try:
        member_id = members.add(call.database, project["project_id"], user["user_id"], role_id)
    except Duplicate:
        raise conflict(f"The project member {user['username']} already exists") from None
    return created(f"/api/v2.0/projects/{project['project_id']}/members/{member_id}")


def get(call: Call) -> Response:
    return document(members.document(_member(call, "read")))


def change(call: Call) -> Response:
    member = _member(call, "update")
    members.change(call.database, member["id"], _role(bodies.sent(call, "role").get("role_id")))
    return empty()


def remove(call: Call) -> Response:
    members.remove(call.database, _member(call, "delete")["id"])
    return empty()


def _member(call: Call, action: str) -> Row:
    project = project_of_path(call, "member", action)
    member_id = int(call.request.parameters["member_id"])
    member = members.by_id(call.database, project["project_id"], member_id)
    if member is None:
        raise not_found(f"the project member {member_id} not found in project {project['name']}")
    return member


def _role(role_id: object) -> int:
    if not isinstance(role_id, int) or role_id not in members.NAMES:
        raise bad_request(f"invalid role: Role with ID {role_id} not found")
    return role_id
