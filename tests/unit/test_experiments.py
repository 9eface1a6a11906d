"""What each disruption is done to, and what clients may notice of it."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from harbor_verify.checkers.judgement import Judgement
from harbor_verify.disruptions.machine_control import SESSION_STORE
from harbor_verify.errors import CannotTell, HealFailed, NotApplicable
from harbor_verify.experiments import Experiments
from harbor_verify.history import Recorder
from harbor_verify.model.roles import Role
from harbor_verify.model.workloads import Workload
from harbor_verify.profiles import harbor_2
from harbor_verify.settings import Settings
from harbor_verify.survival import Budgets, Survival
from harbor_verify.verdict import Failure, Offender
from tests.unit.ledgers import MemoryLedger

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
RETURNS = Budgets((6 + SETTINGS.store_outage_budget_s) * 1000, response_ms=RECOVERY_MS)
NODE = Budgets(SETTINGS.node_outage_budget_s * 1000)
ONE, ALL, ON_NODE_3 = ("core-?",), ("core-0", "core-1"), ("core-1", "registry-0")


class Experiment:
    """Notes what is run; `survivals` are what comes of it, one after the other, else all is well."""

    def __init__(self, *survivals):
        self.all_runs, self.recorders, self.survivals = [], [], list(survivals)
        self.disruption = None

    @property
    def ran(self):
        return self.all_runs[-1]

    def on(self, recorder):
        self.recorders.append(recorder)
        return self

    def run(self, disruption, budgets, *, victims):
        self.all_runs.append((disruption.name, budgets, victims))
        self.disruption = disruption
        survival = self.survivals.pop(0) if self.survivals else Survival(())
        if isinstance(survival, Exception):
            raise survival
        return survival


def _named(name):
    return SimpleNamespace(metadata=SimpleNamespace(name=name))


def experiments(
    tmp_path,
    *,
    nodes=("node-1", "node-2", "node-3"),
    cordoned=(),
    desired=2,
    machine_control=True,
    seed="0",
    experiment=None,
    url="http://192.0.2.1:31778",
    places=None,
    claimed=("images-pv",),
    connected=("198.51.100.1", "198.51.100.2", "198.51.100.3"),
    **settings,
):
    """core on node-1 and node-3, one registry on node-3; the front door is node-1's address."""
    workloads, replicas = {}, {}
    places = places or {"core": ["node-1", "node-3"], "registry": ["node-3"]}
    placed = {Role.WEB: ("core", places["core"]), Role.REGISTRY: ("registry", places["registry"])}
    for role, (name, on_nodes) in placed.items():
        wanted = desired if role is Role.WEB else 1
        workloads[role] = Workload(role, "Deployment", "harbor", name, wanted, (("a", name),), None, 80)
        replicas[role] = [
            SimpleNamespace(
                name=f"{name}-{number}",
                ordinal=number,
                pod_name=f"{name}-pod-{number}",
                node=node,
                address=f"198.51.100.{node[-1]}",
                ready=True,
                state="Ready",
            )
            for number, node in enumerate(on_nodes)
        ]
    known = [
        SimpleNamespace(
            metadata=SimpleNamespace(name=name),
            spec=SimpleNamespace(unschedulable=name in cordoned),
            status=SimpleNamespace(addresses=[SimpleNamespace(address=f"192.0.2.{name[-1]}")]),
        )
        for name in nodes
    ]
    volumes = [SimpleNamespace(volume=volume and _named(volume), used_by=("registry",)) for volume in claimed]
    deployment = SimpleNamespace(
        workloads=workloads, replicas=replicas.get, nodes=lambda: known, volumes=lambda: volumes
    )
    target = SimpleNamespace(
        deployment=deployment,
        workload=workloads.get,
        replicas=replicas.get,
        kubernetes=SimpleNamespace(),
        namespace="harbor",
        ledger=MemoryLedger(),
        url=url,
        profile=harbor_2.PROFILE,
        settings=SimpleNamespace(converge_timeout_s=0.01),
        access=SimpleNamespace(
            machine_control=SimpleNamespace(connections=lambda node, address, port: address in connected)
            if machine_control
            else None
        ),
    )
    recorder = Recorder(tmp_path / "history.jsonl", run="r")
    return Experiments(
        target, recorder, SETTINGS.model_copy(update=settings), experiment or Experiment(), seed
    )


