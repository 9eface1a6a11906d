"""What a disruption changes in the cluster's objects is as before afterwards, and what others changed is left alone."""

import pytest

from harbor_verify.disruptions import changes
from harbor_verify.disruptions.rolling_restart import RollingRestart
from harbor_verify.disruptions.scale_down import ScaleDown
from harbor_verify.errors import CannotTell, DeadlinePassed, HarnessError, TargetUnreachable
from harbor_verify.history import Recorder
from harbor_verify.ledger import Ledger
from harbor_verify.model.roles import Role
from harbor_verify.model.workloads import Workload
from tests.unit.fake_objects import DEPLOYMENTS, LEDGER, NODES, Objects, serving
from tests.unit.test_ledger import Lease

CORE = Workload(Role.WEB, "Deployment", "harbor", "core", 3, (("a", "core"),), None, 80)
CORE_PATH, NODE = f"{DEPLOYMENTS}/core", f"{NODES}/node-1"


@pytest.fixture
def objects():
    objects = Objects()
    objects.deployment("core", 3, note="kept")
    objects.deployment("core-too", 1)
    objects.node("node-1")
    objects.node("node-10")
    return objects


@pytest.fixture
def kubernetes(objects):
    with serving(objects) as kubernetes:
        yield kubernetes


@pytest.fixture
def ledger(kubernetes):
    return Ledger(kubernetes, "harbor", "r1", Lease())


def bare(objects):
    return {path: objects.bare(path) for path in objects.there if path != LEDGER}


def everything(ledger, kubernetes):
    changes.scale(ledger, kubernetes, CORE, 1)
    changes.cordon(ledger, kubernetes, "node-1", ["core-a"])


def heal(kubernetes, ledger):
    """As a later run does it: by what it reads."""
    later = Ledger(kubernetes, "harbor", "r2", Lease())
    told = [changes.mend(kubernetes, "harbor", entry) for entry in later.read()]
    later.drop(*later.entries())
    return told


def test_what_a_killed_run_scaled_and_cordoned_is_as_before_and_a_second_time_there_is_nothing(
    objects, kubernetes, ledger
):
    before = bare(objects)
    everything(ledger, kubernetes)
    assert objects.there[CORE_PATH]["spec"]["replicas"] == 1
    assert objects.there[NODE]["spec"]["unschedulable"] is True
    assert heal(kubernetes, ledger) == [
        "node node-1 takes pods again, which a run had cordoned",
        "Deployment harbor/core has its 3 replicas back, of which a run had taken all but 1",
    ]
    assert bare(objects) == before
    assert [changes.mend(kubernetes, "harbor", entry) for entry in ledger.entries()] == ["", ""]
    assert bare(objects) == before


@pytest.mark.parametrize(
    "seen, replicas, updated, kept",
    [
        pytest.param(2, 3, 3, True, id="at its end: to undo it would replace all pods again"),
        pytest.param(2, 4, 1, False, id="half-way"),
        pytest.param(1, 3, 3, False, id="not seen by its controller yet"),
    ],
)
def test_a_restart_is_taken_back_unless_it_has_come_to_its_end(
    objects, kubernetes, ledger, seen, replicas, updated, kept
):
    before = bare(objects)
    changes.restart(ledger, kubernetes, CORE)
    core = objects.there[CORE_PATH]
    core["metadata"]["generation"] = 2
    core["status"] = {"observedGeneration": seen, "replicas": replicas, "updatedReplicas": updated}
    changes.mend_own(ledger, kubernetes, "harbor", "Deployment", "core")
    core = objects.there[CORE_PATH]
    annotations = core["spec"]["template"]["metadata"]["annotations"]
    assert (changes.RESTARTED in annotations) == kept
    assert changes.MARK not in core["metadata"]["annotations"]
    assert ledger.entries() == []
    annotations.pop(changes.RESTARTED, None)
    assert bare(objects)[CORE_PATH]["spec"] == before[CORE_PATH]["spec"]


def test_each_act_stands_in_the_ledger_before_it_is_done(objects, kubernetes, ledger):
    everything(ledger, kubernetes)
    written = [each for each in objects.asked if each[0] != "GET"]
    assert written == [
        ("POST", LEDGER.rpartition("/")[0]), ("PATCH", CORE_PATH), ("PATCH", LEDGER), ("PATCH", NODE)
    ]  # fmt: skip


@pytest.mark.parametrize("updated, healed", [(3, True), (1, False)])
def test_a_restart_is_healed_when_all_pods_are_of_one_template(objects, kubernetes, ledger, updated, healed):
    restart = RollingRestart("rolling-restart", kubernetes, Recorder(), CORE, ledger, timeout_s=0.2)
    restart.wait = lambda what, probe, more_s: RollingRestart.wait(restart, what, probe)
    core = objects.there[CORE_PATH]
    core["metadata"]["generation"] = 2
    core["status"] = {"observedGeneration": 2, "replicas": 3, "updatedReplicas": updated}
    if healed:
        restart.await_mended()
    else:
        with pytest.raises(DeadlinePassed, match="1 of 3 pods are of its template"):
            restart.await_mended()


