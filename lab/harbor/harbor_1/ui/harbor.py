"""What the handlers of requests have at hand."""

from dataclasses import dataclass, field

from ...lockout import Lockout
from ...web.request import Request
from ..app_config import AppConfig
from ..configuration import Configuration
from ..database import Database
from .caller import Caller
from .registry_client import RegistryClient
from .sessions import Session, Sessions
from .signing import SigningKey


@dataclass
class Harbor:
    """The parts of a running ui."""

    app_config: AppConfig
    configuration: Configuration
    database: Database
    registry: RegistryClient
    sessions: Sessions
    key: SigningKey
    jobservice_secret: str
    lockout: Lockout = field(default_factory=Lockout)

    def external_host(self) -> str:
        """Harbor's address without the scheme. Raises ConfigurationUnavailable."""
        return self.configuration.current()["ext_endpoint"].rpartition("://")[2]


@dataclass
class Call:
    """One request, the session that it has, and who makes it."""

    harbor: Harbor
    request: Request
    session: Session
    caller: Caller
    ended_cookie: str = ""
    """Takes the session's cookie away, where the request logs out."""

    @property
    def database(self) -> Database:
        return self.harbor.database
