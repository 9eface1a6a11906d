"""The parts that a Harbor plays, whatever its generation calls them. Checks ask for roles, never for versions."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from harbor_verify.clients.harbor import Credentials, Harbor
from harbor_verify.clients.http import HttpClient
from harbor_verify.clients.sql import Sql
from harbor_verify.model.contents import Contents
from harbor_verify.model.helm import Release
from harbor_verify.model.jobs import JobRecords, JobStore
from harbor_verify.model.metrics import MetricsEndpoint
from harbor_verify.model.stores import Database, SessionStore
from harbor_verify.model.upgrades import Upgrade
from harbor_verify.model.web_page import WebPage
from harbor_verify.model.words import Words

Environment = Mapping[str, str]


class Role(StrEnum):
    """What a workload does for the whole."""

    FRONT_DOOR = "front door"
    WEB = "web"
    REGISTRY = "registry"
    JOB = "job"
    CONFIGURATION_STORE = "configuration store"
    PAGE = "page"


class Feature(StrEnum):
    """What some generations of Harbor have. A check that requires one is not applicable to the others."""

    FORM_TOKENS = "forms that are protected by a token (CSRF)"
    GALERA = "database that may be a Galera cluster"
    HEALTH_REPORT = "health report that names its components"
    IMAGE_RECORDS = "database that says what images are made of"
    IMAGES_ON_VOLUMES = "images on volumes"
    INTERNAL_TLS = "TLS between its own components"
    JOB_LOGS = "jobs whose logs users can read"
    METRICS = "metrics for Prometheus"
    MIGRATIONS = "schema that is migrated at start"
    OBJECT_STORE = "images in an object store"
    QUOTAS = "storage quotas"
    REPLICATION = "replication to and from other registries"
    REQUESTS_TAKEN_UP_EARLY = "requests that are taken up before their body has come"
    ROBOTS = "robot accounts"
    SCANNERS = "scanners for vulnerabilities"
    SCHEDULES = "jobs that run by a schedule"
    SECRET_KEY = "secret key with a well-known default"
    SENTINELS = "session store that Sentinels may lead to"


class Standing(StrEnum):
    """What somebody is to a project."""

    ADMINISTRATOR = "administrator"
    DEVELOPER = "developer"
    GUEST = "guest"
    PUBLIC = "anybody, of a public project"
    STRANGER = "anybody, of a private project"


@dataclass(frozen=True)
class FirstRow:
    """A row that the database has had since its schema was loaded: `where` finds it in `table`."""

    what: str
    table: str
    where: str


@dataclass(frozen=True)
class Part:
    """How a profile knows the workload of one role, and how it is spoken to.

    `images` are last components of image names without tag; a workload is also known by one of `labels`, since
    many clusters run copies of the images under other names. `port` is where its container listens, unless it
    declares `tls_port` and not that one: then it listens there, with TLS.
    `replicated`: that one of them dies must be no outage; what works off a queue may be alone.
    """

    images: tuple[str, ...]
    labels: tuple[tuple[str, str], ...]
    port: int
    tls_port: int | None = None
    replicated: bool = True

    @property
    def least(self) -> int:
        """How many replicas it needs."""
        return 2 if self.replicated else 1


@dataclass(frozen=True)
class Migration:
    """The last migration of the database's schema. `dirty`: it began, and did not end."""

    version: int
    dirty: bool


@dataclass(frozen=True)
class RobotAccount:
    """A robot as the database knows it. `made` and `ends` are UTC; `ends` is None for one that never does."""

    name: str
    project: str
    """Empty for one of the whole Harbor."""
    made: datetime
    ends: datetime | None
    disabled: bool


@dataclass(frozen=True)
class ConfigurationStores:
    """How one asks a replica of the configuration store. All raise WrongConfiguration."""

    configurations: Callable[[HttpClient, Environment], Mapping[str, Any]]
    """What a replica with this environment answers. Holds secrets. Raises AnswerError, too."""
    database: Callable[[Mapping[str, Any]], Database]
    """The database that an answer names."""


@dataclass(frozen=True)
class SecretKey:
    """The file of a web replica that holds the key which stored passwords are encrypted with."""

    path: str
    length: int
    well_known: frozenset[str]
    """Keys that anybody can read in Harbor's documents or chart."""


