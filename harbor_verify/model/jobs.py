"""What Harbor runs by itself: schedules, the queues of jobs, and what became of them. Pure: no I/O."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile
from typing import Protocol

from cronsim import CronSim, CronSimError

from harbor_verify.clients.sql import Sql
from harbor_verify.errors import WrongConfiguration
from harbor_verify.model.stores import SessionStore

_EARLY = timedelta(seconds=1)
"""By so much a clock may be behind another's: what began then is of the moment after."""
_DAYS_OF_MONTH, _DAYS_OF_WEEK = (3, "1-31"), (5, "0-6")


@dataclass(frozen=True)
class Schedule:
    """A schedule as the database has it. `subject` is the id of a policy; 0 or less: the whole Harbor. `made` is UTC.

    `job_id` is what jobservice knows it by; empty: it has no job. Where it is not `enabled` its policy is switched off:
    it fires as before, and starts nothing.
    """

    id: int
    kind: str
    subject: int
    cron: str
    job_id: str
    made: datetime
    enabled: bool = True

    def __str__(self) -> str:
        whose = f" of policy {self.subject}" if self.subject > 0 else ""
        return f"schedule {self.id} {self.kind}{whose}"


@dataclass(frozen=True)
class Policy:
    """A schedule as jobservice has it in Redis. By its score it is taken out."""

    job_id: str
    cron: str
    score: int


@dataclass(frozen=True)
class OpenTask:
    """A task that has not ended. `status` is Pending, Scheduled, Running; for `age_s` nothing has changed."""

    job_id: str
    status: str
    age_s: float


@dataclass(frozen=True)
class OpenExecution:
    """What somebody, or a schedule, asked for `age_s` ago, and has not ended; of `tasks` tasks `unended` have not, some
    of which are given, those that run first. For `quiet_s` none of its tasks has changed, those that have ended
    included; without tasks that is its age.
    """

    id: int
    kind: str
    age_s: float
    quiet_s: float
    tasks: int
    unended: int
    open_tasks: tuple[OpenTask, ...]

    def __str__(self) -> str:
        return f"execution {self.id} {self.kind}"


@dataclass(frozen=True)
class JobStore:
    """Where jobservice keeps jobs: every key begins with `namespace`. A job may run for `longest_hours`."""

    store: SessionStore
    namespace: str
    longest_hours: int

    @property
    def policies_key(self) -> str:
        return f"{self.namespace}:period:policies"

    @property
    def pools_key(self) -> str:
        """The set of the ids of pools of workers, one for each jobservice; of each there is a hash below it.

        Source: gocraft/work, worker_pools.
        """
        return f"{self.namespace}:worker_pools"


class JobRecords(Protocol):
    """How a generation's database is asked. All raise StoreRefused."""

    def now(self, sql: Sql) -> datetime:
        """Of the database's clock."""
        ...

    def schedules(self, sql: Sql) -> list[Schedule]: ...

    def firings(self, sql: Sql, schedule: Schedule, since: datetime) -> list[datetime]:
        """When it has started what it is for, in their order."""
        ...

    def is_swept(self, sql: Sql, schedule: Schedule, before: datetime) -> bool:
        """Whether what it started before may have been removed: there is much of later, and nothing of before."""
        ...

    def open_executions(self, sql: Sql, older_than_s: float) -> list[OpenExecution]:
        """Those of schedules themselves apart, which never end."""
        ...


def due(cron: str, after: datetime, until: datetime, *, most: int) -> list[datetime]:
    """The last moments, `most` at most, at which a schedule is to fire, in their order; `after` is none of them.

    Raises WrongConfiguration for an expression that is none.
    """
    behind = until.replace(microsecond=0) + timedelta(seconds=1)
    found = takewhile(lambda at: at > after, _moments(cron, behind, backwards=True))
    return sorted(islice(found, most))


def next_due(cron: str, after: datetime) -> datetime | None:
    """The first moment after this one; None: there is none. Raises WrongConfiguration."""
    return next(_moments(cron, after), None)


def _moments(cron: str, start: datetime, *, backwards: bool = False) -> CronSim:
    """Source: github.com/robfig/cron v3, as Harbor uses it: six fields, seconds first, in UTC.

    ? is *; a step over all days is no longer any day, so that a day of the month or one of the week is enough.
    """
    fields = cron.replace("?", "*").split()
    if len(fields) != 6:
        raise WrongConfiguration(f"{cron!r} has not six fields")
    for place, every in (_DAYS_OF_MONTH, _DAYS_OF_WEEK):
        if fields[place].startswith("*/") and fields[place] != "*/1":
            fields[place] = every + fields[place][1:]
    try:
        return CronSim(" ".join(fields), start.astimezone(UTC), reverse=backwards)
    except CronSimError as wrong:
        raise WrongConfiguration(f"{cron!r} is no cron expression: {wrong}") from wrong


@dataclass(frozen=True)
class Fired:
    """What became of moments at which a schedule was due. `missed`: nothing began at the last; `several`: how many."""

    missed: datetime | None
    several: dict[datetime, int]


def fired(moments: Sequence[datetime], began: Iterable[datetime], following: datetime | None) -> Fired:
    """Each beginning counts for the last moment before it; one too many makes up for one before that was missed.

    `moments` are in their order, and not empty; what began at the one `following` them (None: there is none), or later,
    is not theirs. What the first of several has too many may be of one before it.
    """
    counts = dict.fromkeys(moments, 0)
    for at in began:
        if following and at + _EARLY >= following:
            continue
        of = [moment for moment in moments if moment <= at + _EARLY]
        if of:
            counts[of[-1]] += 1
    several, behind = {}, 0
    for moment, count in counts.items():
        late = min(max(count - 1, 0), behind)
        behind += (not count) - late
        if count - late > 1 and (moment != moments[0] or len(moments) == 1):
            several[moment] = count - late
    return Fired(None if counts[moments[-1]] else moments[-1], several)


def sharing(policies: Iterable[Policy]) -> dict[int, list[Policy]]:
    """Those that one score takes out together, by that score."""
    by_score: dict[int, list[Policy]] = {}
    for policy in policies:
        by_score.setdefault(policy.score, []).append(policy)
    return {score: several for score, several in by_score.items() if len(several) > 1}
