"""A Harbor of a few lines among whose clients something only seems to be broken."""

import time
from types import SimpleNamespace

from harbor_verify.clients.capabilities import Robot
from harbor_verify.clients.harbor import Credentials, Project, Session
from harbor_verify.errors import DeadlinePassed, HealFailed, NoAnswer, UnexpectedAnswer
from harbor_verify.model.roles import Role
from harbor_verify.settings import Settings
from tests.unit.ledgers import MemoryLedger

SETTINGS = Settings(
    operations_per_s=200,
    outage_budget_ms=300,
    request_timeout_s=2,
    converge_timeout_s=2,
    confirmation_s=0.2,
    settle_s=0.2,
)


class FakeLink:
    """The HTTP of one place. `store` holds the sessions that this place knows."""

    longest_wait_s = 0.0

    def __init__(self, name, store, world, uid=""):
        self.name, self.store, self.world, self.headers, self.uid = name, store, world, {}, uid

    def close(self):
        self.world.closed += 1


class FakeHarbor:
    """The API at one place."""

    def __init__(self, link):
        self.http, self.name, self.world, self.uid = link, link.name, link.world, link.uid

    def answer(self):
        if self.uid in self.world.gone:
            raise self.world.gone[self.uid]
        if self.name in self.world.silent:
            raise NoAnswer(f"GET at {self.name}: no answer", sent=True)

    def require_page(self):
        self.answer()

    def sign_in(self, credentials):
        if self.name in self.world.no_logins:
            raise UnexpectedAnswer("POST → 500", status=500)
        self.world.numbers += 1
        self.http.store.add(cookie := f"cookie-{self.world.numbers}")
        return Session(credentials.user, cookie)

    def whoami(self, session):
        self.answer()
        return "verify-1" if session.cookie in self.http.store else None

    def projects(self, name, credentials):
        return {name: Project(name, 7)}

    def keeps_unused_sessions_s(self, credentials):
        if self.world.keeps_unused_sessions_s is None:
            raise UnexpectedAnswer("GET → 403", status=403)
        return self.world.keeps_unused_sessions_s

    def knows_robot(self, robot_id, credentials):
        return robot_id in self.world.robots

    def may_add_values(self):
        return True

    def add_value(self, project, value, credentials):
        self.answer()
        self.world.values[value] = len(self.world.values)

    def values(self, project, mark, credentials):
        self.answer()
        return dict(self.world.read.get(self.name, self.world.values))

    def remove_value(self, value_id, credentials):
        self.world.removed.add(value_id)

    def tags(self, repository, credentials):
        return {digest: digest for digest in self.world.pushes if digest not in self.world.unlisted}


class FakeRegistry:
    """A registry that keeps images whole, in what its place shares with others or not."""

    def __init__(self, http):
        self.http, self.images = http, http.world.images[http.name]

    def push(self, image, repository, tag, *, there=()):
        if self.http.name in self.http.world.silent:
            raise NoAnswer("PUT: no answer", sent=True)
        if self.http.world.full or self.http.name in self.http.world.read_only:
            raise UnexpectedAnswer("PATCH → 500", status=500)
        self.images[image.digest] = image
        self.http.world.pushes.append(image.digest)
        self.http.world.takers.add(self.http.name)

    def begin_upload(self, repository):
        if self.http.name in self.http.world.read_only:
            raise UnexpectedAnswer("POST → 500", status=500)
        return "upload"

    def append(self, upload, content):
        return upload

    def cancel(self, upload):
        self.http.world.cancelled.add(self.http.name)

    def pull(self, repository, digest, *, has=b""):
        if digest not in self.images:
            raise UnexpectedAnswer("GET → 404", status=404)
        return self.images[digest]

    def manifest(self, repository, digest):
        return self.pull(repository, digest).manifest, digest


