"""The checks of job logs and of the schema's migrations, on a Harbor of a few lines."""

import threading
from contextlib import contextmanager
from itertools import cycle
from types import SimpleNamespace

import pytest

from harbor_verify import jobs as library
from harbor_verify.clients.harbor import Credentials, Session
from harbor_verify.errors import CannotTell, NeedMissing, NotApplicable, UnexpectedAnswer
from harbor_verify.model.roles import Migration, Role
from suites.database import test_migration
from suites.storage.test_job_logs import (
    test_the_log_of_a_job_is_given_whichever_replica_ran_it as logs,
)
from tests.unit.running import examine, never, not_applicable, offenders_of

ADMIN = Credentials("admin", "hush")
SETTINGS = SimpleNamespace(converge_timeout_s=0.2)


class Jobs:
    """Behind one web replica are several that run jobs: each gives the log in its own way."""

    def __init__(self, *given, statuses=("Running", "Success"), starts=True, newest=None):
        self._newest = newest
        self._given, self._statuses, self._starts = cycle(given), list(statuses), starts
        self._lock, self.asked, self.closed = threading.Lock(), 0, 0

    def close(self):
        self.closed += 1

    def newest_ended_job(self, credentials, *, within_s):
        if isinstance(self._newest, Exception):
            raise self._newest
        return self._newest

    def start_harmless_job(self, credentials):
        if not self._starts:
            raise UnexpectedAnswer("POST /jobs → 500", status=500)
        return 4

    def job_status(self, job_id, credentials):
        status = self._statuses.pop(0) if len(self._statuses) > 1 else self._statuses[0]
        if isinstance(status, Exception):
            raise status
        return status

    def job_log(self, job_id, session):
        assert session.cookie == "of-the-front-door"
        with self._lock:
            self.asked += 1
            log = self._log()
        if log is None:
            raise UnexpectedAnswer("GET /log → 404", status=404)
        return log

    def _log(self):
        return next(self._given)


class KeepsConnections(Jobs):
    """Its web replica asks the same job replica again, unless more is asked at once than it keeps connections for."""

    def __init__(self, mine, other):
        super().__init__(other, newest=7)
        self._mine, self._under_way = mine, 0

    def job_log(self, job_id, session):
        with self._lock:
            self._under_way += 1
        threading.Event().wait(0.02)
        try:
            return super().job_log(job_id, session)
        finally:
            with self._lock:
                self._under_way -= 1

    def _log(self):
        return self._mine if self._under_way <= 2 else super()._log()


def harbor(web, replicas=2, webs=1):
    return SimpleNamespace(
        profile=SimpleNamespace(api=lambda link: link),
        new_link=lambda replica: web,
        credentials=ADMIN,
        user=ADMIN,
        client=ADMIN,
        administrator=lambda replica: Session("admin", "of-the-front-door"),
        front_door=web,
        replicas=lambda role: [None] * (replicas if role is Role.JOB else webs),
        workload=lambda role: SimpleNamespace(object="Deployment h/job"),
    )


@pytest.fixture(autouse=True)
def keeping_nothing(monkeypatch):
    """`keeping_nothing |= {…}`: what jobs write to, where that is all."""
    loggers = set()
    monkeypatch.setattr(library, "loggers_that_keep_nothing", lambda target: loggers)
    return loggers


def permitted(need):
    assert need == "disruption"


def forbidden(need):
    raise NeedMissing("needs permission to disrupt")


def test_without_permission_no_job_is_started_and_the_newest_that_ended_is_read():
    web = Jobs("log", starts=False, newest=7)
    examine(logs, harbor(web), SETTINGS, never, forbidden, never)
    (offender,) = offenders_of(
        logs, harbor(Jobs("log", None, starts=False, newest=7)), SETTINGS, never, forbidden, never
    )
    assert "job 7" in offender.expected


def test_without_permission_and_without_a_job_nothing_can_be_said():
    with pytest.raises(NeedMissing, match="none is started here: needs permission to disrupt"):
        examine(logs, harbor(Jobs("log", starts=False)), SETTINGS, never, forbidden, never)


def test_jobs_that_are_not_told_are_an_offender():
    web = Jobs("log", newest=UnexpectedAnswer("GET /gc → 502", status=502))
    (offender,) = offenders_of(logs, harbor(web), SETTINGS, never, forbidden, never)
    assert offender.observed == "GET /gc → 502"


def test_a_log_that_every_replica_gives_is_well():
    examine(logs, harbor(Jobs("log", "log")), SETTINGS, never, permitted, lambda text: None)