@pytest.mark.parametrize(
    "method, of, budgets, victims",
    [
        ("pod_kill", Role.WEB, GRACEFUL, ONE),
        ("abrupt_pod_kill", Role.WEB, ABRUPT, ONE),
        ("container_kill", Role.WEB, CRASH, ONE),
        ("pause", Role.WEB, HANGING, ONE),
        ("network_loss", Role.WEB, HANGING, ONE),
        ("network_slowness", Role.WEB, HANGING, ONE),
        ("rolling_restart", Role.WEB, UNTIMED, ALL),
        ("scale_down", Role.WEB, UNTIMED, ALL),
        ("node_drain", None, DRAIN, ON_NODE_3),
        ("node_loss", None, NODE, ON_NODE_3),
        ("node_pressure", None, HANGING, ON_NODE_3),
        ("node_memory_pressure", None, HANGING, ON_NODE_3),
        ("dns_loss", None, Budgets((30 + SETTINGS.hang_outage_budget_s) * 1000), ()),
        ("volume_full", None, Budgets(SETTINGS.outage_budget_ms, refuses=frozenset({"push"})), ()),
        ("api_server_loss", None, UNTIMED, ("core-0", "core-1", "registry-0")),
        ("server_kill", SESSION_STORE, STORE, ()),
        ("server_restart", SESSION_STORE, STORE, ()),
        ("servers_restart", SESSION_STORE, STORE, ()),
        ("server_hang", SESSION_STORE, STORE, ()),
        ("server_blackhole", SESSION_STORE, RETURNS, ()),
        ("server_isolation", SESSION_STORE, STORE, ()),
    ],
)
def test_who_is_broken_is_spoken_to_by_nobody_and_judged_by_its_budget(
    tmp_path, method, of, budgets, victims
):
    made = experiments(tmp_path)
    assert getattr(made, method)(*([of] if of else [])) == Survival(())
    name, used, spared = made.experiment.ran
    assert used == budgets
    if victims == ONE:
        assert name.split()[1:] == list(spared)
        assert spared[0] in ALL
    else:
        assert tuple(spared) == victims


@pytest.mark.parametrize(
    "method, of",
    [
        ("server_hang", [SESSION_STORE]),
        ("network_loss", [Role.WEB]),
        ("network_slowness", [Role.WEB]),
        ("pause", [Role.WEB]),
        ("node_loss", []),
    ],
)
def test_what_nobody_goes_round_lasts_longer_than_its_budget(tmp_path, method, of):
    made = experiments(tmp_path, hang_outage_budget_s=40, store_outage_budget_s=40, node_outage_budget_s=40)
    getattr(made, method)(*of)
    assert made.experiment.disruption.lasting.lasts_s > 40


@pytest.mark.parametrize("method", ["pod_kill", "abrupt_pod_kill", "container_kill", "pause", "network_loss"])
def test_a_seed_draws_the_replica_and_each_replica_is_drawn_by_some_seed(tmp_path, method):
    drawn = {}
    for number in range(20):
        for _ in range(2):
            (tmp_path / "history.jsonl").unlink(missing_ok=True)
            made = experiments(tmp_path, seed=f"{number}/check")
            getattr(made, method)(Role.WEB)
            drawn.setdefault(number, set()).add(made.experiment.ran[2])
    assert all(len(victims) == 1 for victims in drawn.values()), "the same seed hits the same"
    assert set().union(*drawn.values()) == {("core-0",), ("core-1",)}


@pytest.mark.parametrize("method", ["container_kill", "pause", "network_loss", "network_slowness"])
def test_a_replica_that_nobody_is_connected_to_is_not_drawn_as_long_as_there_is_another(tmp_path, method):
    for connected, may_be in [(["198.51.100.3"], {("core-1",)}), ([], {("core-0",), ("core-1",)})]:
        drawn = set()
        for number in range(20):
            (tmp_path / "history.jsonl").unlink(missing_ok=True)
            made = experiments(tmp_path, seed=str(number), connected=connected)
            getattr(made, method)(Role.WEB)
            drawn.add(made.experiment.ran[2])
        assert drawn == may_be


def test_a_node_is_drawn_among_those_that_one_does_not_come_in_by(tmp_path):
    drawn = set()
    for number in range(20):
        (tmp_path / "history.jsonl").unlink(missing_ok=True)
        made = experiments(tmp_path, seed=f"{number}", url="http://192.0.2.2")
        made.node_drain()
        drawn.add(made.experiment.ran[0])
    assert drawn == {"node-drain node-1", "node-drain node-3"}


def survival(outage_ms, *offenders, lost=0, error=None):
    judged = Judgement("outage", offenders, measured={"outage_ms": outage_ms, "lost": lost})
    return Survival((judged,), error=error, disruption="pod-kill core-1")


