"""/api/v2.0/robots"""

from typing import Any

from ....web.response import Response, empty
from ...database import Duplicate, Row
from ..documents import document
from ..errors import bad_request, conflict, forbidden, not_found
from ..harbor import Call, Caller
from ..records import projects, robots
from ..records.moments import moment
from . import bodies
from .guards import is_almighty, may, require_login
from .paging import page_of, paged, query_of


def listing(call: Call) -> Response:
    """Those of the system, or with q=Level=project,ProjectID=… those of a project."""
    page, asked = page_of(call.request), query_of(call.request)
    project_id = 0
    if asked.get("level") == robots.PROJECT:
        if not asked.get("projectid", "").isdecimal():
            raise bad_request("must with project ID when to query project robots")
        project_id = int(asked["projectid"])
    _require(call, project_id, "list")
    rows, total = robots.listing(call.database, project_id=project_id, limit=page.size, offset=page.offset)
    return paged(call.request, page, [_document(call, row) for row in rows], total)


def create(call: Call) -> Response:
    require_login(call)
    body = bodies.sent(call, "robot")
    name, level = bodies.text(body, "name"), bodies.text(body, "level")
    granted = _granted(body)
    if level not in (robots.SYSTEM, robots.PROJECT):
        raise bad_request(f"bad request error level input: {level}")
    duration = bodies.integer(body, "duration")
    if duration == 0:
        duration = call.harbor.configuration.current()["robot_token_duration"]
    if duration < -1:
        raise bad_request(f"bad request error duration input: {duration}")
    project_id = _project_id(call, granted) if level == robots.PROJECT else 0
    caller = _require(call, project_id, "create")
    try:
        robot_id, secret = robots.add(
            call.database,
            name=name,
            project_id=project_id,
            description=bodies.text(body, "description"),
            duration=duration,
            granted=granted,
            creator_id=caller.user_id,
            secret=bodies.text(body, "secret"),
        )
    except Duplicate:
        raise conflict(f"robot account {project_id}:{name} already exists") from None
    except LookupError as missing:
        raise not_found(f"project {missing.args[0]} not found") from None
    robot = robots.by_id(call.database, robot_id)
    assert robot is not None
    made = {
        "creation_time": moment(robot["creation_time"]),
        "expires_at": robot["expiresat"],
        "id": robot_id,
        "name": robots.full_name(robot),
        "secret": secret,
    }
    return document(made, 201, [("Location", f"/api/v2.0/robots/{robot_id}")])


def get(call: Call) -> Response:
    return document(_document(call, _robot(call, "read")))


def change(call: Call) -> Response:
    robot = _robot(call, "update")
    body = bodies.sent(call, "robot")
    if body.get("name", robots.full_name(robot)) not in (robots.full_name(robot), robot["name"]):
        raise bad_request("cannot update the level or name of robot")
    try:
        robots.change(
            call.database,
            robot,
            description=bodies.text(body, "description"),
            disabled=bool(body.get("disable")),
            duration=bodies.integer(body, "duration", robot["duration"]),
            granted=_granted(body),
        )
    except LookupError as missing:
        raise not_found(f"project {missing.args[0]} not found") from None
    return empty()


def renew_secret(call: Call) -> Response:
    robot = _robot(call, "update")
    return document(
        {
            "secret": robots.renew_secret(
                call.database, robot["id"], bodies.text(bodies.sent(call, "robotSec"), "secret")
            )
        }
    )


def delete(call: Call) -> Response:
    robots.delete(call.database, _robot(call, "delete")["id"])
    return empty()


def _robot(call: Call, action: str) -> Row:
    require_login(call)
    robot_id = int(call.request.parameters["robot_id"])
    robot = robots.by_id(call.database, robot_id)
    if robot is None:
        raise not_found(f"robot account {robot_id} not found")
    _require(call, robot["project_id"], action)
    return robot


def _require(call: Call, project_id: int, action: str) -> Caller:
    """For robots of the system an administrator, for those of a project one of its administrators."""
    caller = require_login(call)
    if is_almighty(caller):
        return caller
    project = projects.by_id(call.database, project_id) if project_id else None
    if project is None or not may(call, caller, project, "robot", action):
        raise forbidden()
    return caller


def _granted(body: dict[str, Any]) -> list[dict[str, Any]]:
    permissions = body.get("permissions") or []
    if not permissions:
        raise bad_request("bad request empty permission")
    for permission in permissions:
        if not permission.get("access"):
            raise bad_request("bad request empty access")
        if not permission.get("namespace"):
            raise bad_request("bad request empty namespace")
    return list(permissions)


def _project_id(call: Call, granted: list[dict[str, Any]]) -> int:
    if len(granted) != 1 or granted[0]["namespace"] == "*":
        raise bad_request("bad request permission of a project robot: one project is needed")
    project = projects.by_name(call.database, granted[0]["namespace"])
    if project is None:
        raise not_found(f"project {granted[0]['namespace']} not found")
    return int(project["project_id"])


def _document(call: Call, robot: Row) -> dict[str, Any]:
    return robots.document(robot, robots.permissions(call.database, robot["id"]))
