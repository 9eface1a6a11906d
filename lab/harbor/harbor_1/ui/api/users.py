"""/api/users"""

import re

from ....web.response import Refused, Response, created, document, empty, error
from ...database import Row
from ..harbor import Call
from ..records import users
from .guards import require_login
from .paging import page_of, paged

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_LENGTHS = {"username": (1, 20), "password": (8, 20), "realname": (1, 20), "comment": (0, 30)}
_NOT_ADMIN = "User does not have admin role"


class UserVanished(Exception):
    """Somebody has logged in whom the database does not know (any more): Harbor panics at that."""


def current(call: Call) -> Response:
    return document(users.document(_caller(call)))


def get(call: Call) -> Response:
    caller = _caller(call)
    user = _user_of_path(call)
    if not call.caller.is_admin and user["user_id"] != caller["user_id"]:
        return error(403, _NOT_ADMIN)
    return document(users.document(user))


def listing(call: Call) -> Response:
    _caller(call)
    if not call.caller.is_admin:
        return error(403, _NOT_ADMIN)
    page = page_of(call.request)
    rows, total = users.listing(call.database, call.request.text("username"), page.size, page.offset)
    # With the password's hash: so does the real one.
    documents = [users.document(row, password=row["password"]) for row in rows]
    return paged(call.request, page, documents, total)


def create(call: Call) -> Response:
    settings = call.harbor.configuration.current()
    if not settings["self_registration"] and not call.caller.is_admin:
        return error(403, "Self registration is disabled")
    user = call.request.json(username=str, email=str, password=str, realname=str, comment=str)
    if reason := _what_is_wrong(user):
        return error(400, f"register error:{reason}")
    for column in ("username", "email"):
        if users.is_taken(call.database, column, user[column]):
            return error(409, f"{column} has already been used!")
    return created(call.request.path, users.add(call.database, user))


def delete(call: Call) -> Response:
    caller = _caller(call)
    if not call.caller.is_admin:
        return error(403, _NOT_ADMIN)
    user = _user_of_path(call)
    if user["user_id"] == caller["user_id"]:
        return error(403, "can not delete yourself")
    users.delete(call.database, user["user_id"])
    return empty()


def _caller(call: Call) -> Row:
    call.harbor.configuration.current()
    require_login(call)
    user = users.by_name(call.database, call.caller.name)
    if user is None:
        raise UserVanished(call.caller.name)
    return user


def _user_of_path(call: Call) -> Row:
    user_id = int(call.request.parameters["user"])
    user = users.by_id(call.database, user_id)
    if user is None:
        raise Refused(error(404, f"user {user_id} not found"))
    return user


def _what_is_wrong(user: dict[str, str]) -> str:
    for name, (least, most) in _LENGTHS.items():
        if not least <= len(user[name]) <= most:
            return f"{name} with illegal length"
    for name in ("username", "realname"):
        if any(sign in user[name] for sign in ",~#$%"):
            return f"{name} contains illegal characters"
    return "" if _EMAIL.fullmatch(user["email"]) else "Email with illegal format"
