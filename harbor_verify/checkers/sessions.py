"""Safety: who was signed in stays signed in, as themselves."""

import math
from collections.abc import Collection, Sequence

from harbor_verify.checkers.confirmation import asked_for, confirmed, span_ms
from harbor_verify.checkers.healing import last_heal_ns, unhealed
from harbor_verify.checkers.judgement import Judgement
from harbor_verify.history import SESSIONS_LIVE, History, Operation, uids_of
from harbor_verify.verdict import Offender

PROBE = "session-probe"
"""An operation that asks who a cookie belongs to. It is always about the cookie as it was acknowledged: Harbor
answers a cookie that it does not find with another, which proves nothing about the first."""
LOG_OUT = "log-out"
UNKNOWN_SESSION = "SessionUnknown"
"""Error of a probe whose answer was, in order, that nobody is signed in with this cookie."""
WRONG_USER = "WrongUser"
"""Error of a probe that was answered with somebody else."""


def no_session_lost(history: History, *, replicas: Collection[str]) -> Judgement:
    """Every session that was acknowledged is known on each of `replicas` after the last disruption was healed.

    Acknowledged: some operation with `value["session"]` was ok, and none of kind log-out names it. Only probes
    (kind session-probe) that began after the heal count, by replica:
    known if the last one was ok; lost if it was called unknown to the end of a span of repeated asking
    (harbor_verify/checkers/confirmation.py). One refusal is not a lost session, nor are some in a row: after a restart
    of Redis each stale connection spoils one request.

    False: a session is lost, or was, at any time, somebody else's.
    Unknown: no disruption, or none that healed; no session; a session without a final probe on a replica,
    refused too few times or for too short a time to be sure, or whose last probe failed for another reason; one that
    nobody had used for as long as Harbor keeps an unused one: it would have ended without any disruption.
    """
    about = [op for op in history.operations if "session" in op.value]
    ended = {op.value["session"] for op in about if op.kind == LOG_OUT}
    sessions = list(
        dict.fromkeys(op.value["session"] for op in about if op.ok and op.value["session"] not in ended)
    )
    offenders = [_mixed_up(op) for op in about if op.error == WRONG_USER]
    disruptions = history.disruptions()
    unknowns = unhealed(disruptions)
    if not sessions:
        unknowns.append("no session was acknowledged")
    if not replicas:
        unknowns.append("there was no replica to ask")
    lost: dict[str, list[str]] = {}
    final: dict[tuple[str, str], list[Operation]] = {}
    confirmation_ms, kept_s = span_ms(history), _kept_unused_s(history)
    used_ns = {op.value["session"]: op.completed_ns or op.invoked_ns for op in about if op.ok}
    if not unknowns:
        healed_ns = last_heal_ns(disruptions)
        for op in about:
            if op.kind == PROBE and op.invoked_ns >= healed_ns and op.outcome is not None:
                final.setdefault((op.value["session"], op.replica), []).append(op)
        for replica in replicas:
            for session in sessions:
                asks = final.get((session, replica), [])
                known = confirmed(asks, says_lost=_says_unknown, span_ms=confirmation_ms)
                if known is False and (unused_s := _unused_s(asks, used_ns[session])) >= kept_s:
                    known = f"nobody had used it for {unused_s:.0f} s, and Harbor keeps an unused one for {kept_s:g} s"
                if known is False:
                    lost.setdefault(replica, []).append(session)
                elif known is not True:
                    unknowns.append(f"session {session} on {replica}: {known}")
    for replica, gone in lost.items():
        offenders.append(
            Offender(
                replica,
                f"{len(sessions)} sessions known after {disruptions[-1].name}",
                f"{len(gone)} of them unknown, {asked_for(confirmation_ms)}: {', '.join(gone)}",
                uids_of(op for session in gone for op in final[session, replica]),
            )
        )
    return Judgement(
        "no-session-lost",
        tuple(offenders),
        tuple(unknowns),
        measured={
            "sessions": len(sessions),
            "lost": len({session for gone in lost.values() for session in gone}),
        },
        evidence={"sessions": sessions, "lost": lost},
    )


def _kept_unused_s(history: History) -> float:
    """For how long Harbor keeps a session that nobody uses; for ever where the history does not tell."""
    told = [float(event.value["unused_s"]) for event in history.events if event.name == SESSIONS_LIVE]
    return min(told, default=math.inf)


def _unused_s(asks: Sequence[Operation], used_ns: int) -> float:
    """From its last use anywhere to the first ask at this replica; negative where it was used later than that."""
    return (asks[0].invoked_ns - used_ns) / 1e9


def _says_unknown(op: Operation) -> bool:
    return op.error == UNKNOWN_SESSION


def _mixed_up(op: Operation) -> Offender:
    return Offender(
        f"session {op.value['session']}",
        f"{op.value.get('user', 'its user')} on {op.replica}",
        f"{op.value.get('answered', 'somebody else')}",
        uids_of([op]),
    )
