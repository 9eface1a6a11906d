"""What the handlers of requests have at hand."""

from dataclasses import dataclass, field
from typing import Any

from ...lockout import Lockout
from ...web.request import Request
from ..database import Database
from .configuration import Configuration
from .csrf import Protection
from .door.pulls import Pulls
from .health import Health
from .registry_client import RegistryClient
from .sessions import Session, Sessions
from .settings import Settings
from .signing import SigningKey


@dataclass
class Harbor:
    """The parts of a running core."""

    settings: Settings
    database: Database
    configuration: Configuration
    sessions: Sessions
    key: SigningKey
    registry: RegistryClient
    health: Health
    csrf: Protection
    pulls: Pulls
    lockout: Lockout = field(default_factory=Lockout)


@dataclass(frozen=True)
class Caller:
    """Somebody who has shown a password, a session or a secret. `robot` is the row of a robot account."""

    name: str
    user_id: int = 0
    is_admin: bool = False
    robot: dict[str, Any] | None = None
    is_program: bool = False
    """jobservice, which shows JOBSERVICE_SECRET: may do everything."""
    access: list[dict[str, Any]] | None = None
    """What a token of the registry allows; with one, nothing else counts. The name may be empty: of nobody."""
    is_in_session: bool = False
    """Known by a session only, so that the administrator's flag is not known yet."""


@dataclass
class Call:
    """One request, the session that it has, and who makes it (None: nobody knows)."""

    harbor: Harbor
    request: Request
    session: Session
    caller: Caller | None
    sent_bytes: int = 0
    """How much of the body has gone through to the registry."""

    @property
    def database(self) -> Database:
        return self.harbor.database
