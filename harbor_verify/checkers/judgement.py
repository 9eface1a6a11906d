"""What a checker comes to: true, false, or unknown, which is never a pass."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from harbor_verify.errors import CannotTell
from harbor_verify.findings import Findings
from harbor_verify.verdict import Offender

Valid = bool | Literal["unknown"]


@dataclass(frozen=True)
class Judgement:
    """One checker's result. What is surely wrong outweighs what could not be found out."""

    checker: str
    offenders: tuple[Offender, ...] = ()
    unknowns: tuple[str, ...] = ()
    """What the history does not tell; a line each."""
    measured: Mapping[str, float] = field(default_factory=dict)
    """Figures over all, each with its unit in the name: outage_ms."""
    evidence: Mapping[str, Any] = field(default_factory=dict)
    """What the judgement rests on, as JSON takes it, for reports."""
    flaws: tuple[str, ...] = ()
    """What every Harbor of a generation does, however it is deployed; a line each. It changes no verdict."""

    def document(self) -> dict[str, Any]:
        """As JSON takes it; the form is in harbor_verify/history/judged.py."""
        return {**asdict(self), "valid": self.valid}

    @property
    def valid(self) -> Valid:
        if self.offenders:
            return False
        return "unknown" if self.unknowns else True


def require(*judgements: Judgement) -> None:
    """Pass if all are true. Raises Failure with the offenders of all of them, else CannotTell with the unknowns."""
    if not judgements:
        raise CannotTell("no checker judged the history")
    findings = Findings()
    findings.examined = len(judgements)
    for judgement in judgements:
        findings.offenders += judgement.offenders
        findings.unknowns += [f"{judgement.checker}: {unknown}" for unknown in judgement.unknowns]
    findings.settle()
