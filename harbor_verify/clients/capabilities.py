"""What the client of some generations can do beyond `Harbor`. Checks that use it require the Feature that is named.

All methods raise AnswerError.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from harbor_verify.clients.harbor import Credentials, Project, Session


@dataclass(frozen=True)
class Health:
    """A health report. `status` and each component's are `healthy`, or what is wrong."""

    status: str
    components: dict[str, str]
    """By name; what is wrong follows the status where it is told."""


class ReportsHealth(Protocol):
    """Feature.HEALTH_REPORT."""

    def health(self) -> Health: ...


@dataclass(frozen=True)
class FormToken:
    """What a form must bring along, from one web replica, good on any other that shares its key."""

    token: str = field(repr=False)
    cookies: str = field(repr=False)


class ProtectsForms(Protocol):
    """Feature.FORM_TOKENS."""

    def form_token(self) -> FormToken: ...

    def sign_in_with(self, token: FormToken, credentials: Credentials) -> Session:
        """UnexpectedAnswer has status 403 where the token is not taken."""
        ...


class TakesUpRequestsEarly(Protocol):
    """Feature.REQUESTS_TAKEN_UP_EARLY."""

    def request_in_flight(self, session: Session, meanwhile: Callable[[], None]) -> bool:
        """Send a request of a session's that is refused for what is in it, and hold its end back until `meanwhile` has
        returned. Whether it was taken up before that; one that was not is answered as nobody's.
        """
        ...


@dataclass(frozen=True)
class Quota:
    """What a project may store, and does; `limit_bytes` is -1 where there is no limit."""

    project: str
    limit_bytes: int
    used_bytes: int


class CountsStorage(Protocol):
    """Feature.QUOTAS."""

    def keeps_quotas(self, credentials: Credentials) -> bool:
        """False: an administrator has switched them off, so nothing is counted, and nobody refused."""
        ...

    def quotas(self, credentials: Credentials) -> list[Quota]:
        """Those of all projects."""
        ...

    def used_bytes(self, project: Project, credentials: Credentials) -> int:
        """What the project's quota counts as used."""
        ...

    def artifact_bytes(self, repository: str, digest: str, credentials: Credentials) -> int:
        """The size that is shown of an artifact: its manifest's, its configuration's and its layers' together."""
        ...


@dataclass(frozen=True)
class Robot:
    """A robot account, with the credentials that it was made with."""

    id: int
    credentials: Credentials


class HasRobots(Protocol):
    """Feature.ROBOTS."""

    def create_robot(self, name: str, project: Project, credentials: Credentials) -> Robot:
        """One that may push to and pull from a project's repositories, list what is in them, and make and remove labels
        of it, for a day.
        """
        ...

    def knows_robot(self, robot_id: int, credentials: Credentials) -> bool:
        """Whether there is one with that number."""
        ...

    def delete_robot(self, robot_id: int, credentials: Credentials) -> None:
        """That it is gone already is well."""
        ...


class RunsJobs(Protocol):
    """Feature.JOB_LOGS."""

    def newest_ended_job(self, credentials: Credentials, *, within_s: float) -> int | None:
        """The id of the newest garbage collection that has ended, if it did so within that time."""
        ...

    def start_harmless_job(self, credentials: Credentials) -> int:
        """Start a job that changes nothing, and return its id."""
        ...

    def job_status(self, job_id: int, credentials: Credentials) -> str:
        """Pending, Running, Success, Error, Stopped."""
        ...

    def job_log(self, job_id: int, administrator: Session) -> str: ...


@dataclass(frozen=True)
class Queue:
    """Jobs of one kind that wait: how many, for how long the first of them has, and whether somebody paused them."""

    kind: str
    count: int
    oldest_s: int
    paused: bool


@dataclass(frozen=True)
class Worker:
    """One of those who run jobs, and what it is at; `kind` is empty for one that is idle. `since` is UTC."""

    pool: str
    kind: str = ""
    job_id: str = ""
    since: datetime | None = None


@dataclass(frozen=True)
class Collection:
    """A garbage collection. `status`: Pending, Running, Success, Error, Stopped; times are UTC, of its last change.

    `freed_bytes`: what it says that it freed; None: it does not say.
    """

    id: int
    status: str
    changed: datetime
    is_trial: bool
    freed_bytes: int | None


class RunsSchedules(Protocol):
    """Feature.SCHEDULES. UnexpectedAnswer has status 404 where a Harbor is too old to tell of its queues."""

    def queues(self, credentials: Credentials) -> list[Queue]: ...

    def workers(self, credentials: Credentials) -> list[Worker]:
        """Of all replicas that live."""
        ...

    def collections(self, credentials: Credentials) -> list[Collection]:
        """The newest first, some dozens."""
        ...

    def start_collection(self, credentials: Credentials) -> int:
        """Start a real garbage collection of the whole Harbor, which leaves what has no tag; its id."""
        ...

    def founded(self, credentials: Credentials) -> datetime | None:
        """When the oldest project was made; None: there is none."""
        ...


class KnowsRegistries(Protocol):
    """Feature.SECRET_KEY."""

    def registries(self, administrator: Session) -> list[str] | None:
        """Names of the other registries that it knows, whose passwords it keeps encrypted; None: it does not tell."""
        ...


@dataclass(frozen=True)
class Endpoint:
    """Another registry that Harbor knows. `status`: what it found when it looked last, every five minutes: healthy."""

    id: int
    name: str
    url: str
    status: str


@dataclass(frozen=True)
class ReplicationRule:
    """A replication rule. `cron` (six fields, UTC) is empty for one without a schedule; `changed` is UTC."""

    id: int
    name: str
    enabled: bool
    source: str
    target: str
    endpoint_ids: tuple[int, ...]
    """Of the other registries that it is about."""
    cron: str
    changed: datetime


@dataclass(frozen=True)
class ReplicationRun:
    """One run of a rule. `status`: InProgress, Succeed, Failed, Stopped; times are UTC."""

    id: int
    status: str
    started: datetime
    ended: datetime | None
    failed: int
    total: int
    told: str


class Replicates(Protocol):
    """Feature.REPLICATION."""

    def endpoints(self, credentials: Credentials) -> list[Endpoint]: ...

    def rules(self, credentials: Credentials) -> list[ReplicationRule]: ...

    def runs_of(self, rule: ReplicationRule, credentials: Credentials) -> list[ReplicationRun]:
        """The newest first, some dozens."""
        ...


@dataclass(frozen=True)
class Scanner:
    """A scanner that Harbor knows."""

    id: str
    name: str
    disabled: bool


class HasScanners(Protocol):
    """Feature.SCANNERS."""

    def scanners(self, credentials: Credentials) -> list[Scanner]: ...

    def scanner_database(self, scanner: Scanner, credentials: Credentials) -> datetime | None:
        """When what it knows of vulnerabilities was brought up to date; None: it does not tell."""
        ...


class CountsProjects(Protocol):
    """Feature.METRICS."""

    def count_of_projects(self, credentials: Credentials) -> int:
        """How many there are, by an administrator's."""
        ...
