"""Whose name and password these are."""

from ...lockout import Lockout
from ..database import Database, Row
from .records import users


def authenticate(database: Database, lockout: Lockout, principal: str, password: str) -> Row | None:
    """The user, or None for a wrong password (after 1.5 s) and for a frozen name (at once). Raises DatabaseError."""
    if lockout.is_locked(principal):
        return None
    user = users.with_password(database, principal, password)
    if user is None:
        lockout.punish(principal)
    return user
