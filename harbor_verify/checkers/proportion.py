"""Availability: how much of what was asked was answered well, however short each outage was."""

from collections.abc import Collection
from dataclasses import asdict

from harbor_verify.checkers.availability import outages, since_injection
from harbor_verify.checkers.judgement import Judgement
from harbor_verify.history import History, uids_of
from harbor_verify.history.judged import PROPORTION
from harbor_verify.history.model import Disrupted
from harbor_verify.history.proportion import WINDOW_MS, Proportion, proportion
from harbor_verify.verdict import Offender

TIMES_THE_OUTAGE = 2
"""Outages together may last as many times as long as the longest may."""


def bad_answers(
    history: History, *, clients: Collection[str], outage_budget_ms: float, flapping_budget_percent: float
) -> Judgement:
    """Each client was answered well by and large from the injection on, not only now and then.

    What is measured is said in harbor_verify/history/proportion.py. Beside one outage of `outage_budget_ms`, which is
    allowed (harbor_verify/checkers/outage.py), no more than `flapping_budget_percent` of the answers in any 10 s were
    bad; all outages together lasted for TIMES_THE_OUTAGE that budget at most; bad answers, less than 10 s
    apart, went on for the budget or 10 s at most; and none came later than the budget after all was healed.

    False: one of these is passed. That a single outage is too long by itself is not told again.
    Unknown: it would be passed if what could not be asked had been answered badly, or with the time in which the
    machine that asked was starved; nothing was disrupted.
    """
    offenders: list[Offender] = []
    unknowns: list[str] = []
    evidence: dict[str, Proportion] = {}
    disruptions = history.disruptions()
    if not disruptions:
        return Judgement(PROPORTION, unknowns=("nothing was disrupted",))
    injected_ns = disruptions[0].inject.at_ns
    healed_ms = [
        (each.healed.at_ns - injected_ns) / 1e6 if each.healed else float("inf") for each in disruptions
    ]
    for client in clients:
        operations = since_injection(history, client)
        seen = outages(history, client)
        longest_ms = max((outage.sure_ms for outage in seen), default=0.0)
        sure, at_worst = (
            proportion(
                operations,
                seen,
                injected_ns=injected_ns,
                end_ns=history.end_ns,
                allowed_ms=outage_budget_ms,
                mending_ns=[at_ns for each in disruptions if (at_ns := _mending_ns(each))],
                unasked_is_bad=unasked_is_bad,
            )
            for unasked_is_bad in (False, True)
        )
        evidence[client] = sure
        budgets = _Budgets(
            flapping_budget_percent,
            outage_budget_ms,
            max(healed_ms) + outage_budget_ms,
            one_outage_is_too_long=longest_ms > outage_budget_ms,
        )
        if passed := budgets.passed(sure):
            uids = uids_of(op for op in operations if not op.ok)
            offenders += [Offender(client, expected, observed, uids) for expected, observed in passed]
        elif passed := budgets.passed(at_worst):
            unknowns += [
                f"{client}: with what could not be asked, or not in time, {observed}"
                for _, observed in passed
            ]
    return Judgement(
        PROPORTION,
        tuple(offenders),
        tuple(unknowns),
        measured={
            name: max((getattr(each, name) or 0.0 for each in evidence.values()), default=0.0)
            for name in ("flapping_percent", "bad_time_ms", "last_bad_ms")
        },
        evidence={"clients": {client: asdict(each) for client, each in evidence.items()}},
    )


def _mending_ns(disruption: Disrupted) -> int | None:
    """When it began to be taken back: once it was answered (where nothing was awaited: proven), and had lasted for as
    long as it was to.
    """
    last = disruption.response or disruption.proven
    lasted_ns = disruption.inject.at_ns + int(disruption.inject.value.get("lasts_s", 0) * 1e9)
    return max(last.at_ns, lasted_ns) if last else None


class _Budgets:
    """What one client may see."""

    def __init__(
        self,
        flapping_percent: float,
        outage_ms: float,
        last_bad_ms: float,
        *,
        one_outage_is_too_long: bool,
    ) -> None:
        self._flapping_percent, self._outage_ms, self._last_bad_ms = flapping_percent, outage_ms, last_bad_ms
        self._one_outage_is_too_long = one_outage_is_too_long

    def passed(self, found: Proportion) -> list[tuple[str, str]]:
        """(expected, observed) of each budget that is passed."""
        if self._one_outage_is_too_long:
            return []
        in_window = f"in any {WINDOW_MS / 1000:g} s"
        over = []
        if found.flapping_percent > self._flapping_percent:
            beside = f"beside one outage of {self._outage_ms:.0f} ms"
            in_all = f"{found.bad_count} of {found.answers_count} in all"
            expected = f"at most {self._flapping_percent:g} % bad answers {in_window}, {beside}"
            over.append((expected, f"{found.flapping_percent:.0f} % ({in_all})"))
        bad_time_ms = TIMES_THE_OUTAGE * self._outage_ms
        if found.bad_time_ms > bad_time_ms:
            bad = f"{found.bad_count} of {found.answers_count} answers bad"
            expected = f"outages of {bad_time_ms:.0f} ms together at most"
            over.append((expected, f"{found.bad_time_ms:.0f} ms together, {bad}"))
        disturbed_ms = max(self._outage_ms, WINDOW_MS)
        if found.disturbed_ms > disturbed_ms:
            expected = f"bad answers for {disturbed_ms:.0f} ms at most, from the first to the last"
            over.append((expected, f"for {found.disturbed_ms:.0f} ms, with some {in_window}"))
        if found.last_bad_ms is not None and found.last_bad_ms > self._last_bad_ms:
            expected = f"no bad answer later than {self._last_bad_ms:.0f} ms after the injection"
            over.append((expected, f"the last one after {found.last_bad_ms:.0f} ms"))
        return over
