"""Logging in and out."""

from ... import log
from ...web.response import Response, abort, document, empty
from ..configuration import ConfigurationUnavailable
from ..database import DatabaseError, describe
from .authentication import UnknownMode, authenticate
from .harbor import Call
from .records import users


def log_in(call: Call) -> Response:
    """The session stays the same one. Whatever prevents it looks like a wrong password."""
    principal = call.request.text("principal")
    try:
        user = authenticate(call.harbor, principal, call.request.text("password"))
    except (ConfigurationUnavailable, UnknownMode) as failure:
        log.error(f"Error occurred in UserLogin: {failure}")
        return abort(401)
    except DatabaseError as failure:
        log.error(f"Error occurred in UserLogin: {describe(failure)}")
        return abort(401)
    if user is None:
        return abort(401)
    call.session.values["userId"] = user["user_id"]
    call.session.values["username"] = user["username"]
    call.session.values["isSysAdmin"] = user["sysadmin_flag"] == 1
    return empty()


def log_out(call: Call) -> Response:
    call.ended_cookie = call.harbor.sessions.end(call.session, call.request)
    return empty()


def user_exists(call: Call) -> Response:
    """For the form with which people register."""
    target = call.request.text("target")
    if target not in ("username", "email"):
        return document(False)
    return document(users.is_taken(call.database, target, call.request.text("value")))
