"""What each disruption is done to, and what clients may notice of it."""

from types import SimpleNamespace

import pytest

from harbor_verify.disruptions.machine_control import SESSION_STORE
from harbor_verify.errors import CannotTell
from harbor_verify.experiments import Experiments
from harbor_verify.failover import Budgets
from harbor_verify.history import Recorder
from harbor_verify.model.roles import Role
from harbor_verify.model.workloads import Workload
from harbor_verify.settings import Settings
from harbor_verify.verdict import Failure

SETTINGS = Settings()
GRACEFUL = Budgets(
    SETTINGS.outage_budget_ms, SETTINGS.failed_requests_budget, SETTINGS.recovery_budget_s * 1000
)
UNTIMED = Budgets(SETTINGS.outage_budget_ms, SETTINGS.failed_requests_budget, None)
ABRUPT = Budgets(SETTINGS.outage_budget_ms, None, SETTINGS.recovery_budget_s * 1000)
RECOVERY_MS = SETTINGS.recovery_budget_s * 1000
CRASH = Budgets(SETTINGS.crash_outage_budget_ms, recovery_ms=RECOVERY_MS, response_ms=RECOVERY_MS)
HANGING = Budgets(SETTINGS.hang_outage_budget_s * 1000)
DRAIN = Budgets(SETTINGS.drain_outage_budget_ms, SETTINGS.failed_requests_budget)
STORE = Budgets(SETTINGS.store_outage_budget_s * 1000, response_ms=RECOVERY_MS)
NODE = Budgets(SETTINGS.node_outage_budget_s * 1000)
FIRST, ALL, ON_NODE_3 = ("core-0",), ("core-0", "core-1"), ("core-1", "registry-0")


class Experiment:
    """Notes what is run."""

    def run(self, disruption, budgets, *, victims):
        self.ran = (disruption.name, budgets, victims)
        return "survived"


def experiments(tmp_path, *, nodes=("node-1", "node-2", "node-3"), desired=2, machine_control=True):
    """core on node-1 and node-3, one registry on node-3; the front door is node-1's address."""
    workloads, replicas = {}, {}
    placed = {Role.WEB: ("core", ["node-1", "node-3"]), Role.REGISTRY: ("registry", ["node-3"])}
    for role, (name, places) in placed.items():
        wanted = desired if role is Role.WEB else 1
        workloads[role] = Workload(role, "Deployment", "harbor", name, wanted, (("a", name),), None, 80)
        replicas[role] = [
            SimpleNamespace(name=f"{name}-{number}", node=node, ready=True, state="Ready")
            for number, node in enumerate(places)
        ]
    known = [
        SimpleNamespace(
            metadata=SimpleNamespace(name=name),
            status=SimpleNamespace(addresses=[SimpleNamespace(address=f"192.0.2.{name[-1]}")]),
        )
        for name in nodes
    ]
    deployment = SimpleNamespace(workloads=workloads, replicas=replicas.get, nodes=lambda: known)
    target = SimpleNamespace(
        deployment=deployment,
        workload=workloads.get,
        replicas=replicas.get,
        kubernetes=SimpleNamespace(),
        namespace="harbor",
        url="http://192.0.2.1:31778",
        access=SimpleNamespace(machine_control=SimpleNamespace() if machine_control else None),
    )
    recorder = Recorder(tmp_path / "history.jsonl", run="r")
    return Experiments(target, recorder, SETTINGS, Experiment())


@pytest.mark.parametrize(
    "method, of, budgets, victims",
    [
        ("pod_kill", Role.WEB, GRACEFUL, FIRST),
        ("abrupt_pod_kill", Role.WEB, ABRUPT, FIRST),
        ("container_kill", Role.WEB, CRASH, FIRST),
        ("pause", Role.WEB, HANGING, FIRST),
        ("network_loss", Role.WEB, HANGING, FIRST),
        ("network_slowness", Role.WEB, HANGING, FIRST),
        ("rolling_restart", Role.WEB, UNTIMED, ALL),
        ("scale_down", Role.WEB, UNTIMED, ALL),
        ("node_drain", None, DRAIN, ON_NODE_3),
        ("node_loss", None, NODE, ON_NODE_3),
        ("server_kill", SESSION_STORE, STORE, ()),
        ("server_restart", SESSION_STORE, STORE, ()),
        ("server_hang", SESSION_STORE, STORE, ()),
        ("server_blackhole", SESSION_STORE, STORE, ()),
        ("server_isolation", SESSION_STORE, STORE, ()),
    ],
)
def test_who_is_broken_is_spoken_to_by_nobody_and_judged_by_its_budget(
    tmp_path, method, of, budgets, victims
):
    made = experiments(tmp_path)
    assert getattr(made, method)(*([of] if of else [])) == "survived"
    name, used, spared = made.experiment.ran
    assert name
    assert (used, tuple(spared)) == (budgets, victims)


def test_what_is_not_whole_is_not_broken(tmp_path):
    made = experiments(tmp_path, desired=3)
    for break_it in (lambda: made.pod_kill(Role.WEB), made.node_drain):
        with pytest.raises(Failure, match="3 Ready replicas"):
            break_it()
    assert not hasattr(made.experiment, "ran")


def test_the_node_that_one_comes_in_by_is_not_lost(tmp_path):
    with pytest.raises(CannotTell, match="no node with pods"):
        experiments(tmp_path, nodes=("node-1", "node-2")).node_loss()


def test_without_control_of_machines_it_is_said_that_there_is_none(tmp_path):
    with pytest.raises(CannotTell, match="control of the machines"):
        experiments(tmp_path, machine_control=False).pause(Role.WEB)
