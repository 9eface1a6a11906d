"""What Harbor 2.x's database and its jobservice's configuration say of jobs."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from harbor_verify.errors import WrongConfiguration
from harbor_verify.model.jobs import OpenExecution, OpenTask, Schedule
from harbor_verify.model.stores import SessionStore
from harbor_verify.profiles.harbor_2.jobs import Harbor2Jobs, job_store, loggers_that_keep_nothing

JOBS = Harbor2Jobs()
AT = datetime(2026, 11, 28, 3)
CONFIGURATION = """
worker_pool:
  workers: 10
  redis_pool:
    redis_url: "redis+sentinel://:hush@s1:26379,s2:26379/harbor/1"
    namespace: "harbor_job_service_namespace"
reaper:
  max_update_hours: 36
"""
FILES = {"/etc/registry/config.yml": "storage: {}", "/etc/jobservice/config.yml": CONFIGURATION}


class Rows:
    """A database; `disabled` are preheat policies, None: it has no table of them."""

    def __init__(self, *rows, disabled=None):
        self._rows, self.asked, self._disabled = list(rows), [], disabled

    def tables(self):
        return {"schedule"} if self._disabled is None else {"schedule", "p2p_preheat_policy"}

    def rows(self, query, *values):
        self.asked.append((query, values))
        if query == "SELECT id FROM p2p_preheat_policy WHERE NOT enabled":
            return [(id,) for id in self._disabled]
        return self._rows


def schedule(subject=-1, kind="RETENTION"):
    return Schedule(7, kind, subject, "0 0 3 * * *", "job", AT.replace(tzinfo=UTC))


def test_schedules_come_with_what_jobservice_knows_them_by():
    found = JOBS.schedules(
        Rows((7, "RETENTION", 2, "0 0 3 * * *", AT, "job"), (8, "SCAN_ALL", None, "", AT, None))
    )
    assert found == [schedule(2), Schedule(8, "SCAN_ALL", 0, "", "", AT.replace(tzinfo=UTC))]
    assert [str(each) for each in found] == ["schedule 7 RETENTION of policy 2", "schedule 8 SCAN_ALL"]


@pytest.mark.parametrize(
    "disabled, enabled", [(None, [True, True]), ((), [True, True]), ((2,), [False, True])]
)
def test_a_preheat_policy_that_is_disabled_keeps_its_schedule(disabled, enabled):
    rows = [(7, "P2P_PREHEAT", 2, "0 0 3 * * *", AT, "job"), (8, "RETENTION", 2, "0 0 3 * * *", AT, "job")]
    assert [each.enabled for each in JOBS.schedules(Rows(*rows, disabled=disabled))] == enabled


def test_what_a_schedule_started_is_asked_for_its_kind_and_its_policy_and_in_utc():
    sql = Rows((AT,))
    assert JOBS.firings(sql, schedule(2), AT.replace(tzinfo=UTC)) == [AT.replace(tzinfo=UTC)]
    ((query, values),) = sql.asked
    wanted = "vendor_type = 'RETENTION' AND vendor_id = 2 AND upper(trigger) IN ('SCHEDULE', 'SCHEDULED') AND"
    assert wanted in query
    assert values == (AT,)
    JOBS.firings(sql, schedule(-1, "it's"), AT.replace(tzinfo=UTC))
    assert "vendor_type = 'it''s' AND upper(trigger" in sql.asked[1][0]


@pytest.mark.parametrize(
    "earlier, later, swept", [(0, 10, True), (0, 9, False), (1, 50, False), (0, 0, False)]
)
def test_what_is_gone_may_have_been_swept_only_where_much_of_later_is_there(earlier, later, swept):
    assert JOBS.is_swept(Rows((earlier, later)), schedule(), AT.replace(tzinfo=UTC)) is swept


@pytest.mark.parametrize("earlier, later, swept", [(0, 1, True), (1, 1, False), (0, 0, False)])
def test_of_scans_of_all_one_that_came_later_sweeps_all_before(earlier, later, swept):
    scans = replace(schedule(), kind="SCAN_ALL")
    assert JOBS.is_swept(Rows((earlier, later)), scans, AT.replace(tzinfo=UTC)) is swept


def test_executions_that_are_open_come_with_their_open_tasks():
    rows = Rows(
        (1, "REPLICATION", 7200, 50, 3, 2, "a", "Running", 7100),
        (1, "REPLICATION", 7200, 50, 3, 2, "", "Pending", 60),
        (2, "SCAN_ALL", 90000, None, 0, 0, None, None, None),
    )
    assert JOBS.open_executions(rows, 900) == [
        OpenExecution(
            1,
            "REPLICATION",
            7200.0,
            50.0,
            3,
            2,
            (OpenTask("a", "Running", 7100), OpenTask("", "Pending", 60)),
        ),
        OpenExecution(2, "SCAN_ALL", 90000.0, 90000.0, 0, 0, ()),
    ]
    assert rows.asked[0][1][0] == 900


def test_where_jobs_are_the_configuration_says_and_variables_win():
    found = job_store(FILES, {})
    assert found.store == SessionStore(
        "s1", 26379, "hush", 1, primary="harbor", sentinels=("s1:26379", "s2:26379")
    )
    assert found.policies_key == "{harbor_job_service_namespace}:period:policies"
    assert found.longest_hours == 36
    other = {"JOB_SERVICE_POOL_REDIS_URL": "redis://r/3", "JOB_SERVICE_POOL_REDIS_NAMESPACE": "{mine}"}
    found = job_store(FILES, other)
    assert (found.store, found.namespace) == (SessionStore("r", 6379, "", 3), "{mine}")


def test_a_job_may_take_a_day_whatever_is_set():
    assert job_store({"c": CONFIGURATION.replace("36", "2")}, {}).longest_hours == 24
    assert job_store({"c": CONFIGURATION.partition("reaper")[0]}, {}).longest_hours == 24


def test_without_a_configuration_nobody_knows_and_a_wrong_one_is_told():
    assert job_store({"/etc/registry/config.yml": "storage: {}"}, {}) is None
    with pytest.raises(WrongConfiguration, match="lacks redis_url or namespace"):
        job_store({"c": "worker_pool: {redis_pool: {namespace: x}}"}, {})
    with pytest.raises(WrongConfiguration, match=r"worker_pool.redis_pool.redis_url does not begin"):
        job_store({"c": CONFIGURATION.replace("redis+sentinel", "valkey")}, {})


@pytest.mark.parametrize(
    "declared, names",
    [
        ("[{name: STD_OUTPUT, level: INFO}]", ("STD_OUTPUT",)),
        ("[{name: STD_OUTPUT}, {name: FILE, settings: {base_dir: /var/log/jobs}}]", ()),
        ("[{name: DB, level: INFO}]", ()),
        ("[]", ()),
        ("", ()),
    ],
)
def test_of_loggers_that_keep_nothing_no_log_can_be_given(declared, names):
    files = {**FILES, "/etc/jobservice/config.yml": f"{CONFIGURATION}job_loggers: {declared}\n"}
    assert loggers_that_keep_nothing(files) == names
    assert loggers_that_keep_nothing(FILES) == ()
