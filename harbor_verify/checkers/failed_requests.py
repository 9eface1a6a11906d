"""Availability: how many requests went wrong."""

from collections import Counter
from collections.abc import Collection
from typing import Any

from harbor_verify.checkers.availability import since_injection
from harbor_verify.checkers.coverage import silences
from harbor_verify.checkers.ended_connections import Kept, met
from harbor_verify.checkers.judgement import Judgement
from harbor_verify.history import History, Operation, uids_of
from harbor_verify.verdict import Offender


def failed_requests(
    history: History, *, clients: Collection[str], budget: int, kept: Collection[Kept] = ()
) -> Judgement:
    """No client had more than `budget` operations without a good answer (fail or info) since the first injection.

    What met the end of a connection that is `kept` (harbor_verify/checkers/ended_connections.py) is told as a flaw that
    every Harbor has, and needs no budget.

    Unknown: a client that asked nothing during a disruption; operations that never ended, or that could not be
    asked, where the budget would be passed with them.
    """
    offenders: list[Offender] = []
    unknowns: list[str] = []
    evidence: dict[str, dict[str, Any]] = {}
    failed_count = 0
    ended = {each.flaw: met(history, each) for each in kept}
    excused = [op for found in ended.values() for op in found]
    for client in clients:
        operations = since_injection(history, client)
        bad = [op for op in operations if op.outcome is not None and not op.ok and op.asked]
        failed = Counter(map(_error, bad))
        unsettled = sum(op.outcome is None or not op.asked for op in operations)
        failed_count += failed.total()
        judged_count = sum(op not in excused for op in bad)
        if judged_count > budget:
            kinds = ", ".join(f"{error}: {count}" for error, count in failed.most_common())
            offenders.append(
                Offender(
                    client,
                    f"at most {budget} failed operations",
                    f"{failed.total()} of {len(operations)}: {kinds}",
                    uids_of(op for op in operations if not op.ok),
                )
            )
        elif judged_count + unsettled > budget:
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
        flaws=tuple(_told(flaw, len(found)) for flaw, found in ended.items() if found),
        evidence=evidence,
    )


def _told(flaw: str, count: int) -> str:
    return flaw if count == 1 else f"{flaw} ({count} times)"


def _error(op: Operation) -> str:
    words = [op.error or "no error class"]
    if op.status is not None:
        words.append(str(op.status))
    if op.outcome == "info":
        words.append("(outcome unknown)")
    return " ".join(words)
