"""/api/v2.0/labels"""

from ....web.response import Response, empty
from ...database import Duplicate, Row
from ..documents import created, document
from ..errors import bad_request, conflict, not_found
from ..harbor import Call
from ..records import labels
from . import bodies
from .guards import project_for, require_administrator
from .paging import page_of, paged


def listing(call: Call) -> Response:
    """Those of one scope: g, or p with the project's number."""
    page, query = page_of(call.request), call.request.query
    scope = query.get("scope", [""])[0]
    if scope not in (labels.GLOBAL, labels.PROJECT):
        raise bad_request(f"invalid scope: {scope}")
    project_id = 0
    if scope == labels.PROJECT:
        named = query.get("project_id", [""])[0]
        if not named.isdecimal() or not int(named):
            raise bad_request("must with project ID when to query project labels")
        project_id = project_for(call, named, "label", "list")["project_id"]
    rows, total = labels.listing(
        call.database,
        scope=scope,
        project_id=project_id,
        name_like=query.get("name", [""])[0],
        limit=page.size,
        offset=page.offset,
    )
    return paged(call.request, page, [labels.document(row) for row in rows], total)


def create(call: Call) -> Response:
    body = bodies.sent(call, "label")
    scope = bodies.text(body, "scope")
    project_id = bodies.integer(body, "project_id") if scope == labels.PROJECT else 0
    _require(call, scope, project_id, "create")
    name = bodies.text(body, "name")
    try:
        label_id = labels.add(
            call.database,
            name=name,
            description=bodies.text(body, "description"),
            color=bodies.text(body, "color"),
            scope=scope,
            project_id=project_id,
        )
    except Duplicate:
        raise conflict(f"label {name} already exists") from None
    return created(f"/api/v2.0/labels/{label_id}")


def get(call: Call) -> Response:
    return document(labels.document(_label(call, "read")))


def change(call: Call) -> Response:
    label, body = _label(call, "update"), bodies.sent(call, "label")
    name = bodies.text(body, "name")
    try:
        labels.change(
            call.database,
            label["id"],
            name=name,
            description=bodies.text(body, "description"),
            color=bodies.text(body, "color"),
        )
    except Duplicate:
        raise conflict(f"label {name} already exists") from None
    return empty()


def delete(call: Call) -> Response:
    labels.remove(call.database, _label(call, "delete")["id"])
    return empty()


def _label(call: Call, action: str) -> Row:
    label_id = int(call.request.parameters["label_id"])
    label = labels.by_id(call.database, label_id)
    if label is None:
        raise not_found(f"label {label_id} not found")
    _require(call, label["scope"], label["project_id"], action)
    return label


def _require(call: Call, scope: str, project_id: int, action: str) -> None:
    """For labels of all an administrator, for those of a project whoever may do that with its labels."""
    if scope == labels.GLOBAL:
        require_administrator(call)
    elif scope == labels.PROJECT:
        project_for(call, str(project_id), "label", action)
    else:
        raise bad_request("unsupported label scope")
