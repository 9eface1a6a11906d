"""What clients may notice of a disruption, and what they did: once, or several times together."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from harbor_verify.checkers.judgement import Judgement, require
from harbor_verify.errors import CannotTell, HarnessError
from harbor_verify.verdict import Failure


@dataclass(frozen=True)
class Budgets:
    """What clients may notice. None: it is measured, and not judged. A loss is within no budget."""

    outage_ms: float
    failed: int | None = None
    recovery_ms: float | None = None
    response_ms: float | None = None
    refuses: frozenset[str] = frozenset()
    """Kinds of operations that nobody can do as long as it lasts (push): how they are answered meanwhile is not judged.
    That nothing acknowledged is lost is, and that they are answered well again afterwards, in the time of a recovery.
    """


@dataclass(frozen=True)
class Survival:
    """What was seen; `judgements` rest on the recorder's history alone."""

    judgements: tuple[Judgement, ...]
    healed_ms: float | None = None
    """From the injection until what was broken was whole again."""
    error: HarnessError | None = None
    """The fault was not confirmed, it was not whole again, or a client got nothing good any more: the history tells
    whose fault that is.
    """

    disruption: str = ""
    """What was done, and to what: pod-kill web-2."""
    pushed_bytes: int = 0
    """What clients have put into Harbor's storage."""
    load: Mapping[str, float] = field(default_factory=dict)
    """What was pulled and pushed beside (`--load`), as figures."""
    repeats: tuple["Survival", ...] = ()
    """Where it was done several times: each of them; `judgements` are then empty."""

    @property
    def measured(self) -> dict[str, float]:
        """All figures, each with its unit in the name; of repeats what `repeated` makes of them."""
        if self.repeats:
            return repeated([survival.measured for survival in self.repeats])
        figures = {name: value for judgement in self.judgements for name, value in judgement.measured.items()}
        figures |= self.load
        figures |= {"pushed_bytes": self.pushed_bytes} if self.pushed_bytes else {}
        return figures | ({} if self.healed_ms is None else {"healed_ms": self.healed_ms})

    @property
    def flaws(self) -> tuple[str, ...]:
        """What was seen that every Harbor of this generation does, however it is deployed; each once."""
        judgements = [each for survival in (self, *self.repeats) for each in survival.judgements]
        return tuple(dict.fromkeys(flaw for judgement in judgements for flaw in judgement.flaws))

    def require(self) -> None:
        """Pass if all judgements are true. Raises Failure, CannotTell, and `error` where that is all there is."""
        try:
            require(*(self.judgements or self._judgements_of_repeats()))
        except (Failure, CannotTell) as verdict:
            if self.error:
                verdict.add_note(str(self.error))
            raise
        if self.error:
            raise self.error

    def _judgements_of_repeats(self) -> list[Judgement]:
        """Each offender and each unknown says which time it was of."""
        judgements = []
        for number, survival in enumerate(self.repeats, 1):
            which = f"(time {number} of {len(self.repeats)}, {survival.disruption})"
            for judgement in survival.judgements:
                offenders = tuple(
                    replace(each, observed=f"{each.observed} {which}") for each in judgement.offenders
                )
                unknowns = tuple(f"{each} {which}" for each in judgement.unknowns)
                judgements.append(replace(judgement, offenders=offenders, unknowns=unknowns))
        return judgements


def together(survivals: Sequence[Survival]) -> Survival:
    """One or several times the same disruption as one: the only one, or one that has them all."""
    if len(survivals) == 1:
        return survivals[0]
    error = next((survival.error for survival in survivals if survival.error), None)
    return Survival((), error=error, repeats=tuple(survivals))


def repeated(figures: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Figures of several times as one: of times, shares and rates the worst, of counts the sum, and of the longest
    outage the median and the spread (the longest less the shortest), too.
    """
    names = dict.fromkeys(name for each in figures for name in each)
    whole: dict[str, float] = {"repeats": len(figures)}
    for name in names:
        values = [each[name] for each in figures if name in each]
        worst = max if name.endswith(("_ms", "_percent")) else min if name.endswith("_per_s") else sum
        whole[name] = worst(values)
    outages_ms = [each["outage_ms"] for each in figures if "outage_ms" in each]
    if outages_ms:
        whole["outage_median_ms"] = round(statistics.median(outages_ms), 3)
        whole["outage_spread_ms"] = round(max(outages_ms) - min(outages_ms), 3)
    return whole
