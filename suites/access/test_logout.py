"""Signing out."""

from harbor_verify.checks import check
from harbor_verify.findings import Findings
from harbor_verify.model.roles import Role
from harbor_verify.replica_coverage import cross_pairs
from harbor_verify.target import Target


@check(
    "access.logout-ends-session-everywhere",
    hint="Sessions that were not known there even before: see sessions.known-to-every-replica, and give every {web} "
    "replica the same {session_setting}. Known before and after: a Redis that does not delete (a read-only replica, "
    "or two that do not agree): redis-cli (or valkey-cli) -n DATABASE INFO replication, "
    "through the address of that setting.",
    source="Harbor: log_out deletes the session",
    builds_on=(
        "sessions.known-to-every-replica",
        "configuration.session-store-configured",
    ),
)
def test_who_logs_out_on_one_replica_is_unknown_to_every_other(harbor: Target, findings: Findings):
    """Who logs out on one web replica is unknown, with the same cookie, to every replica.

    Source: Harbor, log_out. Ordered pairs, one request after the other: one that is in flight during the
    log-out writes the session back. Of many replicas, round a ring (harbor_verify/replica_coverage.py).
    """
    replicas = harbor.replicas(Role.WEB)
    for replica in replicas:
        web, session, ended = harbor.web(replica), None, False
        with findings.about(replica.object, "a session can be opened"):
            session = web.sign_in(harbor.user)
        if session is None:
            continue
        knowing = []
        for other in [other for one, other in cross_pairs(replicas, replicas) if one is replica]:
            expected = f"knows the session that {replica.name} opened, before its user logs out"
            with findings.about(other.object, expected) as before:
                if harbor.web(other).whoami(session) is None:
                    before.wrong("it was not known there even before (401)")
                else:
                    knowing.append(other)
        with findings.about(replica.object, "ends a session"):
            web.sign_out(session)
            ended = True
        for other in knowing if ended else ():
            expected = f"does not know the session any more that was ended on {replica.name}"
            with findings.about(other.object, expected) as afterwards:
                if (who := harbor.web(other).whoami(session)) is not None:
                    afterwards.wrong(f"it is still {who}'s there")
