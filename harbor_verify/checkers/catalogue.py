"""Safety: what was acknowledged is in Harbor's catalogue, where people look for it."""

from collections.abc import Collection
from functools import partial

from harbor_verify.checkers.confirmation import asked_for, confirmed, span_ms
from harbor_verify.checkers.healing import last_heal_ns, unhealed
from harbor_verify.checkers.judgement import Judgement
from harbor_verify.checkers.pushes import PUSH, some
from harbor_verify.history import History, Operation, uids_of
from harbor_verify.verdict import Offender

LISTING = "listing"
"""An operation that asks for a repository's catalogue: its value names the digests that are `missing` from it."""
NOT_LISTED = "NotListed"


def no_push_missing_in_catalogue(history: History, *, replicas: Collection[str]) -> Judgement:
    """Every digest whose push was ok is in the catalogue of each of `replicas` (web) after the last heal.

    Only operations of kind listing count that began after the heal; of each replica and repository those are missing
    that the last one misses, where some were missed to the end of a span of repeated asking
    (harbor_verify/checkers/confirmation.py).

    False: an acknowledged digest is not listed.
    Unknown: no healed disruption; no acknowledged push; no replica to ask; a repository that a replica did not list, or
    was not asked for long enough.
    """
    acknowledged: dict[str, set[str]] = {}
    for op in history.operations:
        if op.kind == PUSH and op.ok:
            acknowledged.setdefault(op.value["repository"], set()).add(op.value["digest"])
    disruptions = history.disruptions()
    unknowns = unhealed(disruptions)
    if not acknowledged:
        unknowns.append("no push was acknowledged")
    if not replicas:
        unknowns.append("there was no replica to ask")
    offenders, missing_count = [], 0
    confirmation_ms = span_ms(history)
    if not unknowns:
        healed_ns = last_heal_ns(disruptions)
        listings: dict[tuple[str, str], list[Operation]] = {}
        for op in history.operations:
            if op.kind == LISTING and op.invoked_ns >= healed_ns and op.outcome is not None:
                listings.setdefault((op.replica, op.value["repository"]), []).append(op)
        for replica in replicas:
            for repository, digests in acknowledged.items():
                asks = listings.get((replica, repository), [])
                # What it was not asked for, another ask of it may miss.
                misses = sorted(digests & set(asks[-1].value.get("missing", ()))) if asks else []
                listed = {
                    digest: confirmed(asks, says_lost=partial(_lacks, digest), span_ms=confirmation_ms)
                    for digest in misses
                }
                if gone := [digest for digest in misses if listed[digest] is False]:
                    missing_count = max(missing_count, len(gone))
                    expected = f"lists the {len(digests)} images of {repository} that were acknowledged"
                    observed = f"not {some(gone)}, {asked_for(confirmation_ms)}"
                    offenders.append(Offender(replica, expected, observed, uids_of(asks)))
                if not asks or not (asks[-1].ok or asks[-1].error == NOT_LISTED):
                    why = confirmed(asks, says_lost=lambda op: False, span_ms=confirmation_ms)
                    unknowns.append(f"{repository} on {replica}: {why}")
                unknowns += [
                    f"{some([digest])} in {repository} on {replica}: {why}"
                    for digest, why in listed.items()
                    if isinstance(why, str)
                ]
    return Judgement(
        "no-push-missing-in-catalogue",
        tuple(offenders),
        tuple(unknowns),
        measured={"pushes_unlisted": missing_count},
    )


def _lacks(digest: str, op: Operation) -> bool:
    return op.error == NOT_LISTED and digest in op.value.get("missing", ())