@pytest.mark.parametrize("marked", [True, False])
def test_a_workload_that_stays_scaled_down_for_its_mark_was_taken_away_is_not_healed(
    objects, kubernetes, ledger, marked
):
    scaling = ScaleDown("scale-down", kubernetes, Recorder(), CORE, ledger, timeout_s=0.2)
    scaling.require_whole = lambda: None
    scaling.inject()
    if marked:
        scaling.restore()
        assert objects.there[CORE_PATH]["spec"]["replicas"] == 3
        return
    del objects.there[CORE_PATH]["metadata"]["annotations"][changes.MARK]
    with pytest.raises(HarnessError, match="scale it back to 3"):
        scaling.restore()


@pytest.mark.parametrize("method, path", [("POST", LEDGER.rpartition("/")[0]), ("PATCH", CORE_PATH)])
def test_what_was_killed_between_the_ledger_and_the_act_has_nothing_to_undo(
    objects, kubernetes, ledger, method, path
):
    before = bare(objects)
    objects.refuse = {(method, path): 503}
    with pytest.raises(TargetUnreachable):
        changes.scale(ledger, kubernetes, CORE, 1)
    objects.refuse = {}
    assert set(heal(kubernetes, ledger)) <= {""}
    assert bare(objects) == before


@pytest.mark.parametrize("now, then", [(1, 5), (2, 5), (5, 5), (7, 7), (0, 0)])
def test_scale_goes_back_to_what_it_was_just_before_also_under_an_autoscaler(
    objects, kubernetes, ledger, now, then
):
    """It had made 5 of the 3 that the run found at its beginning, and makes `now` of the 1 that the fault left."""
    objects.there[CORE_PATH]["spec"]["replicas"] = 5
    changes.scale(ledger, kubernetes, CORE, 1)
    objects.there[CORE_PATH]["spec"]["replicas"] = now
    heal(kubernetes, ledger)
    assert objects.there[CORE_PATH]["spec"]["replicas"] == then
    assert objects.there[CORE_PATH]["metadata"]["annotations"] == {"note": "kept"}


def test_what_somebody_has_set_anew_since_is_left(objects, kubernetes, ledger):
    """`kubectl replace`, or an operator of the cluster's own: our mark is gone, and what it says is theirs."""
    everything(ledger, kubernetes)
    objects.deployment("core", 2)
    objects.node("node-1", unschedulable=True)
    assert heal(kubernetes, ledger) == ["", ""]
    assert objects.there[CORE_PATH]["spec"]["replicas"] == 2
    assert objects.there[NODE]["spec"]["unschedulable"] is True


def test_what_is_gone_is_not_missed(objects, kubernetes, ledger):
    everything(ledger, kubernetes)
    del objects.there[CORE_PATH], objects.there[NODE]
    assert heal(kubernetes, ledger) == ["", ""]


def test_a_node_that_an_operator_has_cordoned_is_neither_cordoned_nor_uncordoned(objects, kubernetes, ledger):
    objects.node("node-1", unschedulable=True)
    with pytest.raises(CannotTell, match="node-1 is cordoned already, by somebody else"):
        changes.cordon(ledger, kubernetes, "node-1", [])
    assert ledger.entries() == []
    changes.mend_own(ledger, kubernetes, "harbor", "Node", "node-1")
    heal(kubernetes, ledger)
    assert objects.there[NODE]["spec"]["unschedulable"] is True


def test_of_a_run_and_an_operator_who_cordon_at_once_the_operator_is_respected(objects, kubernetes, ledger):
    """Who is second learns it, because it patches the node as it saw it."""
    written = ledger.broken

    def operator_first(*args, **more):
        objects.node("node-1", unschedulable=True)
        return written(*args, **more)

    ledger.broken = operator_first
    with pytest.raises(CannotTell, match="cordoned already"):
        changes.cordon(ledger, kubernetes, "node-1", [])
    assert heal(kubernetes, ledger) == []
    assert objects.there[NODE]["spec"] == {"unschedulable": True}
    assert objects.there[NODE]["metadata"]["annotations"] == {}


def test_a_run_in_one_namespace_never_mends_anothers_node(objects, kubernetes, ledger):
    """Both ledgers name the node; the mark says whose cordon it is."""
    changes.cordon(ledger, kubernetes, "node-1", [])
    other = Ledger(kubernetes, "harbor", "r9", Lease())
    stale = other.broken("Node", "node-1", unschedulable=False)
    assert changes.mend(kubernetes, "harbor-2", stale) == ""
    assert objects.there[NODE]["spec"]["unschedulable"] is True


def test_a_deleted_pod_has_a_controller_and_needs_nothing(kubernetes, ledger):
    assert changes.mend(kubernetes, "harbor", ledger.broken("Pod", "core-a", uid="u")) == ""