def test_a_disruption_is_repeated_with_a_history_each_and_tells_median_and_spread(tmp_path):
    experiment = Experiment(survival(100.0), survival(400.0, lost=1), survival(200.0, lost=1))
    made = experiments(tmp_path, experiment=experiment, repeat=3)
    together = made.pod_kill(Role.WEB)
    together.require()
    assert together.measured == {
        "repeats": 3,
        "outage_ms": 400.0,
        "outage_median_ms": 200.0,
        "outage_spread_ms": 300.0,
        "lost": 2,
    }
    assert len({*map(id, experiment.recorders), id(made.recorder)}) == 3


def test_what_one_of_several_times_found_is_told_with_which_it_was(tmp_path):
    wrong = Offender("login@front-door", "no outage above 1000 ms", "an outage of 4000 ms")
    made = experiments(tmp_path, experiment=Experiment(survival(0.0), survival(4000.0, wrong)), repeat=3)
    with pytest.raises(Failure, match=r"4000 ms \(time 2 of 3, pod-kill core-1\)"):
        made.pod_kill(Role.WEB).require()


def test_what_every_harbor_does_is_told_once_and_is_no_failure(tmp_path):
    told = []
    flawed = Survival((Judgement("failed-requests", flaws=("a push was answered 502",)),))
    made = experiments(tmp_path, experiment=Experiment(flawed, survival(0.0), flawed), repeat=3)
    replace(made, harbors_own=told.append).pod_kill(Role.REGISTRY).require()
    assert told == ["a push was answered 502"]


def test_nothing_is_broken_again_that_is_not_whole_again(tmp_path):
    experiment = Experiment(survival(0.0), survival(0.0, error=HealFailed("not Ready")))
    made = experiments(tmp_path, experiment=experiment, repeat=5)
    with pytest.raises(HealFailed):
        made.pod_kill(Role.WEB).require()
    assert len(experiment.all_runs) == 2


def test_an_error_of_a_later_time_hides_no_failure_of_an_earlier_one(tmp_path):
    wrong = Offender("login@front-door", "no outage above 1000 ms", "an outage of 4000 ms")
    for first, kind in ((survival(4000.0, wrong), Failure), (survival(0.0), CannotTell)):
        (tmp_path / "history.jsonl").unlink(missing_ok=True)
        made = experiments(tmp_path, experiment=Experiment(first, CannotTell("no way there")), repeat=2)
        with pytest.raises(kind):
            made.pod_kill(Role.WEB)


def test_a_drain_with_a_kill_hits_a_replica_on_another_node(tmp_path):
    made = experiments(tmp_path)
    made.node_drain_kill(Role.WEB)
    name, budgets, victims = made.experiment.ran
    assert name == "node-drain node-3 and kill"
    assert budgets == Budgets(SETTINGS.drain_outage_budget_ms)
    assert victims == (*ON_NODE_3, "core-0")


@pytest.mark.parametrize("claimed", [(), (None,)])
def test_a_volume_that_images_are_not_on_is_not_filled(tmp_path, claimed):
    with pytest.raises(NotApplicable, match="uses no PersistentVolumeClaim"):
        experiments(tmp_path, claimed=claimed).volume_full()


def test_two_nodes_are_lost_where_what_is_left_has_everything(tmp_path):
    made = experiments(tmp_path, url="http://198.51.100.7")
    with pytest.raises(NotApplicable, match="all replicas of web, registry are on them"):
        made.zone_loss()
    (tmp_path / "history.jsonl").unlink()
    made = experiments(tmp_path)
    with pytest.raises(NotApplicable, match="too few"):
        made.zone_loss()
    (tmp_path / "history.jsonl").unlink()
    made = experiments(tmp_path, places={"core": ["node-1", "node-2", "node-3"], "registry": ["node-1"]})
    made.zone_loss()
    assert made.experiment.ran == ("zone-loss node-2+node-3", NODE, ("core-1", "core-2"))


def test_what_is_not_whole_is_not_broken(tmp_path):
    made = experiments(tmp_path, desired=3)
    for break_it in (lambda: made.pod_kill(Role.WEB), made.node_drain):
        with pytest.raises(Failure, match="3 Ready replicas"):
            break_it()
    assert made.experiment.all_runs == []


def test_the_node_that_one_comes_in_by_is_not_lost(tmp_path):
    with pytest.raises(CannotTell, match="no node with pods"):
        experiments(tmp_path, nodes=("node-1", "node-2")).node_loss()


def test_without_control_of_machines_it_is_said_that_there_is_none(tmp_path):
    with pytest.raises(CannotTell, match="control of the machines"):
        experiments(tmp_path, machine_control=False).pause(Role.WEB)
