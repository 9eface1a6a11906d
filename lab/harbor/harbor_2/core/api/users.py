"""Users."""

from ....web.response import Response
from ...database import Duplicate, Row
from ..configuration import LOCAL
from ..documents import created, document
from ..errors import bad_request, conflict, forbidden, not_found, unauthorized
from ..harbor import Call
from ..records import users
from . import bodies
from .guards import caller_of, require_administrator, require_login, require_user
from .paging import exact_or_like, page_of, paged, query_of


def current(call: Call) -> Response:
    caller = require_user(call)
    row = users.by_id(call.database, caller.user_id)
    if row is None:
        raise unauthorized()
    return document(users.document(row))


def listing(call: Call) -> Response:
    """All but the first administrator, who is never listed."""
    require_administrator(call)
    page, asked = page_of(call.request), query_of(call.request)
    wanted = {name: "".join(exact_or_like(asked, name)) for name in ("username", "email")}
    rows, total = users.listing(call.database, **wanted, limit=page.size, offset=page.offset)
    return paged(call.request, page, [users.document(row) for row in rows], total)


def search(call: Call) -> Response:
    """For those who choose members of a project."""
    require_login(call)
    page = page_of(call.request)
    wanted = call.request.query.get("username", [""])[0]
    rows, total = users.search(call.database, wanted, limit=page.size, offset=page.offset)
    return paged(call.request, page, rows, total)


def create(call: Call) -> Response:
    """By an administrator; nobody registers themselves."""
    mode = call.harbor.configuration.current()["auth_mode"]
    if mode != LOCAL:
        raise forbidden(f"users are made elsewhere, since auth_mode is {mode}")
    caller = caller_of(call)
    if caller is None:
        raise unauthorized()
    if not caller.is_admin:
        raise forbidden("self-registration is disabled")
    body = bodies.sent(call, "userReq")
    names = ("username", "email", "password", "realname", "comment")
    sent = {name: bodies.text(body, name) for name in names}
    if not sent["username"]:
        raise bad_request("bad request: username is required")
    if not _is_strong(sent["password"]):
        raise bad_request(
            "invalid password: the password must be longer than 8 chars with at least 1 uppercase letter, "
            "1 lowercase letter and 1 number"
        )
    try:
        user_id = users.add(call.database, **sent)
    except Duplicate:
        raise conflict(f"user {sent['username']} or email {sent['email']} already exists") from None
    return created(f"/api/v2.0/users/{user_id}")


def get(call: Call) -> Response:
    caller = require_user(call)
    row = _user(call)
    if not caller.is_admin and caller.user_id != row["user_id"]:
        raise forbidden()
    return document(users.document(row))


def delete(call: Call) -> Response:
    caller = require_administrator(call)
    row = _user(call)
    if row["user_id"] in (users.ADMIN_ID, caller.user_id):
        raise forbidden(f"user with ID {row['user_id']} can not be deleted")
    users.delete(call.database, row["user_id"])
    return Response(200)


def change_password(call: Call) -> Response:
    """One's own with the old one; an administrator anybody's."""
    caller = require_user(call)
    row = _user(call)
    body = bodies.sent(call, "password")
    old, new = bodies.text(body, "old_password"), bodies.text(body, "new_password")
    is_own = caller.user_id == row["user_id"]
    if not is_own and not caller.is_admin:
        raise forbidden()
    if is_own and users.with_password(call.database, row["username"], old) is None:
        raise forbidden("Current password is incorrect")
    if not _is_strong(new):
        raise bad_request("invalid password")
    users.set_password(call.database, row["user_id"], new)
    return Response(200)


def _user(call: Call) -> Row:
    user_id = int(call.request.parameters["user_id"])
    row = users.by_id(call.database, user_id)
    if row is None:
        raise not_found(f"user {user_id} not found")
    return row


def _is_strong(password: str) -> bool:
    kinds = (str.isupper, str.islower, str.isdigit)
    return 8 <= len(password) <= 128 and all(any(map(kind, password)) for kind in kinds)
