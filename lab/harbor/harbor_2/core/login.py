"""Logging in and out with a form, as the portal does."""

from dataclasses import replace

from ...web.response import Response, document, empty
from .authentication import authenticate
from .configuration import BY_PROVIDER
from .harbor import Call
from .records import users

USER = "user"
"""What of a session says who it is."""


def log_in(call: Call) -> Response:
    """Whom nobody knows here a provider of identities may know: they are sent there. Raises DatabaseError."""
    mode = call.harbor.configuration.current()["auth_mode"]
    form = call.request
    if mode == BY_PROVIDER and users.by_name(call.database, form.text("principal")) is None:
        location = f"{call.harbor.settings.external_url}/c/oidc/login"
        return replace(document({"redirect_location": location}), status=403)
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
