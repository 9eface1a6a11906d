"""Safety: what was acknowledged is there, byte for byte, on every replica."""

from collections.abc import Collection

from harbor_verify.checkers.confirmation import asked_for, confirmed, span_ms
from harbor_verify.checkers.healing import last_heal_ns, unhealed
from harbor_verify.checkers.judgement import Judgement
from harbor_verify.history import History, Operation, uids_of
from harbor_verify.verdict import Offender

PUSH, PULL = "push", "pull"
PULL_BACK = "pull-back"
"""A pull, after the heal, of what a push had acknowledged."""
WRONG_CONTENT = "WrongContent"
"""Error of a pull whose bytes are not those of the digest."""
_SHOWN = 5


def no_acknowledged_push_lost(
    history: History, *, replicas: Collection[str], passers: Collection[str] = ()
) -> Judgement:
    """Every digest whose push was ok is pulled back whole from each of `replicas` after the last heal; and from one of
    `passers`, which pass on what those have, where there are any.

    Only operations of kind pull-back that began after the heal count: there, if the last one was ok; lost, if to the
    end of a span of repeated asking (harbor_verify/checkers/confirmation.py) they said that there is no such thing
    (404), or brought other bytes. A push whose outcome is not known (info) may be there or not.

    False: an acknowledged digest is lost on a replica.
    Unknown: no disruption, or none that healed; no acknowledged push; a digest without a pull-back on a replica, or
    on any passer, or whose pull-backs ended otherwise.
    """
    acknowledged = [op for op in history.operations if op.kind == PUSH and op.ok]
    digests = list(dict.fromkeys(op.value["digest"] for op in acknowledged))
    disruptions = history.disruptions()
    unknowns = unhealed(disruptions)
    if not digests:
        unknowns.append("no push was acknowledged")
    if not replicas:
        unknowns.append("there was no replica to ask")
    lost: dict[str, list[str]] = {}
    untold: dict[tuple[str, str], list[str]] = {}
    final: dict[tuple[str, str], list[Operation]] = {}
    confirmation_ms = span_ms(history)
    if not unknowns:
        healed_ns = last_heal_ns(disruptions)
        for op in history.operations:
            if op.kind == PULL_BACK and op.invoked_ns >= healed_ns and op.outcome is not None:
                final.setdefault((op.value["digest"], op.replica), []).append(op)
        pairs = [(replica, digest) for replica in replicas for digest in digests]
        for digest in digests if passers else ():
            asked = [(replica, digest) for replica in passers if (digest, replica) in final]
            pairs += asked or [("each that passes images on", digest)]
        for replica, digest in pairs:
            there = confirmed(final.get((digest, replica), []), says_lost=_says_lost, span_ms=confirmation_ms)
            if there is False:
                lost.setdefault(replica, []).append(digest)
            elif there is not True:
                untold.setdefault((replica, there), []).append(digest)
    unknowns += [f"{some(digests)} on {replica}: {why}" for (replica, why), digests in untold.items()]
    return Judgement(
        "no-acknowledged-push-lost",
        tuple(
            Offender(
                replica,
                f"{len(digests)} images that were acknowledged can be pulled",
                f"{len(gone)} of them cannot, {asked_for(confirmation_ms)}: {some(gone)}",
                uids_of(op for digest in gone for op in final[digest, replica]),
            )
            for replica, gone in lost.items()
        ),
        tuple(unknowns),
        measured={
            "pushes": len(digests),
            "pushes_lost": len({digest for gone in lost.values() for digest in gone}),
        },
        evidence={"acknowledged": digests, "lost": lost},
    )


def no_wrong_content(history: History) -> Judgement:
    """No pull, at any time, brought other bytes than those of the digest it asked for.

    Unknown: nothing was pulled.
    """
    pulls = history.of_kind({PULL, PULL_BACK})
    return Judgement(
        "no-wrong-content",
        tuple(
            Offender(op.replica, f"the bytes of {op.value['digest']}", "other bytes", uids_of([op]))
            for op in pulls
            if op.error == WRONG_CONTENT
        ),
        () if any(op.ok for op in pulls) else ("nothing was pulled",),
        measured={"pulls": sum(op.ok for op in pulls)},
    )


def _says_lost(op: Operation) -> bool:
    return op.error == WRONG_CONTENT or (not op.ok and op.status == 404)


def some(digests: list[str]) -> str:
    """The first of them, shortened, and how many more there are."""
    more = f" and {len(digests) - _SHOWN} more" if len(digests) > _SHOWN else ""
    return ", ".join(digest[:19] for digest in digests[:_SHOWN]) + more
