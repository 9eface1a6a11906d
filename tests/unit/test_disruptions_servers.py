"""Disruptions of servers and containers, with a control of machines that does nothing."""

import pytest

from harbor_verify.checkers.fault_confirmed import fault_confirmed
from harbor_verify.checkers.response import response
from harbor_verify.checkers.whole_again import whole_again
from harbor_verify.disruptions.server_blackhole import ServerBlackhole
from harbor_verify.disruptions.server_hang import ServerHang
from harbor_verify.disruptions.server_isolation import ServerIsolation
from harbor_verify.disruptions.server_kill import ServerKill
from harbor_verify.disruptions.server_restart import ServerRestart
from harbor_verify.disruptions.servers_restart import ServersRestart
from harbor_verify.errors import DeadlinePassed, HealFailed, MachineControlFailed
from harbor_verify.history import Recorder


class MachineControl:
    """Servers a and b; whoever is hurt hands over to the other, unless `stubborn`. `harmless`: nothing is hurt."""

    def __init__(self, *, stubborn=False, harmless=False, mends=True):
        self.stubborn, self.harmless, self.mends, self.dropped = stubborn, harmless, mends, 0
        self.served, self.number, self.state, self.done = "a", 1, "S", []

    def serving(self, what):
        if self.served == "":
            self.served = "b"
            raise MachineControlFailed("nobody is elected")
        return self.served

    def servers(self, what):
        return ["a", "b"]

    def process_of(self, server):
        return self.number, self.state

    def dropped_packets(self, server):
        return self.dropped

    def _hurt(self, what, server):
        self.done.append((what, server))
        if not (self.stubborn or self.harmless):
            self.served = ""

    def kill_server(self, server):
        self._hurt("kill", server)
        if not self.harmless:
            self.number, self.state = 0, ""

    def isolate_server(self, server):
        self._hurt("isolate", server)
        self.dropped += not self.harmless

    def swallow_packets(self, server):
        self._hurt("swallow", server)
        self.dropped += not self.harmless

    def restart_server(self, server):
        self.done.append(("restart", server))
        self.number += not self.harmless

    def pause_server(self, server):
        self.done.append(("pause", server))
        self.state = "S" if self.harmless else "T"

    def resume_server(self, server):
        self.done.append(("resume", server))
        self.state = "S"

    def mend(self, what):
        self.done.append(("mend", what))
        if not self.mends:
            raise MachineControlFailed("it does not come back")


def disruptions(machine_control, recorder, timeout_s):
    return {
        "kill": ServerKill("kill", recorder, machine_control, "database", timeout_s=timeout_s),
        "isolate": ServerIsolation("isolation", recorder, machine_control, "database", timeout_s=timeout_s),
        "swallow": ServerBlackhole(
            "blackhole", recorder, machine_control, "session store", lasts_s=0.2, timeout_s=timeout_s
        ),
        "restart": ServerRestart("restart", recorder, machine_control, "database", timeout_s=timeout_s),
        "kill all": ServersRestart(
            "restart of every", recorder, machine_control, "database", timeout_s=timeout_s
        ),
        "pause": ServerHang(recorder, machine_control, "database", lasts_s=0.2, timeout_s=timeout_s),
    }


@pytest.mark.parametrize("done", ["kill", "kill all", "isolate", "swallow", "restart", "pause"])
def test_a_server_is_hurt_proven_and_mended(done, tmp_path):
    machine_control = MachineControl()
    with Recorder(tmp_path / "h.jsonl", run="r") as recorder:
        with disruptions(machine_control, recorder, 5)[done]:
            pass
        (disruption,) = recorder.history().disruptions()
    assert machine_control.done[0] == (done.split()[0], "a")
    assert machine_control.done[-1][0] == "mend"
    assert disruption.proven
    assert disruption.healed
    assert disruption.inject.value["server"] == "a"


@pytest.mark.parametrize("done", ["kill", "kill all", "isolate", "swallow", "restart", "pause"])
def test_what_was_not_confirmed_is_an_error_and_is_mended_all_the_same(done, tmp_path):
    machine_control = MachineControl(harmless=True)
    with Recorder(tmp_path / "h.jsonl", run="r") as recorder:
        with pytest.raises(DeadlinePassed), disruptions(machine_control, recorder, 0.3)[done]:
            pass
        assert fault_confirmed(recorder.history()).valid == "unknown"
    assert machine_control.done[-1][0] == "mend"


@pytest.mark.parametrize("done", ["kill", "isolate", "swallow"])
def test_a_standby_that_never_takes_over_is_a_failure_and_no_lack_of_proof(done, tmp_path):
    machine_control = MachineControl(stubborn=True)
    with Recorder(tmp_path / "h.jsonl", run="r") as recorder:
        with disruptions(machine_control, recorder, 0.3)[done]:
            pass
        judged = recorder.history()
    assert machine_control.done[-1][0] == "mend"
    assert fault_confirmed(judged).valid is True
    (offender,) = response(judged).offenders
    assert "still led to a" in offender.observed
    assert whole_again(judged).valid is True


def test_what_is_not_mended_is_told(tmp_path):
    with Recorder(tmp_path / "h.jsonl", run="r") as recorder:
        with pytest.raises(HealFailed, match="does not come back"):
            with disruptions(MachineControl(mends=False), recorder, 5)["kill"]:
                pass
        assert recorder.history().disruptions()[0].healed is None
        assert whole_again(recorder.history()).valid == "unknown", "that is the machines' doing"


def test_a_server_that_hangs_goes_on_also_after_an_error(tmp_path):
    machine_control = MachineControl()
    with Recorder(tmp_path / "h.jsonl", run="r") as recorder:
        with pytest.raises(ValueError, match="by the block"):
            with disruptions(machine_control, recorder, 5)["pause"]:
                raise ValueError("by the block")
    assert machine_control.done == [("pause", "a"), ("resume", "a"), ("mend", "database")]


def test_packets_vanish_for_a_while_even_if_another_server_takes_over_at_once(tmp_path):
    with Recorder(tmp_path / "h.jsonl", run="r") as recorder:
        with disruptions(MachineControl(), recorder, 5)["swallow"]:
            pass
        (disruption,) = recorder.history().disruptions()
    assert disruption.healed.at_ns - disruption.inject.at_ns >= 0.2e9
