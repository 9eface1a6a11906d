"""Sessions are shared: behind a Service nobody chooses which replica answers next."""

from harbor_verify.checks import check
from harbor_verify.findings import Findings
from harbor_verify.model.roles import Role
from harbor_verify.replica_coverage import ordered_pairs
from harbor_verify.target import Target


@check(
    "sessions.known-to-every-replica",
    hint="Give every {web} replica the same {session_setting}, {after_change}: "
    "without it each keeps the sessions of its users in its own memory. If it is set, compare it on the replicas that "
    "are named: another server, another database number, or a Redis that is a read-only replica.",
    source="Harbor: the session cookie, and its API's current user",
    builds_on=(
        "configuration.session-store-configured",
        "access.login-accepts-right-password",
        "sessions.replicas-follow-the-primary",
    ),
)
def test_session_opened_on_one_replica_is_known_to_every_other(
    harbor: Target, findings: Findings, not_applicable
):
    """Who signs in on one web replica is known to every other.

    Source: Harbor, session cookie. Ordered pairs, because a store may be shared by some replicas only; of
    many replicas, round a ring (harbor_verify/replica_coverage.py).
    """
    replicas = harbor.replicas(Role.WEB)
    if len(replicas) < 2:
        not_applicable(
            f"{harbor.workload(Role.WEB).object} has one replica: there is no other to know a session"
        )
    sessions = {}
    for replica in replicas:
        with findings.about(replica.object, "a session can be opened"):
            sessions[replica.name] = harbor.web(replica).sign_in(harbor.user)
    for opened, asked in ordered_pairs(replicas):
        if opened.name not in sessions:
            continue
        with findings.about(asked.object, f"knows the session that {opened.name} opened") as session:
            who = harbor.web(asked).whoami(sessions[opened.name])
            if who is None:
                session.wrong("it is unknown there (401)")
            elif who.lower() != harbor.user.user.lower():
                session.wrong(f"takes it for {who}'s")
