"""What is declared for those who run jobs: where jobs are, and whether their logs are kept."""

from types import SimpleNamespace

import pytest
from kubernetes import client

from harbor_verify import jobs as library
from harbor_verify.errors import CannotTell, RightMissing, WrongConfiguration
from harbor_verify.model.jobs import JobStore
from harbor_verify.model.stores import SessionStore

STORE = JobStore(SessionStore("redis", 6379, "hush", 1), "{jobs}", 24)


def test_where_jobs_are_has_to_be_known(monkeypatch):
    def target(found, **more):
        replica = SimpleNamespace(
            object="pod h/job-0",
            pod=SimpleNamespace(spec=client.V1PodSpec(containers=[], volumes=[])),
            container=None,
        )
        return SimpleNamespace(
            replicas=lambda role: [replica],
            deployment=SimpleNamespace(config_map=None, secret=None, environment=lambda replica: {}),
            profile=SimpleNamespace(job_store=found),
            settings=SimpleNamespace(session_store_address=more.get("address")),
            session_store=lambda: more.get("sessions"),
        )

    def wrong(files, environment):
        raise WrongConfiguration("redis_url is no URL")

    monkeypatch.setattr(library.configuration, "given_texts", lambda *given: {})
    with pytest.raises(CannotTell, match="redis_url is no URL"):
        library.job_store(target(wrong))
    with pytest.raises(CannotTell, match="no ConfigMap"):
        library.job_store(target(lambda files, environment: None))
    assert library.job_store(target(lambda *given: STORE)) is STORE
    same = SessionStore("redis", 6379, "hush", 0)
    assert library.job_store(target(lambda *given: STORE, address="a:1", sessions=same)) is STORE
    for other in (None, SessionStore("another", 6379, "hush", 0)):
        with pytest.raises(CannotTell, match="in another one"):
            library.job_store(target(lambda *given: STORE, address="a:1", sessions=other))


def test_logs_are_not_kept_where_every_job_replica_keeps_none(monkeypatch):
    def target(*declared):
        told = iter(declared)
        return SimpleNamespace(
            replicas=lambda role: [None] * len(declared),
            profile=SimpleNamespace(loggers_that_keep_nothing=lambda files: next(told)),
        )

    monkeypatch.setattr(library, "_files", lambda target, replica: {})
    output = ("STD_OUTPUT",)
    assert library.loggers_that_keep_nothing(target(output, output)) == {"STD_OUTPUT"}
    assert library.loggers_that_keep_nothing(target(output, ())) == set()

    def forbidden(target, replica):
        raise RightMissing("configmaps is forbidden")

    monkeypatch.setattr(library, "_files", forbidden)
    assert library.loggers_that_keep_nothing(target(output)) == set()
