"""Availability: how many requests went wrong."""

from collections import Counter
from collections.abc import Collection
from typing import Any

from harbor_verify.checkers.availability import since_injection
from harbor_verify.checkers.coverage import silences
from harbor_verify.checkers.judgement import Judgement
from harbor_verify.history import History, Operation, uids_of
from harbor_verify.verdict import Offender


def failed_requests(history: History, *, clients: Collection[str], budget: int) -> Judgement:
    """No client had more than `budget` operations without a good answer (fail or info) since the first injection.

    Unknown: a client that asked nothing during a disruption; operations that never ended, or that could not be
    asked, where the budget would be passed with them.
    """
    offenders: list[Offender] = []
    unknowns: list[str] = []
    evidence: dict[str, dict[str, Any]] = {}
    failed_count = 0
    for client in clients:
        operations = since_injection(history, client)
        failed = Counter(_error(op) for op in operations if op.outcome is not None and not op.ok and op.asked)
        unsettled = sum(op.outcome is None or not op.asked for op in operations)
        failed_count += failed.total()
        if failed.total() > budget:
            kinds = ", ".join(f"{error}: {count}" for error, count in failed.most_common())
            offenders.append(
                Offender(
                    client,
                    f"at most {budget} failed operations",
                    f"{failed.total()} of {len(operations)}: {kinds}",
                    uids_of(op for op in operations if not op.ok),
                )
            )
        elif failed.total() + unsettled > budget:
            unknowns.append(f"{client}: {unsettled} operations never ended or could not be asked")
        unknowns += silences(history, client)
        evidence[client] = {"operations": len(operations), "failed": dict(failed), "unsettled": unsettled}
    if not clients:
        unknowns.append("there was no client to ask")
    return Judgement(
        "failed-requests",
        tuple(offenders),
        tuple(unknowns),
        measured={"failed": failed_count},
        evidence=evidence,
    )


def _error(op: Operation) -> str:
    words = [op.error or "no error class"]
    if op.status is not None:
        words.append(str(op.status))
    if op.outcome == "info":
        words.append("(outcome unknown)")
    return " ".join(words)
