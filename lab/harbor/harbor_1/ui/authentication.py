"""Whose name and password these are."""

from ..database import Row
from .harbor import Harbor
from .records import users

LOCAL_MODE = "db_auth"


class UnknownMode(Exception):
    """Harbor is told to ask somebody else (LDAP, UAA), which the stand-in cannot."""


def authenticate(harbor: Harbor, principal: str, password: str) -> Row | None:
    """The user, or None for a wrong password (after 1.5 s) and for a locked user (at once).

    Raises ConfigurationUnavailable, DatabaseError, UnknownMode.
    """
    mode = harbor.configuration.current()["auth_mode"] or LOCAL_MODE
    if mode != LOCAL_MODE and principal != "admin":
        raise UnknownMode(f"Unrecognized auth_mode: {mode}")
    if harbor.lockout.is_locked(principal):
        return None
    user = users.with_password(harbor.database, principal, password)
    if user is None:
        harbor.lockout.punish(principal)
    return user
