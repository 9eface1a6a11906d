"""What Harbor 2.x writes down of jobs, in PostgreSQL, and where its jobservice keeps them.

Sources: make/migrations/postgresql (schedule, execution, task, p2p_preheat_policy); pkg/scheduler, pkg/task;
controller/p2p/preheat; jobservice/config.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

from harbor_verify.clients.sql import Sql
from harbor_verify.errors import WrongConfiguration
from harbor_verify.model import configuration
from harbor_verify.model.jobs import JobStore, OpenExecution, OpenTask, Schedule
from harbor_verify.profiles.harbor_2.stores import redis_of_url

_NOW = "(CURRENT_TIMESTAMP AT TIME ZONE 'UTC')"
"""Harbor writes times of day in UTC, without saying so."""
_CHANGED = "coalesce(t.update_time, t.creation_time)"
_FINAL = "('Success', 'Error', 'Stopped')"
_SCHEDULER = "SCHEDULER"
_PREHEAT, _PREHEAT_POLICIES = "P2P_PREHEAT", "p2p_preheat_policy"
_BY_SCHEDULE = "('SCHEDULE', 'SCHEDULED')"
"""Preheat policies write their own word, `scheduled`. Source: controller/p2p/preheat, launchExecutions."""
_FEWEST_KEPT, _FEWEST_KEPT_OF = 10, {"SCAN_ALL": 1}
"""Of a kind the newest are kept, 50 unless told otherwise; and fewer of some: of scans of all the newest alone.
Source: pkg/task, sweep_manager; jobservice, known_jobs.
"""
_MOST = 100
_KEEP_LOGS = {"FILE", "DB"}
_LEAST_HOURS = 24


class Harbor2Jobs:
    """JobRecords (harbor_verify/model/jobs.py)."""

    def now(self, sql: Sql) -> datetime:
        ((now,),) = sql.rows(f"SELECT {_NOW}")
        return _utc(now)

    def schedules(self, sql: Sql) -> list[Schedule]:
        rows = sql.rows(
            f"""SELECT s.id, s.vendor_type, s.vendor_id, s.cron, s.creation_time, (SELECT t.job_id FROM task t
                JOIN execution e ON e.id = t.execution_id AND e.vendor_type = '{_SCHEDULER}'
                AND e.vendor_id = s.id ORDER BY t.id DESC LIMIT 1) FROM schedule s ORDER BY s.id"""
        )
        off = _disabled_preheats(sql)
        return [
            Schedule(
                int(id),
                str(kind),
                int(subject or 0),
                str(cron),
                str(job_id or ""),
                _utc(made),
                enabled=not (kind == _PREHEAT and subject in off),
            )
            for id, kind, subject, cron, made, job_id in rows
        ]

    def firings(self, sql: Sql, schedule: Schedule, since: datetime) -> list[datetime]:
        rows = sql.rows(
            f"SELECT start_time {_started(schedule)} AND upper(trigger) IN {_BY_SCHEDULE} AND start_time >= %s "
            "ORDER BY id",
            _written(since),
        )
        return [_utc(began) for (began,) in rows]

    def is_swept(self, sql: Sql, schedule: Schedule, before: datetime) -> bool:
        ((earlier, later),) = sql.rows(
            f"""SELECT count(*) FILTER (WHERE start_time < %s), count(*) FILTER (WHERE start_time >= %s)
                {_started(schedule)}""",
            _written(before),
            _written(before),
        )
        return not earlier and int(later) >= _FEWEST_KEPT_OF.get(schedule.kind, _FEWEST_KEPT)

    def open_executions(self, sql: Sql, older_than_s: float) -> list[OpenExecution]:
        rows = sql.rows(
            f"""SELECT e.id, e.vendor_type, extract(epoch FROM {_NOW} - e.start_time),
                (SELECT extract(epoch FROM {_NOW} - max({_CHANGED})) FROM task t WHERE execution_id = e.id),
                (SELECT count(*) FROM task WHERE execution_id = e.id),
                (SELECT count(*) FROM task WHERE execution_id = e.id AND status NOT IN {_FINAL}),
                t.job_id, t.status, extract(epoch FROM {_NOW} - {_CHANGED})
                FROM (SELECT * FROM execution WHERE vendor_type <> '{_SCHEDULER}' AND status NOT IN {_FINAL}
                    AND extract(epoch FROM {_NOW} - start_time) >= %s ORDER BY id LIMIT {_MOST}) e
                LEFT JOIN LATERAL (SELECT * FROM task WHERE execution_id = e.id AND status NOT IN {_FINAL}
                    ORDER BY status <> 'Running', id LIMIT {_MOST}) t ON true ORDER BY e.id, t.id""",
            older_than_s,
        )
        found: dict[int, OpenExecution] = {}
        for id, kind, age_s, quiet_s, tasks, unended, job_id, status, task_age_s in rows:
            known = found.get(id) or OpenExecution(
                int(id),
                str(kind),
                float(age_s),
                float(age_s if quiet_s is None else quiet_s),
                int(tasks),
                int(unended),
                (),
            )
            if status is not None:
                task = OpenTask(str(job_id or ""), str(status), float(task_age_s))
                known = replace(known, open_tasks=(*known.open_tasks, task))
            found[id] = known
        return list(found.values())


def job_store(files: Mapping[str, str], environment: Mapping[str, str]) -> JobStore | None:
    """What the config.yml among a jobservice's files names, and its environment; None: none of them is one.

    Raises WrongConfiguration. Source: jobservice/config; JOB_SERVICE_POOL_REDIS_URL and …_NAMESPACE win over the file.
    """
    for text in files.values():
        told = configuration.mapping_of(text)
        pool = (told.get("worker_pool") or {}).get("redis_pool") if "worker_pool" in told else None
        if not isinstance(pool, dict):
            continue
        url = environment.get("JOB_SERVICE_POOL_REDIS_URL") or str(pool.get("redis_url") or "")
        name = environment.get("JOB_SERVICE_POOL_REDIS_NAMESPACE") or str(pool.get("namespace") or "")
        if not url or not name:
            raise WrongConfiguration(
                "worker_pool.redis_pool of jobservice's config.yml lacks redis_url or namespace"
            )
        hours = str((told.get("reaper") or {}).get("max_update_hours") or "")
        store = redis_of_url("worker_pool.redis_pool.redis_url", url)
        return JobStore(
            store, f"{{{name.strip('{}')}}}", max(_LEAST_HOURS, int(hours) if hours.isdecimal() else 0)
        )
    return None


def loggers_that_keep_nothing(files: Mapping[str, str]) -> tuple[str, ...]:
    """Names of `job_loggers` in the config.yml among a jobservice's files, where it can give no log of theirs.

    () where it can, and where none is told. Source: jobservice/logger: FILE and DB have a getter, STD_OUTPUT has none.
    """
    for text in files.values():
        told = configuration.mapping_of(text).get("job_loggers") if "job_loggers" in text else None
        if isinstance(told, list) and told:
            names = tuple(str(each.get("name")) for each in told if isinstance(each, dict))
            return () if _KEEP_LOGS & set(names) else names
    return ()


def _disabled_preheats(sql: Sql) -> set[int]:
    """Ids of preheat policies that are switched off, which keep their schedules. The table is of 2.1 and later."""
    if _PREHEAT_POLICIES not in sql.tables():
        return set()
    return {int(id) for (id,) in sql.rows(f"SELECT id FROM {_PREHEAT_POLICIES} WHERE NOT enabled")}


def _started(schedule: Schedule) -> str:
    """FROM executions that are of what this schedule starts; kinds and ids are Harbor's own."""
    subject = f" AND vendor_id = {int(schedule.subject)}" if schedule.subject > 0 else ""
    kind = schedule.kind.replace("'", "''").replace("%", "%%")
    return f"FROM execution WHERE vendor_type = '{kind}'{subject}"


def _utc(written: datetime) -> datetime:
    return written.replace(tzinfo=UTC)


def _written(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)
