"""A kill among clients at work, on a Harbor of a few lines whose pod only seems to die."""

import time
from types import SimpleNamespace

import pytest

from fixtures import failover
from fixtures.clients.harbor import COOKIE, Credentials, Harbor
from fixtures.errors import CannotTell, HealFailed, NoAnswer
from fixtures.failover import kill_while_signed_in
from fixtures.history import Recorder
from fixtures.history.replicas import Pod
from fixtures.model.roles import Role
from fixtures.settings import Settings
from fixtures.verdict import Failure

SETTINGS = Settings(operations_per_s=200, outage_budget_ms=300, request_timeout_s=2, converge_timeout_s=2)


class FakeLink:
    """The HTTP of one place. `store` holds the sessions that this place knows."""

    def __init__(self, name, store, world):
        self.name, self.store, self.world = name, store, world

    def close(self):
        self.world.closed += 1

    def post(self, path, data):
        self.world.numbers += 1
        cookie = f"cookie-{self.world.numbers}"
        self.store.add(cookie)
        return SimpleNamespace(status_code=200, cookies={COOKIE: cookie})

    def get(self, path, headers):
        if self.name in self.world.silent:
            raise NoAnswer(f"GET {path} at {self.name}: no answer", sent=True)
        known = headers["Cookie"].removeprefix(f"{COOKIE}=") in self.store
        return SimpleNamespace(status_code=200 if known else 401, json=lambda: {"username": "admin"})


class World:
    """Three web replicas and a front door; `shared` or not. Its pod dies as `FakeKill` says."""

    def __init__(self, *, shared=True):
        self.numbers, self.opened, self.closed, self.silent = 0, 0, 0, set()
        one = set()
        self.stores = {name: one if shared else set() for name in ("ui-0", "ui-1", "ui-2", "front-door")}
        self.pods = [SimpleNamespace(name=f"ui-{n}", uid=f"uid-{n}") for n in range(3)]
        self.credentials = Credentials("admin", "x")
        self.namespace, self.kubernetes = "harbor", None

    def workload(self, role):
        return SimpleNamespace(short_name="ui", desired=3, label_selector="name=ui-apps")

    def replicas(self, role):
        return list(self.pods)

    def new_link(self, replica, *, name=None):
        self.opened += 1
        name = name or replica.name
        return FakeLink(name, self.stores[name], self)

    def new_front_door_link(self, name):
        self.opened += 1
        return FakeLink(name, self.stores[name], self)

    def web(self, replica):
        return Harbor(FakeLink(replica.name, self.stores[replica.name], self))


class FakeKill:
    """Tells the history what a real kill would. `during` is done while the pod is away."""

    world, during, heals = None, staticmethod(lambda: None), True

    def __init__(self, kubernetes, recorder, **_):
        self.recorder = recorder

    def tell(self, name, uid, **value):
        self.recorder.event("ui", name, {"uid": uid, "pod": f"p-{uid}", "replica": "ui-0", **value})

    def __enter__(self):
        self.recorder.event("ui", "watch-started", {"desired": 1, "services": []})
        self.tell("pod-created", "uid-0")
        self.tell("pod-ready", "uid-0")
        self.recorder.event("pod-kill ui-0", "inject", {"workload": "ui", "uid": "uid-0", "pod": "p"})
        return self

    def prove(self):
        self.tell("pod-deleted", "uid-0")
        self.tell("pod-created", "uid-9")
        self.recorder.event("pod-kill ui-0", "proven")
        self.during()

    def __exit__(self, kind, *_):
        if not self.heals:
            raise HealFailed("pod-kill ui-0 is not healed: not Ready")
        self.tell("pod-ready", "uid-9")
        self.recorder.event("pod-kill ui-0", "healed")
        self.world.pods = [*self.world.pods[1:], SimpleNamespace(name="ui-2", uid="uid-9")]

    @property
    def replicas(self):
        return [Pod("uid-1", "p1", "ui-1"), Pod("uid-2", "p2", "ui-2"), Pod("uid-9", "p9", "ui-0")]


@pytest.fixture
def kill(monkeypatch):
    """Runs it: (world, what happens meanwhile, whether it heals) → Survival."""

    def run(world, during=lambda: None, *, heals=True, settings=SETTINGS):
        fake = type("Kill", (FakeKill,), {"world": world, "during": staticmethod(during), "heals": heals})
        monkeypatch.setattr(failover, "PodKill", fake)
        with Recorder() as recorder:
            return kill_while_signed_in(world, Role.WEB, recorder, settings, lambda text: None)

    return run


def a_while():
    """Long enough for every client to ask; this is a test, the suite itself never sleeps."""
    time.sleep(0.1)


def test_a_harbor_that_shares_its_sessions_survives(kill):
    world = World()
    survival = kill(world, a_while)
    survival.require()
    assert survival.measured["lost"] == 0
    assert survival.measured["sessions"] > 3, "those of the logins count, too"
    assert survival.measured["recovery_ms"] >= 100
    assert world.opened == world.closed > 0


def test_sessions_that_died_with_their_pod_are_found(kill):
    world = World()

    def forget():
        a_while()
        world.stores["ui-0"] = set()  # what the new pod knows

    with pytest.raises(Failure, match="unknown"):
        kill(world, forget).require()


def test_an_outage_at_the_front_door_is_found(kill):
    world = World()

    def away():
        world.silent = {"front-door"}
        time.sleep(0.5)
        world.silent = set()

    with pytest.raises(Failure) as failure:
        kill(world, away).require()
    assert {o.object for o in failure.value.offenders} == {"session-probe@front-door", "login@front-door"}


def test_a_pod_that_is_not_replaced_in_time_is_harbors_failure_and_told_as_not_healed(kill):
    settings = SETTINGS.model_copy(update={"recovery_budget_s": 0.05})
    survival = kill(World(), a_while, heals=False, settings=settings)
    with pytest.raises(Failure, match="whole again within 50 ms") as failure:
        survival.require()
    assert "not healed" in failure.value.__notes__[0]


def test_what_is_not_healed_is_never_a_pass(kill):
    with pytest.raises(CannotTell) as unknown:
        kill(World(), a_while, heals=False).require()
    assert "not healed" in str(unknown.value.__notes__)
