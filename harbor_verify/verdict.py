"""Harbor is wrong: every offender is named, never only the first."""

from collections.abc import Iterable

from harbor_verify.reports.model import Offender as Offender


class Failure(AssertionError):
    """Harbor is wrong; `offenders` are all that are. Checks gather them in findings (harbor_verify/findings.py)."""

    def __init__(self, offenders: Iterable[Offender]) -> None:
        self.offenders = tuple(offenders)
        super().__init__("\n".join(str(offender) for offender in self.offenders))
