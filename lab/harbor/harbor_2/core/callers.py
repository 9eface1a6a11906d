"""Who makes a request."""

import secrets
from datetime import UTC
from typing import Any

from ... import log
from ...web.request import Request
from ..database import Database, DatabaseError, describe
from ..version import at_least
from .authentication import authenticate
from .door.places import mounted_from, place_of
from .harbor import Caller, Harbor
from .login import USER
from .records import projects, robots, users
from .sessions import Session
from .signing import KeyUnusable

REGISTRY_SERVICE = "harbor-registry"
_PROJECT_SKEW_S = 60
"""By so much a token may be older than the project that it is for."""


def caller_of(harbor: Harbor, request: Request, session: Session) -> Caller | None:
    """Whoever shows the most: a secret of a program, a token (for /v2/ alone), a password, the session.

    What is wrong counts as not shown. Of a session the database is not asked: its user may be gone.
    """
    scheme, _, shown = request.headers.get("Authorization", "").partition(" ")
    if scheme == "Harbor-Secret":
        known = secrets.compare_digest(shown.encode(), harbor.settings.jobservice_secret.encode())
        return Caller("harbor-jobservice", is_program=True) if shown and known else None
    if (
        scheme == "Bearer"
        and request.path.startswith("/v2/")
        and (bearer := _by_token(harbor, request, shown))
    ):
        return bearer
    if credentials := request.basic_credentials():
        try:
            if found := _by_password(harbor, *credentials):
                return found
        except DatabaseError as failure:
            log.error(f"failed to authenticate {credentials[0]}: {describe(failure)}")
    if user := session.values.get(USER):
        return Caller(user["name"], user["id"], is_in_session=True)
    return None


def known(call_database: Database, caller: Caller | None) -> Caller | None:
    """The caller with what the database says of the user of a session. Raises DatabaseError."""
    if caller is None or not caller.is_in_session:
        return caller
    user = users.by_id(call_database, caller.user_id)
    return Caller(user["username"], user["user_id"], user["sysadmin_flag"]) if user else None


def _by_token(harbor: Harbor, request: Request, token: str) -> Caller | None:
    try:
        claims = harbor.key.claims(token, REGISTRY_SERVICE)
    except KeyUnusable as failure:
        log.error(f"failed to verify a token: {failure}")
        return None
    if claims is None or (at_least(2, 15) and not _is_of_this_project(harbor, request, claims)):
        return None
    return Caller(claims.get("sub", ""), access=claims.get("access") or [])


def _is_of_this_project(harbor: Harbor, request: Request, claims: dict[str, Any]) -> bool:
    """Not of another one that had its name before; the same for what is mounted from."""
    if "iat" not in claims:
        return False
    repositories = (place_of(request.target).repository, mounted_from(request.target)[1])
    try:
        for name in {repository.partition("/")[0] for repository in repositories if repository}:
            project = projects.by_name(harbor.database, name)
            if project is None:
                return False
            made_s = project["creation_time"].replace(tzinfo=UTC).timestamp()
            if claims["iat"] + _PROJECT_SKEW_S < made_s:
                return False
    except DatabaseError as failure:
        log.error(f"failed to find the project of a token: {describe(failure)}")
        return False
    return True


def _by_password(harbor: Harbor, name: str, password: str) -> Caller | None:
    if robot := robots.with_secret(harbor.database, name, password):
        return Caller(name, robot=robot)
    user = authenticate(harbor.database, harbor.lockout, name, password)
    return Caller(user["username"], user["user_id"], user["sysadmin_flag"]) if user else None
