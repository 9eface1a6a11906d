"""Asking after the heal comes to an end, however long each ask of a silent replica takes."""

import time

from harbor_verify.errors import NoAnswer
from harbor_verify.history import Recorder
from harbor_verify.workloads import Result, Work, confirming
from harbor_verify.workloads.confirming import ask_until_known


class Ask(Work):
    kind, writes = "pull-back", False

    def __init__(self, replica, takes_s):
        super().__init__(replica)
        self.takes_s, self.times = takes_s, 0

    def do(self):
        self.times += 1
        if self.takes_s:
            time.sleep(self.takes_s)
            raise NoAnswer("timed out", sent=True)
        return Result()


def test_a_replica_that_lets_each_ask_wait_holds_nobody_up_for_longer_than_all_together_have(monkeypatch):
    monkeypatch.setattr(confirming, "_NO_LONGER_S", 0.5)
    hangs, well = [Ask("core-0", 0.2) for _ in range(20)], [Ask("core-1", 0) for _ in range(20)]
    recorder, begun_s = Recorder(), time.monotonic()
    last = ask_until_known(recorder, [hangs, well], span_s=0.1)
    assert time.monotonic() - begun_s < 20 * 0.2
    assert [work.times for work in well] == [1] * 20
    asked = [work.times for work in hangs]
    assert asked[0] == 1
    assert asked[-1] == 0, "nor a second time, before all were asked once"
    assert len(last) == sum(asked) + 20
