"""Disruptions of what all of a cluster stands on, and two at once: proven by kernel or API alone, undone at the end."""

import inspect
from types import SimpleNamespace

import pytest

from harbor_verify.checkers.fault_confirmed import fault_confirmed
from harbor_verify.checkers.response import response
from harbor_verify.disruptions import changes, node_memory_pressure
from harbor_verify.disruptions import job_kill as job_kill_module
from harbor_verify.disruptions.api_server_loss import ApiServerLoss
from harbor_verify.disruptions.dns_loss import DnsLoss
from harbor_verify.disruptions.job_kill import JobKill
from harbor_verify.disruptions.machine_control import MachineControl
from harbor_verify.disruptions.node_drain_kill import NodeDrainKill
from harbor_verify.disruptions.node_memory_pressure import NodeMemoryPressure
from harbor_verify.disruptions.node_pressure import NodePressure
from harbor_verify.disruptions.volume_full import VolumeFull
from harbor_verify.errors import CannotTell, DeadlinePassed, HealFailed, UnexpectedAnswer
from harbor_verify.history import Recorder
from lab import machine_control as of_the_lab
from tests.unit.ledgers import MemoryLedger
from tests.unit.test_disruptions_pods import PODS, Watch, on_node, workload


class Control:
    """Counts what the kernel drops and holds back, once told to; `harmless`: nothing is."""

    def __init__(self, *, harmless=False):
        self.harmless, self.done, self.times = harmless, [], 0

    def __getattr__(self, name):
        def note(*arguments):
            self.done.append((name, *arguments))

        return note

    def lost_questions(self):
        return {"node-1": 4, "node-2": 0 if self.harmless else 3}

    def refused_api_packets(self):
        return 0 if self.harmless else 7

    def full_on(self, volume):
        return {"node-1": True, "node-2": not self.harmless}

    def throttled(self, node):
        self.times += 0 if self.harmless else 30
        return self.times

    refused_memory = throttled


class Nodes:
    """A cluster whose nodes renew their Leases each time that one looks; `silent` never do, `lost` are not Ready."""

    def __init__(self, *, silent=(), lost=()):
        self.silent, self.lost, self.looks = silent, lost, 0
        self.core = self.coordination = self

    def ask(self, what, call, *arguments):
        return call(*arguments)

    def list_node(self):
        nodes = []
        for name in ("node-1", "node-2"):
            ready = "Unknown" if name in self.lost else "True"
            status = SimpleNamespace(conditions=[SimpleNamespace(type="Ready", status=ready)])
            nodes.append(SimpleNamespace(metadata=SimpleNamespace(name=name), status=status))
        return SimpleNamespace(items=nodes)

    def list_namespaced_lease(self, namespace):
        self.looks += 1
        renewed = {name: 0 if name in self.silent else self.looks for name in ("node-1", "node-2")}
        return SimpleNamespace(
            items=[
                SimpleNamespace(metadata=SimpleNamespace(name=name), spec=SimpleNamespace(renew_time=at))
                for name, at in renewed.items()
            ]
        )


def make(kind, control, recorder, lasts_s=0.3, nodes=None):
    arguments = (nodes or Nodes(), recorder, [workload()], control)
    if kind is VolumeFull:
        made = kind(*arguments, "images-pv", lasts_s=lasts_s, timeout_s=0.3)
    elif kind in (NodePressure, NodeMemoryPressure):
        made = kind(*arguments, "node-1", lasts_s=lasts_s, timeout_s=0.3)
        made.pods_on = lambda nodes: {"uid-a": "web-a"}
    else:
        made = kind(*arguments, lasts_s=lasts_s, timeout_s=0.3)
    made.watches = {"web": Watch()}
    return made


UNDONE = {
    DnsLoss: ("lose_names", "give_names"),
    ApiServerLoss: ("refuse_api", "admit_api"),
    NodePressure: ("throttle_node", "release_node"),
    NodeMemoryPressure: ("exhaust_memory", "give_memory"),
    VolumeFull: ("fill_volume", "make_room"),
}


@pytest.mark.parametrize("kind", UNDONE)
def test_it_lasts_is_proven_by_the_kernel_and_is_undone(kind):
    control, recorder = Control(), Recorder()
    with make(kind, control, recorder):
        pass
    (disruption,) = recorder.history().disruptions()
    assert tuple(name for name, *_ in control.done) == UNDONE[kind]
    assert disruption.proven.at_ns - disruption.inject.at_ns >= 0.3e9
    assert disruption.healed
    assert fault_confirmed(recorder.history()).valid is True