@dataclass(frozen=True)
class Monitoring:
    """What a generation tells Prometheus."""

    of: Callable[[Role, Mapping[str, str], Environment], MetricsEndpoint | None]
    """Where a replica with these files (text by path) and this environment does; None: nowhere, it is switched off.

    Raises WrongConfiguration."""
    exporter: Part
    """Who tells of Harbor as a whole what it is told by the others. It plays no role: without it nothing is lost."""
    of_exporter: Callable[[Environment], MetricsEndpoint | None]
    """The same of a container of its, by its environment; None: that container is another. Raises
    WrongConfiguration."""
    health: str
    """Of the exporter's metrics: whether Harbor calls itself healthy, 1 or 0."""
    up: str
    """Whether Harbor calls a `component` healthy, 1 or 0."""
    projects: str
    """How many projects there are, as it has counted them in the database."""


@dataclass(frozen=True)
class Profile:
    """One generation of Harbor's layout."""

    name: str
    words: Words
    parts: Mapping[Role, Part]
    required: frozenset[Role]
    """Without these it is no Harbor of this generation."""
    features: frozenset[Feature]
    """What its `api` can do beyond Harbor (harbor_verify/clients/capabilities.py), and what else it has."""
    api: type[Harbor]
    """Its client."""
    registry_api: Role
    """Whose replicas docker clients speak to behind the front door (/v2/), and which know Harbor's users."""
    registry_login: Callable[[Environment], Credentials | None]
    """With what Harbor itself opens a registry replica, by a web replica's environment; None: with its users' tokens.

    Raises WrongConfiguration."""
    session_store: Callable[[Environment], SessionStore | None]
    """The session store that the environment of a web replica names; None: it names none, and sessions stay in the
    replica's memory. Raises WrongConfiguration."""
    database_role: Role
    """Whose environment names the database."""
    database: Callable[[Environment], Database]
    """The database that the environment of a replica of `database_role` names. Raises WrongConfiguration."""
    tables: frozenset[str]
    """What the database holds at least."""
    first_rows: tuple[FirstRow, ...]
    """And what is in them from the beginning."""
    member_roles: Mapping[Standing, int]
    """The numbers by which the API knows what a member is."""
    actions: Mapping[Standing, frozenset[str]]
    """What a token lets somebody do with a project's repositories, whatever they asked for."""
    page: WebPage
    """How a user signs in and out."""
    configuration_store: ConfigurationStores | None = None
    """Where it has one."""
    migrations: Callable[[Sql], list[Migration]] | None = None
    """What its database says of migrations, where there are any. Raises StoreRefused."""
    most_connections: Callable[[Environment], float | None] = lambda environment: None
    """How many connections whoever has this environment may open, a replica of `database_role` or another program of
    Harbor's that has a setting of its own; math.inf: it is told that there is no limit; None: it does not say.

    Raises WrongConfiguration."""
    contents: Contents | None = None
    """How its database is asked for images and what they are made of, where that is known."""
    jobs: JobRecords | None = None
    """How its database is asked for schedules and jobs, where it has them."""
    job_store: Callable[[Mapping[str, str], Environment], JobStore | None] = lambda files, environment: None
    """Where a job replica with these files (text by path) and this environment keeps jobs; None: they name none.

    Raises WrongConfiguration."""
    loggers_that_keep_nothing: Callable[[Mapping[str, str]], tuple[str, ...]] = lambda files: ()
    """What a job replica with these files (text by path) has jobs write to, where it cannot give their logs afterwards;
    () where it can, and where they do not say."""
    monitoring: Monitoring | None = None
    """What it tells Prometheus, where it can."""
    share_connections: frozenset[Role] = frozenset()
    """Those who open as many connections as a replica of `database_role` may, beside it: they take its settings."""
    robots: Callable[[Sql], list[RobotAccount]] | None = None
    """The robot accounts that its database knows, where there are any. Raises StoreRefused."""
    made_anew: Callable[[Release], list[str] | None] = lambda release: None
    """What the next upgrade of a release by Helm replaces, in words, of keys that are in use; None: of a chart that is
    not known."""
    upgrade: Upgrade | None = None
    """How what it holds is compared before and after an upgrade, where that is known."""
    secret_key: SecretKey | None = None
    """Where it has one that must not stay as it came."""
    internal_tls: Callable[[Environment], str] = lambda environment: ""
    """The certificate file that a component of this environment serves with; empty: none."""
    internal_authority: Callable[[Environment], str] = lambda environment: ""
    """The file of the authority that a component of this environment verifies the others by; empty: none."""
    authorities: str = ""
    """The folder in which its components find authorities that operators give them, trusted beside the system's;
    empty: there is no such folder."""

    @property
    def present(self) -> frozenset[Role | Feature]:
        """All that a Harbor of this generation may have; which of it is there, its facts say."""
        return frozenset(self.parts) | self.features
