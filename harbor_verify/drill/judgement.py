"""What became of each push in the restored Harbor, and what that says of the copy."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

from harbor_verify.audit.result import Result as Audit
from harbor_verify.drill.pushes import Push


class Became(Enum):
    """Of a push, in the restored Harbor."""

    WHOLE = "whole"
    ABSENT = "absent"
    BROKEN = "broken"
    """It is known, and cannot be pulled as it was pushed."""
    UNKNOWN = "could not be found out"


@dataclass(frozen=True)
class Found:
    """`observed`: what the restored Harbor answered where the image is not whole."""

    push: Push
    became: Became
    observed: str = ""


@dataclass(frozen=True)
class Times:
    """When the copy began and was done, on the clock of the pushes; how long until the restored Harbor gave an image
    (None: it never did), all in seconds."""

    copy_began_s: float
    copy_done_s: float
    restored_after_s: float | None = None


@dataclass
class Drill:
    """All that was seen."""

    times: Times
    found: Sequence[Found]
    refused: Sequence[str] = ()
    audit: Audit | None = None
    unknown: list[str] = field(default_factory=list)

    @property
    def before(self) -> list[Found]:
        """Acknowledged before the copy began: all of them must be in it."""
        return [each for each in self.found if each.push.acknowledged_s < self.times.copy_began_s]

    @property
    def meanwhile(self) -> list[Found]:
        """Acknowledged while the copy was taken: some are in it."""
        return [each for each in self.found if each.push.acknowledged_s >= self.times.copy_began_s]

    @property
    def lost(self) -> list[Found]:
        """What must be there, and is not."""
        return [each for each in self.before if each.became is Became.ABSENT]

    @property
    def broken(self) -> list[Found]:
        """What the restored Harbor shows and cannot give, whenever it was pushed."""
        return [each for each in self.found if each.became is Became.BROKEN]

    @property
    def recovery_point_s(self) -> float:
        """The moment up to which every push is in the copy, on the clock of the pushes."""
        point = self.times.copy_began_s
        for each in self.meanwhile:
            if each.became is not Became.WHOLE:
                return point
            point = each.push.acknowledged_s
        return self.times.copy_done_s

    @property
    def rpo_s(self) -> float:
        """Seconds of pushes that are lost with a Harbor that is lost when the copy is done.

        To what somebody loses on another day the time since the last copy is added.
        """
        return self.times.copy_done_s - self.recovery_point_s

    def exit_code(self, *, rpo_budget_s: float | None, rto_budget_s: float | None) -> int:
        """1 where something is lost, broken, not known, or took longer than it may; else 0."""
        rto_s = self.times.restored_after_s
        late = rto_s is None or (rto_budget_s is not None and rto_s > rto_budget_s)
        stale = rpo_budget_s is not None and self.rpo_s > rpo_budget_s
        unknown = self.unknown or any(each.became is Became.UNKNOWN for each in self.found)
        of_audit = self.audit is not None and self.audit.exit_code(strict=False)
        return int(bool(late or stale or unknown or of_audit or self.lost or self.broken))
