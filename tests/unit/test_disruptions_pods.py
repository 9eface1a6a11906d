"""Disruptions of pods and nodes are proven by kernel or API alone; whatever Kubernetes makes of them is a response."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from harbor_verify.checkers.fault_confirmed import fault_confirmed
from harbor_verify.checkers.response import response
from harbor_verify.disruptions import changes
from harbor_verify.disruptions.container import Container
from harbor_verify.disruptions.container_kill import ContainerKill
from harbor_verify.disruptions.lasting import Lasting
from harbor_verify.disruptions.node_drain import NodeDrain
from harbor_verify.disruptions.node_loss import NodeLoss
from harbor_verify.disruptions.pause import Pause
from harbor_verify.disruptions.rolling_restart import RollingRestart
from harbor_verify.disruptions.scale_down import ScaleDown
from harbor_verify.errors import CannotTell, DeadlinePassed, NotApplicable
from harbor_verify.history import Recorder
from harbor_verify.history.replicas import Pod
from harbor_verify.model.roles import Role
from harbor_verify.model.workloads import Workload
from harbor_verify.waiting import NotYet
from tests.unit.ledgers import MemoryLedger

PODS = [Pod("uid-a", "web-a", "web-0", ready=True), Pod("uid-b", "web-b", "web-1", ready=True)]


class Watch:
    """What a watch of two Ready pods tells; tests change it."""

    def __init__(self):
        self.now, self.led_to = list(PODS), {"web": {"uid-a", "uid-b"}}

    def start(self):
        pass

    def stop(self):
        pass

    def lacks(self, *, without=""):
        there = {pod.uid for pod in self.now if pod.ready} - {without}
        return [] if len(there) >= 2 else [f"{len(there)} of 2 replicas Ready"]

    def pods(self):
        return self.now

    def endpoints(self):
        return self.led_to


class Control:
    """A control of machines that is asked and told nothing else."""

    def __init__(self, *, running=False, paused=True):
        self.running, self.paused = running, paused

    def is_running(self, node, container_id):
        return self.running

    def is_paused(self, node, container_id):
        return self.paused

    def kill_container(self, node, container_id):
        pass

    pause_container = resume_container = kill_container

    def lose_node(self, node):
        pass

    mend_node = lose_node


def workload(kind="Deployment", desired=2):
    return Workload(Role.WEB, kind, "harbor", "web", desired, (("a", "web"),), None, 80)


def of_container(cls, control, reads):
    """A disruption of web-0 whose container is, one look after the other, as `reads` say."""
    made = cls("fault", None, Recorder(), workload(), control, timeout_s=0.3)
    made.watch = Watch()
    looks = iter(reads)
    last = [Container("node-1", "web", "c1", 0, "192.0.2.1", ready=True)]

    def read():
        last[0] = next(looks, last[0])
        return last[0]

    made.read = read
    return made


def container(identity="c1", restarts=0, ready=True):
    return Container("node-1", "web", identity, restarts, "192.0.2.1", ready=ready)


def judged(disruption):
    with disruption:
        pass
    history = disruption.recorder.history()
    return fault_confirmed(history).valid, response(history)


def test_a_container_that_was_killed_and_started_again_is_well():
    kill = of_container(ContainerKill, Control(), [container(), container(), container("c2", 1)])
    confirmed, answered = judged(kill)
    assert confirmed is True
    assert answered.valid is True


def test_a_container_that_nobody_starts_again_is_a_failure():
    confirmed, answered = judged(of_container(ContainerKill, Control(), [container()]))
    assert confirmed is True
    assert "0 restarts" in answered.offenders[0].observed


def test_a_container_whose_process_lives_was_not_killed_whatever_is_counted():
    kill = of_container(ContainerKill, Control(running=True), [container(), container("c2", 1)])
    with kill, pytest.raises(Exception, match="still runs"):
        kill.prove()
    assert fault_confirmed(kill.recorder.history()).valid == "unknown"


@pytest.mark.parametrize("noticed", [container(ready=False), container("c2", 1)])
def test_a_hanging_program_that_kubernetes_notices_is_well(noticed):
    confirmed, answered = judged(of_container(Pause, Control(), [container(), container(), noticed]))
    assert (confirmed, answered.valid) == (True, True)


def test_without_a_readiness_probe_nobody_notices_and_that_is_a_failure():
    confirmed, answered = judged(of_container(Pause, Control(), [container()]))
    assert confirmed is True
    assert "still calls it Ready" in answered.offenders[0].observed


def test_a_program_that_goes_on_was_not_paused():
    pause = of_container(Pause, Control(paused=False), [container()])
    with pause, pytest.raises(CannotTell):
        pause.prove()


EVICTED = Pod("uid-old", "web-old", "web-2", deleting=True)
"""One that has ended, and that nobody has cleared away: Kubernetes keeps such pods for long."""


def rolling(then, *beside):
    """A rolling restart at whose patch `then` happens to its watch; `beside` are other pods that are there."""
    made = RollingRestart("rolling-restart", None, Recorder(), workload(), MemoryLedger(), timeout_s=0.3)
    made.watch = Watch()
    made.watch.now += beside
    made.inject = lambda: then(made.watch)
    made.await_mended = lambda: None
    made.wait = lambda what, probe, more_s=0: RollingRestart.wait(made, what, probe)
    return made


def test_a_rollout_that_replaces_every_pod_is_well():
    def renew(watch):
        watch.now = [Pod(f"new-{pod.uid}", pod.pod, pod.replica, ready=True) for pod in PODS]

    confirmed, answered = judged(rolling(renew))
    assert (confirmed, answered.valid) == (True, True)


def test_a_rollout_that_hangs_is_a_failure_with_the_pods_that_stay():
    def hang(watch):
        watch.now = [*PODS, Pod("uid-c", "web-c", "web-2", ready=False)]

    confirmed, answered = judged(rolling(hang))
    assert confirmed is True
    assert "still there: web-a, web-b" in answered.offenders[0].observed


def test_a_rollout_that_never_begins_is_not_confirmed():
    restart = rolling(lambda watch: None)
    with restart, pytest.raises(Exception, match="every pod is as it was"):
        restart.prove()


def test_what_has_ended_long_ago_is_neither_touched_nor_waited_for():
    def renew(watch):
        new = [Pod(f"new-{pod.uid}", pod.pod, pod.replica, ready=True) for pod in PODS]
        watch.now = [*new, EVICTED]

    confirmed, answered = judged(rolling(renew, EVICTED))
    assert (confirmed, answered.valid) == (True, True)
    restart = rolling(lambda watch: None, EVICTED)
    with restart, pytest.raises(Exception, match="every pod is as it was"):
        restart.prove()


def test_one_replica_cannot_be_scaled_down_to_one():
    scaling = ScaleDown("scale-down", None, Recorder(), workload(desired=1), MemoryLedger(), timeout_s=0.3)
    with pytest.raises(NotApplicable, match="has one replica"):
        scaling.__enter__()


@pytest.mark.parametrize("ends", [True, False])
def test_a_scale_down_lasts_until_the_pods_that_go_are_gone(ends):
    """Until then they serve whoever is still led to them, and nothing has happened to anybody."""
    scaling = ScaleDown("scale-down", None, Recorder(), workload(), MemoryLedger(), timeout_s=0.3)
    scaling.watch = watch = Watch()
    scaling.wait = lambda what, probe, more_s=0: ScaleDown.wait(scaling, what, probe)
    going = [PODS[0], replace(PODS[1], deleting=True)]
    looks = iter([PODS, going, going, going])
    watch.pods = lambda: next(looks, PODS[:1] if ends else going)
    scaling.inject = lambda: None
    scaling.restore = lambda: None
    confirmed, answered = judged(scaling)
    assert (confirmed, answered.valid) == (True, ends)
    if not ends:
        assert "still there: web-b" in answered.offenders[0].observed


def on_node(cls, *arguments, monkeypatch, ready="False"):
    """A disruption of node-1, where web-a is; without `more_s`, which would be minutes."""
    made = cls(*arguments)
    made.timeout_s, watch = 0.3, Watch()
    made.watches = {"web": watch}
    made.wait = lambda what, probe, more_s=0: cls.wait(made, what, probe)
    made.pods_on = lambda nodes: {
        pod.uid: pod.pod for pod in watch.now if nodes is None or pod.uid == "uid-a"
    }
    return made, watch


def lost_node(monkeypatch, *, led_to, nodes=("node-1",), stays=""):
    """Loss of nodes that are not Ready, but for one that stays, and come back; the Services then lead to `led_to`."""
    control = Control()
    loss, watch = on_node(NodeLoss, None, Recorder(), [workload()], control, nodes, monkeypatch=monkeypatch)
    state = dict.fromkeys(nodes, "True")

    def lose(node):
        state[node] = "True" if node == stays else "Unknown"
        watch.led_to.update(web=led_to)

    control.lose_node = lose
    control.mend_node = lambda node: state.update({node: "True"})
    loss._ready = lambda: state
    return loss


def test_a_node_whose_pods_get_no_requests_any_more_is_well(monkeypatch):
    confirmed, answered = judged(lost_node(monkeypatch, led_to={"uid-b"}))
    assert (confirmed, answered.valid) == (True, True)


def test_what_was_noticed_lasts_on_for_longer_than_an_outage_may(monkeypatch):
    noticed = container(ready=False)
    for fault in (
        lost_node(monkeypatch, led_to={"uid-b"}),
        of_container(Pause, Control(), [container(), container(), noticed]),
    ):
        fault.lasting = Lasting(0.2)
        with fault:
            fault.prove()
        names = [event.name for event in fault.recorder.history().events if event.subject == fault.name]
        assert names.index("responded") < names.index("healed")
        assert fault.lasting.left_s == 0


def test_a_service_that_goes_on_leading_to_a_lost_node_is_a_failure(monkeypatch):
    confirmed, answered = judged(lost_node(monkeypatch, led_to={"uid-a", "uid-b"}))
    assert confirmed is True
    assert "Service web still leads to web-a" in answered.offenders[0].observed


def test_a_zone_is_lost_when_each_of_its_nodes_is(monkeypatch):
    zone = lost_node(monkeypatch, led_to={"uid-b"}, nodes=("node-1", "node-2"))
    confirmed, answered = judged(zone)
    assert zone.name == "zone-loss node-1+node-2"
    assert (confirmed, answered.valid) == (True, True)
    half = lost_node(monkeypatch, led_to={"uid-b"}, nodes=("node-1", "node-2"), stays="node-2")
    with half, pytest.raises(DeadlinePassed, match="still calls node-2 Ready"):
        half.prove()


def test_a_node_that_everybody_has_left_is_not_drained(monkeypatch):
    cordoned = []
    monkeypatch.setattr(changes, "cordon", lambda *_: cordoned.append(True))
    arguments = (None, Recorder(), [workload()], MemoryLedger(), "node-1")
    drain, _ = on_node(NodeDrain, *arguments, monkeypatch=monkeypatch)
    drain.pods_on = lambda nodes: {}
    with pytest.raises(CannotTell, match="no pod of Harbor's is on node node-1 any more"):
        drain.__enter__()
    assert not cordoned


@pytest.mark.parametrize("allowed", [True, False])
def test_a_drain_that_a_budget_forbids_is_a_failure_and_not_an_error(monkeypatch, allowed):
    cordoned = SimpleNamespace(items=[SimpleNamespace(spec=SimpleNamespace(unschedulable=True))])
    kubernetes = SimpleNamespace(core=SimpleNamespace(list_node=None), ask=lambda *_, **__: cordoned)
    monkeypatch.setattr(changes, "cordon", lambda *_: None)
    arguments = (kubernetes, Recorder(), [workload()], MemoryLedger(), "node-1")
    drain, watch = on_node(NodeDrain, *arguments, monkeypatch=monkeypatch)

    def evict(name, uid):
        if not allowed:
            raise NotYet("a PodDisruptionBudget does not allow it yet")
        watch.now = [*PODS[1:], Pod("uid-c", "web-c", "web-0", ready=True)]

    drain._evict = evict
    confirmed, answered = judged(drain)
    assert confirmed is True
    assert answered.valid is allowed
    if not allowed:
        assert "PodDisruptionBudget" in answered.offenders[0].observed
