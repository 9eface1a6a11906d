"""Safety: the account that clients at work use is there in the end. Harbor acknowledged that it was made."""

from harbor_verify.checkers.confirmation import asked_for, confirmed, span_ms
from harbor_verify.checkers.healing import last_heal_ns, unhealed
from harbor_verify.checkers.judgement import Judgement
from harbor_verify.history import History
from harbor_verify.verdict import Offender

READ = "account-read"
ACCOUNT_MISSING = "AccountMissing"
"""Error of a read, after the heal, of an account that Harbor does not know."""


def no_account_lost(history: History) -> Judgement:
    """Every account that was asked for (kind account-read, `value["account"]`) is known after the last heal.

    It is lost where Harbor did not know it to the end of a span of repeated asking
    (harbor_verify/checkers/confirmation.py).

    False: one is lost. Unknown: no healed disruption; one that nobody asked for, or could not be told of.
    """
    disruptions = history.disruptions()
    unknowns = unhealed(disruptions)
    offenders: list[Offender] = []
    confirmation_ms = span_ms(history)
    reads = [
        op
        for op in history.operations
        if op.kind == READ
        and op.outcome is not None
        and not unknowns
        and op.invoked_ns >= last_heal_ns(disruptions)
    ]
    accounts = list(dict.fromkeys(op.value["account"] for op in reads))
    if not accounts and not unknowns:
        unknowns.append("no account was asked for after the heal")
    for account in accounts:
        asks = [op for op in reads if op.value["account"] == account]
        known = confirmed(asks, says_lost=lambda op: op.error == ACCOUNT_MISSING, span_ms=confirmation_ms)
        if known is False:
            expected = "is known: Harbor acknowledged that it was made, before anything was broken"
            offenders.append(Offender(f"account {account}", expected, f"404, {asked_for(confirmation_ms)}"))
        elif known is not True:
            unknowns.append(f"account {account}: {known}")
    return Judgement(
        "no-account-lost",
        tuple(offenders),
        tuple(unknowns),
        measured={"accounts_lost": len(offenders)},
        evidence={"accounts": accounts},
    )
