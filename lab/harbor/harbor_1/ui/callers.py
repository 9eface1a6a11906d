"""Who makes a request, and what they may do."""

from functools import cached_property
from typing import Any

from ... import log
from ...web.request import Request
from ..configuration import ConfigurationUnavailable
from ..database import Database, DatabaseError, Row, describe
from .authentication import UnknownMode, authenticate
from .caller import Caller
from .harbor import Harbor
from .records import projects, users
from .sessions import Session

JOBSERVICE = "harbor-jobservice"


class User(Caller):
    """Somebody who has logged in. What they may do is asked for at each request; who they are is remembered."""

    is_authenticated = True

    def __init__(self, database: Database, name: str, *, is_admin: bool) -> None:
        self._database = database
        self.name = name
        self.is_admin = is_admin

    @cached_property
    def row(self) -> Row | None:
        """None when the user was deleted meanwhile."""
        return users.by_name(self._database, self.name)

    @property
    def user_id(self) -> int | None:
        return self.row["user_id"] if self.row else None

    def role(self, project_id: int) -> int:
        return projects.role(self._database, project_id, self.user_id) if self.user_id else 0


class Program(Caller):
    """Who shows a secret. With a wrong one, whatever else they show counts no more."""

    def __init__(self, secret: str, jobservice_secret: str) -> None:
        self.is_authenticated = secret == jobservice_secret
        self.name = JOBSERVICE if self.is_authenticated else ""

    @property
    def sees_all(self) -> bool:
        return self.is_authenticated

    def role(self, project_id: int) -> int:
        return projects.GUEST if self.is_authenticated else 0


def caller_of(harbor: Harbor, request: Request, session: Session) -> Caller:
    """A secret goes before a password, a password before the session; a wrong password counts as none."""
    if secret := request.cookie("secret"):
        return Program(secret, harbor.jobservice_secret)
    if (credentials := request.basic_credentials()) and (user := _by_password(harbor, *credentials)):
        return User(harbor.database, user["username"], is_admin=user["sysadmin_flag"] == 1)
    if "username" in session.values:
        values: dict[str, Any] = session.values
        return User(harbor.database, values["username"], is_admin=bool(values.get("isSysAdmin")))
    return Caller()


def _by_password(harbor: Harbor, name: str, password: str) -> Row | None:
    try:
        return authenticate(harbor, name, password)
    except (ConfigurationUnavailable, UnknownMode) as failure:
        log.error(f"failed to authenticate {name}: {failure}")
    except DatabaseError as failure:
        log.error(f"failed to authenticate {name}: {describe(failure)}")
    return None
