"""Safety: what was acknowledged is in Harbor's catalogue, where people look for it."""

from collections.abc import Collection

from harbor_verify.checkers.healing import last_heal_ns, unhealed
from harbor_verify.checkers.judgement import Judgement
from harbor_verify.checkers.pushes import PUSH, some
from harbor_verify.history import History, uids_of
from harbor_verify.verdict import Offender

LISTING = "listing"
"""An operation that asks for a repository's catalogue: its value names the digests that are `missing` from it."""
NOT_LISTED = "NotListed"


def no_push_missing_in_catalogue(history: History, *, replicas: Collection[str]) -> Judgement:
    """Every digest whose push was ok is in the catalogue of each of `replicas` (web) after the last heal.

    Only operations of kind listing count that began after the heal; of each replica and repository the last.

    False: an acknowledged digest is not listed.
    Unknown: no healed disruption; no acknowledged push; a repository that a replica did not list.
    """
    acknowledged: dict[str, set[str]] = {}
    for op in history.operations:
        if op.kind == PUSH and op.ok:
            acknowledged.setdefault(op.value["repository"], set()).add(op.value["digest"])
    disruptions = history.disruptions()
    unknowns = unhealed(disruptions)
    if not acknowledged:
        unknowns.append("no push was acknowledged")
    offenders, missing_count = [], 0
    if not unknowns:
        healed_ns = last_heal_ns(disruptions)
        last = {
            (op.replica, op.value["repository"]): op
            for op in history.operations
            if op.kind == LISTING and op.invoked_ns >= healed_ns and op.outcome is not None
        }
        for replica in replicas:
            for repository, digests in acknowledged.items():
                listing = last.get((replica, repository))
                if listing is None or not (listing.ok or listing.error == NOT_LISTED):
                    why = "was not asked" if listing is None else f"failed ({listing.error})"
                    unknowns.append(f"{repository} on {replica} {why}")
                elif missing := sorted(digests & set(listing.value.get("missing", ()))):
                    missing_count = max(missing_count, len(missing))
                    expected = f"lists the {len(digests)} images of {repository} that were acknowledged"
                    offenders.append(Offender(replica, expected, f"not {some(missing)}", uids_of([listing])))
    return Judgement(
        "no-push-missing-in-catalogue",
        tuple(offenders),
        tuple(unknowns),
        measured={"pushes_unlisted": missing_count},
    )
