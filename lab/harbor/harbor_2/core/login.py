"""Logging in and out with a form, as the portal does."""

from ...web.response import Response, document, empty
from .authentication import authenticate
from .harbor import Call

USER = "user"
"""What of a session says who it is."""


def log_in(call: Call) -> Response:
    """Raises DatabaseError."""
    call.harbor.configuration.current()
    form = call.request
    user = authenticate(call.database, call.harbor.lockout, form.text("principal"), form.text("password"))
    if user is None:
        return empty(401)
    call.harbor.sessions.renew(call.session)
    call.session.values[USER] = {"id": user["user_id"], "name": user["username"]}
    return empty()


def log_out(call: Call) -> Response:
    call.harbor.sessions.end(call.session)
    return empty()


def user_exists(call: Call) -> Response:
    """For the form with which people register; where they cannot, nothing is told."""
    return document(False)
