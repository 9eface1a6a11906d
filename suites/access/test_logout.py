"""Signing out."""

from harbor_verify.checks import check
from harbor_verify.errors import AnswerError
from harbor_verify.model.roles import Role
from harbor_verify.verdict import Offender, judge


@check(
    "access.logout-ends-session-everywhere",
    hint="Sessions that were not known there even before: see sessions.known-to-every-replica, and give every {web} "
    "replica the same {session_setting}. Known before and after: a Redis that does not delete (a read-only replica, "
    "or two that do not agree): redis-cli -n DATABASE INFO replication, through the address of that setting.",
    source="Harbor: log_out deletes the session",
)
def test_who_logs_out_on_one_replica_is_unknown_to_every_other(harbor):
    """Who logs out on one web replica is unknown, with the same cookie, to every replica.

    Source: Harbor, log_out. Ordered pairs, one request after the other: one that is in flight during the
    log-out writes the session back.
    """
    replicas = harbor.replicas(Role.WEB)
    offenders = []
    for replica in replicas:
        web = harbor.web(replica)
        try:
            session = web.sign_in(harbor.credentials)
        except AnswerError as refusal:
            offenders.append(Offender(replica.object, "a session can be opened", str(refusal)))
            continue
        knowing, missing = _who_knows(harbor, replicas, session, f"that {replica.name} opened")
        offenders += missing
        try:
            web.sign_out(session)
        except AnswerError as refusal:
            offenders.append(Offender(replica.object, "ends a session", str(refusal)))
            continue
        offenders += _still_known(harbor, knowing, session, replica)
    judge(offenders, examined=len(replicas) ** 2)


def _who_knows(harbor, replicas, session, which):
    """The replicas that know a session, and an offender for each that does not."""
    knowing, offenders = [], []
    for replica in replicas:
        expected = f"knows the session {which}, before its user logs out"
        try:
            who = harbor.web(replica).whoami(session)
        except AnswerError as silence:
            offenders.append(Offender(replica.object, expected, str(silence)))
            continue
        if who is None:
            offenders.append(Offender(replica.object, expected, "it was not known there even before (401)"))
        else:
            knowing.append(replica)
    return knowing, offenders


def _still_known(harbor, replicas, session, where):
    offenders = []
    for replica in replicas:
        expected = f"does not know the session any more that was ended on {where.name}"
        try:
            who = harbor.web(replica).whoami(session)
        except AnswerError as silence:
            offenders.append(Offender(replica.object, expected, str(silence)))
            continue
        if who is not None:
            offenders.append(Offender(replica.object, expected, f"it is still {who}'s there"))
    return offenders
