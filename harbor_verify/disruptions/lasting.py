"""A fault that has to last for a while, so that it shows who does nothing about it."""

import time

from harbor_verify.waiting import NotYet, wait_until

_LATE_S = 60
"""On a machine that is busy one may look so much later."""


class Lasting:
    """`lasts_s`: how many seconds it is to last from `begin` on."""

    def __init__(self, lasts_s: float) -> None:
        self.lasts_s = lasts_s
        self._began_s = 0.0

    def begin(self) -> None:
        """From now on it lasts."""
        self._began_s = time.monotonic()

    @property
    def left_s(self) -> float:
        """Seconds until it has lasted for long enough; not below 0."""
        return max(0.0, self._began_s + self.lasts_s - time.monotonic())

    def require_over(self) -> None:
        """Raises NotYet until it has lasted for as long as it is to."""
        if left_s := self.left_s:
            raise NotYet(f"it has lasted for {self.lasts_s - left_s:.0f} s of {self.lasts_s:g}")

    def wait_out(self) -> None:
        """Wait until it has lasted for as long as it is to."""
        wait_until("it has lasted", self.require_over, deadline="lasts_s", timeout_s=self.left_s + _LATE_S)
