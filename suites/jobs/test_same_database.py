"""Whether all who run jobs work with the database that the web replicas work with."""

from contextlib import suppress

from harbor_verify import running_replicas
from harbor_verify.checks import check
from harbor_verify.database import named_database
from harbor_verify.errors import CannotTell, DeadlinePassed, ProgramMissing
from harbor_verify.findings import Findings
from harbor_verify.model.addresses import joined
from harbor_verify.model.roles import Feature, Role
from harbor_verify.model.sockets import connected_with
from harbor_verify.model.workloads import Replica
from harbor_verify.target import Target
from harbor_verify.waiting import NotYet, wait_until

_SETTLES_S, _EVERY_S = 10, 2
"""A database that fails over just now is left by one sooner than by another."""
_LIST = ["sh", "-c", "cat /proc/net/tcp; cat /proc/net/tcp6 2>/dev/null || :"]


@check(
    "jobs.replicas-follow-the-database",
    hint="A {job} asks a {web} for the database when it starts, and never again. Where {database_settings} were "
    "changed since, and it was not started anew, it collects garbage, purges and sweeps by what the old database "
    "knows; `helm upgrade` restarts it for another password, and for no other host. Once every {web} runs with the new "
    "settings, `kubectl rollout restart` of the {job}; it then brings the new one's schedules into Redis, too. A host "
    "name that leads to another server since a failover: connections to the old one last for five minutes at most, "
    "look again.",
    source="Harbor: internalconfig, which is read when what runs jobs starts; Linux: /proc/net/tcp",
    needs=("exec",),
    requires=(Role.JOB, Feature.SCHEDULES),
    builds_on=("configuration.replicas-run-alike", "database.reachable"),
)
def test_whoever_runs_jobs_is_connected_to_the_database_of_the_web(
    harbor: Target, findings: Findings, not_applicable, measured
):
    """Whoever runs jobs, and is connected to a database, is connected to the one that web replicas are connected to.

    Source: the connections that each container has open to the database's port, and where its host leads from there.
    A job replica has one for some minutes after each job; one that has none, or the network of its node, says nothing.
    Connections to both are left from a failover.
    """
    database = named_database(harbor)
    ends, elsewhere = dict[str, frozenset[str]](), set[str]()
    of_webs, named = frozenset[str](), frozenset[str]()

    def look() -> None:
        nonlocal ends, elsewhere, of_webs, named
        jobs = [each for each in harbor.replicas(Role.JOB) if each.running]
        ends = {each.object: found for each in jobs if (found := _ends(harbor, each, database.port))}
        webs = [each for each in harbor.replicas(Role.WEB) if each.running] if ends else []
        of_webs = frozenset().union(*(_ends(harbor, each, database.port) for each in webs))
        # One that moves has some to either: what it opens now leads to the right one.
        elsewhere = {job for job, found in ends.items() if not found & of_webs}
        if elsewhere:
            named = _named(harbor, jobs[0], database.host, database.port)
            elsewhere = {job for job in elsewhere if not ends[job] & named}
        if elsewhere:
            raise NotYet("they differ")

    with suppress(DeadlinePassed):
        wait_until("they are alike", look, deadline="fixed", timeout_s=_SETTLES_S, interval_s=_EVERY_S)
    measured["connected_job_replicas_count"] = len(ends)
    if not ends:
        not_applicable(
            f"no job replica has a connection to port {database.port} open now: it has one for some minutes after a job"
        )
    expected = "is connected to the database that web replicas are connected to"
    for job, found in ends.items():
        with findings.about(job, expected) as replica:
            if job in elsewhere and not of_webs:
                replica.unknown(f"no web replica has a connection to port {database.port} open")
            elif job in elsewhere and named and not of_webs & named:
                # Whoever stands for a Service puts its pods in its place before a connection is made (Cilium's
                # load balancing in sockets): each leads to another of several, and all are behind the one host.
                replica.unknown(
                    f"it is connected to {_listed(found)}, and web replicas to {_listed(of_webs)}: neither is what "
                    f"{database.host} leads to ({_listed(named)}), and both may be behind it"
                )
            elif job in elsewhere:
                replica.wrong(f"it is connected to {_listed(found)}, and web replicas to {_listed(of_webs)}")


def _ends(harbor: Target, replica: Replica, port: int) -> frozenset[str]:
    """Where its connections to that port lead: ADDRESS:PORT. Raises ProgramMissing, CannotTell."""
    if replica.pod.spec.host_network:
        return frozenset()
    return connected_with(running_replicas.output_of(harbor, replica, _LIST), port)


def _named(harbor: Target, replica: Replica, host: str, port: int) -> frozenset[str]:
    """What the host leads to there, as far as that can be asked."""
    with suppress(ProgramMissing, CannotTell):
        told = running_replicas.output_of(harbor, replica, ["getent", "ahosts", host])
        return frozenset(joined(line.split()[0], port) for line in told.splitlines() if line.strip())
    return frozenset()


def _listed(addresses: frozenset[str]) -> str:
    return ", ".join(sorted(addresses))
