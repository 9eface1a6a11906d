"""The checks of job logs and of the schema's migrations, on a Harbor of a few lines."""

from contextlib import contextmanager
from itertools import cycle
from types import SimpleNamespace

import pytest

from harbor_verify.clients.harbor import Credentials, Session
from harbor_verify.errors import NeedMissing, NotApplicable, UnexpectedAnswer
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
        log = next(self._given)
        if log is None:
            raise UnexpectedAnswer("GET /log → 404", status=404)
        return log


def harbor(web, replicas=2):
    return SimpleNamespace(
        credentials=ADMIN,
        user=ADMIN,
        client=ADMIN,
        administrator=lambda replica: Session("admin", "of-the-front-door"),
        front_door=web,
        web=lambda replica: web,
        replicas=lambda role: [None] * (replicas if role is Role.JOB else 1),
        workload=lambda role: SimpleNamespace(object="Deployment h/job"),
    )


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


def test_a_job_that_does_not_end_is_an_offender():
    web = Jobs("log", statuses=["Running"])
    (offender,) = offenders_of(logs, harbor(web), SETTINGS, never, permitted, lambda text: None)
    assert offender.object == "Deployment h/job"
    assert "its status is Running" in offender.observed


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