@pytest.mark.parametrize(
    "given, told", [(("log", None), "404"), (("log", "other"), "2 different logs"), (("",), "an empty log")]
)
def test_a_log_that_some_replicas_do_not_give_is_named(given, told):
    (offender, *_) = offenders_of(logs, harbor(Jobs(*given)), SETTINGS, never, permitted, lambda text: None)
    assert offender.object == "Deployment h/job"
    assert told in offender.observed


def test_a_job_that_cannot_be_started_is_an_offender():
    (offender,) = offenders_of(
        logs, harbor(Jobs("log", starts=False)), SETTINGS, never, permitted, lambda text: None
    )
    assert "500" in offender.observed


@pytest.mark.parametrize("status", ["Running", "Pending"])
def test_a_job_that_takes_long_or_waits_is_not_known_as_yet(status):
    web = Jobs("log", statuses=[status])
    with pytest.raises(CannotTell, match=f"its status is {status}.*look again when it has ended"):
        examine(logs, harbor(web), SETTINGS, never, permitted)
    assert not web.asked


def test_while_a_job_takes_long_the_newest_that_has_ended_is_read():
    told = []
    web = Jobs("log", statuses=["Running"], newest=3)
    examine(logs, harbor(web), SETTINGS, never, permitted, told.append)
    assert "job 3 is read" in told[-1]
    web = Jobs("log", None, statuses=["Running"], newest=3)
    (offender,) = offenders_of(logs, harbor(web), SETTINGS, never, permitted, told.append)
    assert "job 3" in offender.expected


def test_a_job_without_a_status_is_an_offender():
    (offender,) = offenders_of(logs, harbor(Jobs("log", statuses=[""])), SETTINGS, never, permitted)
    assert offender.object == "Deployment h/job"


@pytest.mark.parametrize("status", ["Error", "Stopped"])
def test_the_log_of_a_job_that_failed_is_given_as_well(status):
    web = Jobs("log", statuses=[status])
    examine(logs, harbor(web), SETTINGS, never, permitted)
    assert (web.asked, web.closed) == (60, 12)


def test_of_many_web_replicas_each_is_asked_less():
    web = Jobs("log", newest=7)
    examine(logs, harbor(web, webs=5), SETTINGS, never, forbidden)
    assert web.asked == 5 * 12


def test_a_web_replica_that_uses_its_connections_again_is_asked_by_many_at_once():
    examine(logs, harbor(KeepsConnections("log", "log")), SETTINGS, never, forbidden)
    (offender,) = offenders_of(logs, harbor(KeepsConnections("log", None)), SETTINGS, never, forbidden)
    assert "times not" in offender.observed


def test_many_job_replicas_that_may_not_all_be_met_are_told():
    told = []
    examine(logs, harbor(Jobs("log", newest=7), replicas=20), SETTINGS, never, forbidden, told.append)
    assert told == [
        "20 job replicas are more than 60 requests are sure to meet: some may not have been asked"
    ]


def test_jobs_that_only_write_to_the_output_have_no_log_to_give(keeping_nothing):
    keeping_nothing.add("STD_OUTPUT")
    with pytest.raises(NotApplicable, match=r"log to STD_OUTPUT alone"):
        examine(logs, harbor(Jobs("log")), SETTINGS, not_applicable, never)


def test_a_job_whose_status_is_not_told_is_an_offender():
    web = Jobs("log", statuses=[UnexpectedAnswer("GET /gc/4 → 502", status=502)])
    (offender,) = offenders_of(logs, harbor(web), SETTINGS, never, permitted, lambda text: None)
    assert "job 4" in offender.expected
    assert offender.observed == "GET /gc/4 → 502"


def test_with_one_replica_there_is_no_other_to_give_a_log():
    with pytest.raises(NotApplicable, match="one replica"):
        examine(logs, harbor(Jobs("log"), replicas=1), SETTINGS, not_applicable, permitted, lambda text: None)


migrated = test_migration.test_the_last_migration_of_the_schema_was_finished


def database(monkeypatch, *found):
    @contextmanager
    def harbors_database(target):
        yield None

    monkeypatch.setattr(test_migration, "harbors_database", harbors_database)
    return SimpleNamespace(
        database=lambda: "registry at h", profile=SimpleNamespace(migrations=lambda sql: list(found))
    )


def test_a_migration_that_ended_is_well(monkeypatch):
    measured = {}
    examine(migrated, database(monkeypatch, Migration(150, False)), measured)
    assert measured == {"schema_version": 150}


@pytest.mark.parametrize(
    "found, told",
    [
        ([Migration(160, True)], "migration 160 is dirty"),
        ([], "0 rows"),
        ([Migration(150, False), Migration(160, False)], "2 rows"),
    ],
)
def test_a_migration_that_broke_off_is_named(found, told, monkeypatch):
    (offender,) = offenders_of(migrated, database(monkeypatch, *found), {})
    assert told in offender.observed