@pytest.mark.parametrize("kind", UNDONE)
def test_what_the_kernel_saw_nothing_of_is_not_confirmed_and_is_undone_all_the_same(kind):
    control, recorder = Control(harmless=True), Recorder()
    with pytest.raises(DeadlinePassed), make(kind, control, recorder, lasts_s=0.1):
        pass
    assert control.done[-1][0] == UNDONE[kind][1]
    assert fault_confirmed(recorder.history()).valid == "unknown"


@pytest.mark.parametrize("kind", UNDONE)
def test_it_is_undone_also_after_an_error_in_the_middle(kind):
    control = Control()
    with pytest.raises(KeyboardInterrupt), make(kind, control, Recorder(), lasts_s=60):
        raise KeyboardInterrupt
    assert control.done[-1][0] == UNDONE[kind][1]


@pytest.mark.parametrize("kind", UNDONE)
def test_a_harbor_that_does_not_come_back_is_not_healed(kind):
    made = make(kind, Control(), Recorder(), lasts_s=0.1)
    with pytest.raises(HealFailed, match="1 of 2 replicas Ready"), made:
        made.watches["web"].now = PODS[:1]


@pytest.mark.parametrize("nodes", [Nodes(), Nodes(silent=["node-2"], lost=["node-2"])])
def test_an_api_server_is_back_once_each_node_that_it_calls_ready_has_reported_again(nodes):
    """A node that was not heard of in time is taken for lost a moment later, and its pods are out of all Services."""
    recorder = Recorder()
    with make(ApiServerLoss, Control(), recorder, nodes=nodes):
        pass
    assert recorder.history().disruptions()[0].healed


def test_an_api_server_that_has_not_heard_of_a_node_yet_is_not_back():
    nodes = Nodes(silent=["node-2"])
    with (
        pytest.raises(HealFailed, match="nothing was heard of node-2 since"),
        make(ApiServerLoss, Control(), Recorder(), lasts_s=0.1, nodes=nodes),
    ):
        pass


def test_memory_of_which_too_much_was_left_is_taken_again_until_it_is_felt(monkeypatch):
    class Roomy(Control):
        def refused_memory(self, node):
            return 30 if self.done.count(("exhaust_memory", node)) > 2 else 0

    monkeypatch.setattr(node_memory_pressure, "_FELT_WITHIN_S", 0.01)
    control, recorder = Roomy(), Recorder()
    with make(NodeMemoryPressure, control, recorder, lasts_s=3):
        pass
    assert control.done == [("exhaust_memory", "node-1")] * 3 + [("give_memory", "node-1")]
    assert fault_confirmed(recorder.history()).valid is True


def test_the_lab_can_do_whatever_a_disruption_may_ask_of_machines():
    asked = {
        name: list(inspect.signature(method).parameters)
        for name, method in vars(MachineControl).items()
        if inspect.isfunction(method) and not name.startswith("_")
    }
    can = of_the_lab.MachineControl
    assert asked == {name: list(inspect.signature(getattr(can, name)).parameters) for name in asked}


class Jobs:
    """A Harbor that starts jobs; `statuses` are what it says of the newest, one after the other, the last for ever."""

    def __init__(self, *statuses):
        self.statuses, self.started = list(statuses), 0

    def start_harmless_job(self, credentials):
        self.started += 1
        return self.started

    def job_status(self, job_id, credentials):
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        if isinstance(status, Exception):
            raise status
        return status


class JobControl(Control):
    """`immortal`: whoever is killed goes on."""

    def __init__(self, *, immortal=False):
        super().__init__()
        self.immortal = immortal

    def serving(self, what):
        return f"the {what}"

    def is_running(self, node, container):
        return self.immortal


def job_kill(monkeypatch, jobs, control):
    monkeypatch.setattr(job_kill_module, "_HELD_UP_S", 0.01)
    status = SimpleNamespace(name="job", container_id="containerd://abc")
    pod = SimpleNamespace(
        status=SimpleNamespace(container_statuses=[status]), spec=SimpleNamespace(node_name="node-2")
    )
    replica = SimpleNamespace(pod=pod, container=SimpleNamespace(name="job"), pod_name="job-1")
    made = JobKill(None, Recorder(), workload(), control, jobs, None, lambda: [replica], timeout_s=0.3)
    made.watch = Watch()
    return made


