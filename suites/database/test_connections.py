"""Whether the database takes as many connections as Harbor may open."""

import math

from harbor_verify.checks import SHOULD, check
from harbor_verify.database import harbors_database
from harbor_verify.errors import CannotTell, NeedMissing, TargetUnreachable
from harbor_verify.findings import Findings
from harbor_verify.model import pgbouncer
from harbor_verify.model.configuration import given_files
from harbor_verify.model.controllers import desired_of
from harbor_verify.model.environment import environment_of
from harbor_verify.target import Target


@check(
    "database.connections-suffice",
    hint="When all replicas connect at once (after a failover, or while a scan or garbage collection runs) the server "
    "says `too many clients already`, and Harbor answers 500. Lower what each may open (the chart: "
    "database.maxOpenConns, 900 by default, for {web}, {job} and the exporter each) to the server's limit divided by "
    "all of their pods and one more of each, as a rollout has one more for a while; or raise max_connections, or put a "
    "pooler in between (PgBouncer by the session: default_pool_size, and max_client_conn, on each pooler). A limit of "
    "0 or less is none: load alone then reaches the server's. The server's limit is the least of max_connections and "
    "the CONNECTION LIMIT of Harbor's role and of its database (ALTER ROLE, ALTER DATABASE).",
    source="PostgreSQL: max_connections, CONNECTION LIMIT; PgBouncer: max_client_conn, default_pool_size; reports "
    "12058, 13887 and 16631 of goharbor/harbor",
    needs=("database",),
    severity=SHOULD,
    builds_on=("database.reachable",),
)
def test_the_database_takes_as_many_connections_as_harbor_may_open(
    harbor: Target, findings: Findings, not_applicable, measured
):
    """The database takes as many connections as all pods of Harbor together may open, while a rollout adds to them.

    Source: the environment of each part, and what the server, or a pooler's configuration, says. Other clients of the
    server are not counted.
    """
    wanted = _wanted(harbor)
    if wanted is None:
        not_applicable(
            "nothing says how many connections a replica may open, so whether they suffice was NOT verified"
        )
    with harbors_database(harbor) as sql:
        most, by_pooler = sql.most_connections(), sql.by_pooler()
    if by_pooler:
        pools = _pools(harbor)
        if not pools:
            not_applicable(
                "a pooler takes connections in the database's stead, and tells only those who run it how many "
                "(SHOW CONFIG: max_client_conn, and default_pool_size where pool_mode is session), so whether "
                "they suffice was NOT verified"
            )
        pooled = sum(pool.clients for pool in pools)
        # By the session each client is one of the server's, too.
        most = min(pooled, most or pooled) if pools[0].by_session else pooled
    if most is None:
        not_applicable("the database does not say how many connections it takes")
    total = sum(count * each for _, count, each in wanted)
    unlimited = [name for name, _, each in wanted if each == math.inf]
    if not unlimited:
        measured["connections_wanted_count"] = total
    measured["connections_taken_count"] = most
    taker = "the poolers before the database take" if by_pooler else "the database takes"
    expected = f"all pods may open {most} connections at most, as many as {taker}"
    with findings.about(harbor.workload(harbor.profile.database_role).object, expected) as connections:
        if unlimited:
            connections.wrong(
                f"{', '.join(unlimited)} may open any number: they are told of no limit (0 or less)"
            )
        elif total > most:
            parts = ", ".join(f"{count} of {name} {each} each" for name, count, each in wanted)
            connections.wrong(f"they may open {total}: {parts}, a rollout's one more of each counted")


def _wanted(harbor):
    """(name, pods with the one more of a rollout, connections of each) of every part that opens some; None: one of
    those does not say how many."""
    profile = harbor.profile
    limits = [
        profile.most_connections(harbor.deployment.environment(each))
        for each in harbor.replicas(profile.database_role)
    ]
    known = [limit for limit in limits if limit is not None]
    if len(known) < len(limits):
        return None
    web = harbor.workload(profile.database_role)
    found = [(web.name, len(known) + 1, max(known))]
    for role in profile.share_connections:
        if role in harbor.deployment.workloads:
            workload = harbor.workload(role)
            found.append((workload.name, max(workload.desired, 1) + 1, max(known)))
    for item in harbor.deployment.others():
        environments = (
            environment_of(each, harbor.deployment.config_map, harbor.deployment.secret)
            for each in item.spec.template.spec.containers
        )
        if limit := max((profile.most_connections(each) or 0 for each in environments), default=0):
            found.append((item.metadata.name, desired_of(item) + 1, limit))
    return found


def _pools(harbor):
    """What each of the pods behind the database's host is told as a pooler; None where nothing says that."""
    try:
        backing = harbor.backing(harbor.database().host)
        if not backing.owners or backing.owners[0].namespace != harbor.namespace:
            return None
        pods = [harbor.deployment.pod(name) for name in backing.pods]
    except (CannotTell, NeedMissing, TargetUnreachable):
        return None
    config_map, secret = harbor.deployment.config_map, harbor.deployment.secret
    taken = []
    for pod in pods:
        told = []
        for each in pod.spec.containers:
            files = {file.path: file.text for file in given_files(pod.spec, each, config_map, secret)}
            told.append(pgbouncer.pool_of(files, environment_of(each, config_map, secret)))
        taken.append(next((pool for pool in told if pool is not None), None))
    return None if None in taken else taken
