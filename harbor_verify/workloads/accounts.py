"""Asking for the accounts that clients at work use, once something was broken: who is lost works no more."""

from collections.abc import Iterable, Mapping
from typing import Any

from harbor_verify.checkers.accounts import ACCOUNT_MISSING, READ
from harbor_verify.clients.capabilities import HasRobots, Robot
from harbor_verify.clients.harbor import Credentials
from harbor_verify.history import Operation, Outcome, Recorder
from harbor_verify.workloads.confirming import ask_until_known
from harbor_verify.workloads.work import Result, Work


class _Read(Work):
    kind = READ
    writes = False

    def __init__(self, place: str, harbor: HasRobots, robot: Robot, administrator: Credentials) -> None:
        super().__init__(place, client=f"{READ}@{place}")
        self._harbor, self._robot, self._administrator = harbor, robot, administrator

    def begin(self) -> Mapping[str, Any]:
        return {"account": self._robot.credentials.user}

    def do(self) -> Result:
        if self._harbor.knows_robot(self._robot.id, self._administrator):
            return Result(status=200)
        return Result(Outcome.FAIL, status=404, error=ACCOUNT_MISSING)


def read_accounts(
    recorder: Recorder,
    place: str,
    harbor: HasRobots,
    robots: Iterable[Robot],
    administrator: Credentials,
    *,
    span_s: float,
) -> list[Operation]:
    """After the heal: ask one Harbor at `place` for these robots, until each is known, for `span_s` seconds at most.

    Returns the last operation of each; `no_account_lost` judges the history.
    """
    lane = [_Read(place, harbor, robot, administrator) for robot in robots]
    return ask_until_known(recorder, [lane], span_s=span_s)