NOBODY = UnexpectedAnswer("GET → 502", status=502)


def test_who_runs_jobs_dies_in_the_middle_of_one_that_is_then_taken_up_again(monkeypatch):
    control = JobControl()
    kill = job_kill(monkeypatch, Jobs(NOBODY, "Running", "Running", "Success"), control)
    with kill:
        pass
    (disruption,) = kill.recorder.history().disruptions()
    assert disruption.proven.value == {"job": 1, "status": "Running", "killed": 1}
    assert disruption.response.value["status"] == "Success"
    steps = [name for name, *_ in control.done]
    assert steps == ["pause_server", "kill_container", "resume_server", "mend"]
    assert ("kill_container", "node-2", "abc") in control.done


@pytest.mark.parametrize("status", ["Running", "Error"])
def test_a_job_that_is_not_taken_up_again_or_fails_is_a_failure(monkeypatch, status):
    kill = job_kill(monkeypatch, Jobs("Pending", status), JobControl())
    with kill:
        pass
    assert fault_confirmed(kill.recorder.history()).valid is True
    (offender,) = response(kill.recorder.history()).offenders
    assert f"job 1 is {status}" in offender.observed


def test_a_job_that_had_ended_before_is_no_middle_and_another_is_tried(monkeypatch):
    jobs = Jobs("Success", "Running", "Success")
    with job_kill(monkeypatch, jobs, JobControl()):
        pass
    assert jobs.started == 2
    jobs = Jobs("Success")
    kill = job_kill(monkeypatch, jobs, JobControl())
    with pytest.raises(CannotTell, match="each of 3 jobs had ended"), kill:
        pass
    assert jobs.started == 3


def test_who_goes_on_was_not_killed_and_the_database_goes_on_too(monkeypatch):
    control = JobControl(immortal=True)
    with (
        pytest.raises(DeadlinePassed, match="still running"),
        job_kill(monkeypatch, Jobs("Running"), control),
    ):
        pass
    assert ("resume_server", "the database") in control.done


def drain_with_a_kill(monkeypatch, *, dies=True, pod="web-b"):
    cordoned = SimpleNamespace(items=[SimpleNamespace(spec=SimpleNamespace(unschedulable=True))])
    done = []

    def ask(what, call, *_, **__):
        done.append(what)
        if what.startswith("delete pod") and dies:
            watch.now = [each for each in watch.now if each.pod != pod]
        return cordoned

    core = SimpleNamespace(list_node=None, delete_namespaced_pod=None)
    kubernetes = SimpleNamespace(core=core, ask=ask)
    monkeypatch.setattr(changes, "cordon", lambda *_: done.append("cordon"))
    ledger = MemoryLedger()
    arguments = (kubernetes, Recorder(), [workload()], ledger, "node-1", pod)
    drain, watch = on_node(NodeDrainKill, *arguments, monkeypatch=monkeypatch)
    drain._evict = lambda name, uid: done.append(f"evict {name}")
    return drain, done, ledger, watch


def test_the_pod_dies_in_the_middle_of_the_drain_and_its_uid_is_the_proof(monkeypatch):
    drain, done, ledger, _ = drain_with_a_kill(monkeypatch)
    drain.respond = lambda: done.append("evict the rest") or {}
    drain._lacks = list
    with drain:
        assert drain.prove() is None
        assert [entry.kind for entry in ledger.entries()] == ["Pod"], "written down before it is done"
    steps = [step for step in done if step.split()[0] in ("cordon", "evict", "delete")]
    assert steps == ["cordon", "evict web-a", "delete pod harbor/web-b", "evict the rest"]
    (disruption,) = drain.recorder.history().disruptions()
    assert disruption.proven.value["killed_uid"] == "uid-b"
    assert ledger.entries() == []


def test_a_pod_that_does_not_die_confirms_nothing(monkeypatch):
    drain, *_ = drain_with_a_kill(monkeypatch, dies=False)
    with pytest.raises(DeadlinePassed, match="pod web-b is still there"), drain:
        pass
    assert fault_confirmed(drain.recorder.history()).valid == "unknown"


def test_a_pod_that_went_by_itself_before_is_not_killed(monkeypatch):
    drain, done, *_ = drain_with_a_kill(monkeypatch, pod="web-z")
    with pytest.raises(CannotTell, match="web-z"), drain:
        pass
    assert done == []
