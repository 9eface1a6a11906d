"""Harbor's jobs, for checks: what its database has of them, and what its jobservice has in Redis."""

import json
from datetime import datetime, timedelta

from harbor_verify.errors import CannotTell, RightMissing, StoreRefused, WrongConfiguration
from harbor_verify.model import configuration
from harbor_verify.model.jobs import JobRecords, JobStore, Policy
from harbor_verify.model.roles import Role
from harbor_verify.model.workloads import Replica, ready_since
from harbor_verify.target import Target

_OF_SCHEDULES = "SCHEDULER"
_KNOWN_EVERYWHERE = timedelta(seconds=5)
"""Until every node sends to who has become Ready, of which Kubernetes tells the second."""


def records(target: Target) -> JobRecords:
    """How the database is asked. Raises CannotTell where nobody knows."""
    if target.profile.jobs is None:
        raise CannotTell(f"nobody knows how {target.profile.name} writes jobs down")
    return target.profile.jobs


def job_store(target: Target) -> JobStore:
    """Where jobs are, by what is declared for a job replica, and there is a way to. Raises CannotTell."""
    found = _declared(target)
    _require_the_way(target, found)
    return found


def longest_s(target: Target) -> int:
    """For how long a job may run, by what is declared for a job replica. Raises CannotTell."""
    return 3600 * _declared(target).longest_hours


def loggers_that_keep_nothing(target: Target) -> set[str]:
    """The loggers of jobs, by what is declared, where no job replica can give a log afterwards.

    Empty where one can, and where what is declared may not be read.
    """
    try:
        told = [
            target.profile.loggers_that_keep_nothing(_files(target, replica))
            for replica in target.replicas(Role.JOB)
        ]
    except RightMissing:
        return set()
    return {name for names in told for name in names} if all(told) else set()


def _files(target: Target, replica: Replica) -> dict[str, str]:
    """What is declared to be in a replica's files, by path."""
    deployment = target.deployment
    return configuration.given_texts(
        replica.pod.spec, replica.container, deployment.config_map, deployment.secret
    )


def _declared(target: Target) -> JobStore:
    replica = target.replicas(Role.JOB)[0]
    files = _files(target, replica)
    try:
        found = target.profile.job_store(files, target.deployment.environment(replica))
    except WrongConfiguration as wrong:
        raise CannotTell(f"where {replica.object} keeps jobs: {wrong}") from wrong
    if found is None:
        raise CannotTell(
            f"no ConfigMap or Secret with the configuration of a job replica is mounted in {replica.object}"
        )
    return found


def policies(target: Target, store: JobStore) -> list[Policy]:
    """The schedules that fire, by score. Raises CannotTell where Redis refuses, or has what cannot be read."""
    try:
        with target.redis(store.store) as redis:
            found = redis.scored(store.policies_key)
    except StoreRefused as refused:
        raise CannotTell(str(refused)) from refused
    try:
        told = [(json.loads(text), score) for text, score in found]
        return [
            Policy(str(each["id"]), str(each["cron_spec"]), score)
            for each, score in told
            if each["job_name"] == _OF_SCHEDULES
        ]
    except (ValueError, KeyError, TypeError) as wrong:
        raise CannotTell(
            f"{store.policies_key} in Redis {store.store} holds what is no schedule: {wrong!r}"
        ) from wrong


def beats_ago_s(target: Target, store: JobStore) -> list[int]:
    """How many seconds ago each pool of workers beat last, by the clock of Redis. Raises CannotTell where that refuses.

    Source: gocraft/work: each jobservice writes heartbeat_at of its pool every five seconds.
    """
    try:
        with target.redis(store.store) as redis:
            now_s = redis.now_s()
            told = [redis.fields(f"{store.pools_key}:{pool}") for pool in redis.members(store.pools_key)]
    except StoreRefused as refused:
        raise CannotTell(str(refused)) from refused
    beats = (each.get("heartbeat_at", "") for each in told)
    return sorted(now_s - int(beat) for beat in beats if beat.isdecimal())


def running_since(target: Target) -> datetime:
    """Since when what is due can fire: the job replica that started last runs (with it, all schedules came back), one
    of them serves (some take minutes to start), and a web replica is there to be told. UTC. Raises CannotTell.
    """
    jobs = target.replicas(Role.JOB)
    starts = [
        status.state.running.started_at
        for replica in jobs
        for status in replica.pod.status.container_statuses or ()
        if status.name == replica.container.name and status.state and status.state.running
    ]
    if not starts:
        raise CannotTell(f"no container of {target.workload(Role.JOB).object} runs: nothing can fire")
    told = [ready + _KNOWN_EVERYWHERE for ready in _first_ready(target.replicas(Role.WEB))]
    return max([*starts, *_first_ready(jobs), *told])


def _first_ready(replicas: list[Replica]) -> list[datetime]:
    """Since when one of them has been Ready; empty where none is."""
    ready = [since for replica in replicas if (since := ready_since(replica.pod))]
    return [min(ready)] if ready else []


def _require_the_way(target: Target, found: JobStore) -> None:
    """A setting that says where the session store is says nothing of another Redis."""
    if not target.settings.session_store_address:
        return
    sessions, jobs = target.session_store(), found.store
    if sessions is None or (sessions.address, sessions.primary) != (jobs.address, jobs.primary):
        raise CannotTell(
            f"--session-store-address leads to the Redis of sessions; jobs are in another one, {jobs}"
        )