class World:
    """Three web and two registry replicas and a front door; `shared` or not. Its pod dies as `FakeKill` says.

    `registry_api`: which of the replicas docker clients speak to.
    """

    keeps_unused_sessions_s = None
    """None: not told to those who are no administrators."""

    def __init__(self, *, shared=True, registry_api=Role.REGISTRY):
        parts = dict.fromkeys(Role, SimpleNamespace(least=2))
        self.profile = SimpleNamespace(api=FakeHarbor, registry_api=registry_api, parts=parts)
        self.settings = SETTINGS
        self.values, self.removed, self.read, self.unlisted = {}, set(), {}, set()
        self.numbers, self.opened, self.closed, self.silent, self.full = 0, 0, 0, set(), False
        one = set()
        self.stores = {name: one if shared else set() for name in ("ui-0", "ui-1", "ui-2", "front-door")}
        self.pods = [
            SimpleNamespace(name=f"ui-{n}", uid=f"uid-{n}", ready=True, broken=False, state="Ready")
            for n in range(3)
        ]
        names = ("registry-0", "registry-1")
        self.registries = [SimpleNamespace(name=name, uid=name, ready=True) for name in names]
        images = {}
        self.images = dict.fromkeys([*names, *self.stores], images)
        self.pushes, self.takers, self.gone = [], set(), {}
        self.read_only, self.no_logins, self.cancelled = set(), set(), set()
        self.kept = ["a connection to the front door"]
        self.credentials, self.user = Credentials("admin", "x"), Credentials("verify-1", "y")
        self.robots, machine = {7}, Robot(7, Credentials("robot$m", "z"))
        self.machines = [machine]
        self.belongings = SimpleNamespace(
            machine=lambda project: machine.credentials,
            machine_robots=lambda: list(self.machines),
            forget_machine=self.machines.remove,
        )
        self.namespace, self.kubernetes, self.ledger = "harbor", None, MemoryLedger()

    def workload(self, role):
        return SimpleNamespace(
            short_name="ui", desired=3, label_selector="name=ui-apps", object="harbor/ui-rc"
        )

    def replicas(self, role):
        return list(self.pods if role is Role.WEB else self.registries)

    def registry_by(self, link, replica, credentials):
        return FakeRegistry(link)

    def front_registry(self, credentials, link):
        return FakeRegistry(link)

    def new_link(self, replica, *, name=None):
        self.opened += 1
        name = name or replica.name
        return FakeLink(name, self.stores.get(name), self, replica.uid)

    @property
    def front_door(self):
        return SimpleNamespace(close=self.kept.clear)

    def new_front_door_link(self, name):
        self.opened += 1
        return FakeLink(name, self.stores[name], self)


class FakeKill:
    """Tells the history what a real kill would. `during` is done while the pod is away."""

    world, during, heals, proves, responds = None, staticmethod(lambda: None), True, True, True
    expected_response = "somebody takes over"

    def __init__(self, kubernetes, recorder, ledger, **_):
        self.recorder = recorder

    def tell(self, name, uid, **value):
        self.recorder.event("ui", name, {"uid": uid, "pod": f"p-{uid}", "replica": "ui-0", **value})

    def __enter__(self):
        self.recorder.event("ui", "watch-started", {"desired": 1, "services": []})
        self.tell("pod-created", "uid-0")
        self.tell("pod-ready", "uid-0")
        # By these names they ask at work; what each replica was tried with before bears others (pull@registry-0).
        clients = {op.client for op in self.recorder.history().operations}
        self.clients = {name for name in clients if "@" not in name or name.endswith("@front-door")}
        self.clients -= {"large-push@front-door"}  # in turn with the small ones, at work
        self.recorder.event("pod-kill ui-0", "inject", {"workload": "ui", "uid": "uid-0", "pod": "p"})
        return self

    def prove(self):
        if not self.proves:
            raise DeadlinePassed("the pod is still there")
        self.tell("pod-deleted", "uid-0")
        self.tell("pod-created", "uid-9")
        self.recorder.event("pod-kill ui-0", "proven")
        self.during()
        self.let_all_ask()

    def let_all_ask(self):
        """On a busy machine, threads that were to ask meanwhile may not have had a turn yet."""
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            history = self.recorder.history()
            (injected,) = (event.at_ns for event in history.events if event.name == "inject")
            if self.clients <= {op.client for op in history.operations if op.invoked_ns > injected}:
                return
            time.sleep(0.01)

    def await_response(self):
        name = "responded" if self.responds else "not-responded"
        told = {"expected": self.expected_response, "observed": "nobody did"}
        self.recorder.event("pod-kill ui-0", name, told)

    def __exit__(self, kind, *_):
        self.world.at_work_takers = set(self.world.takers)
        if not self.heals:
            told = {"observed": "not Ready", "late": self.heals is False}
            self.recorder.event("pod-kill ui-0", "not-healed", told)
            raise HealFailed("pod-kill ui-0 is not healed: not Ready")
        self.tell("pod-ready", "uid-9")
        self.recorder.event("pod-kill ui-0", "healed")
        self.world.pods = [*self.world.pods[1:], SimpleNamespace(name="ui-2", uid="uid-9", ready=True)]

    name = "pod-kill ui-0"

    @property
    def names(self):
        return {"uid-1": "ui-1", "uid-2": "ui-2", "uid-9": "ui-0"}
