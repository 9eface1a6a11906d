"""The ways to the registry that docker clients have."""

from dataclasses import dataclass
from types import SimpleNamespace

import pytest

from harbor_verify.doors import behind, open_doors, open_front_replicas
from harbor_verify.model.roles import Role
from harbor_verify.verdict import Failure, Offender


def target(closed, replicas=("core-0", "core-1")):
    def registry_api_replicas():
        if not replicas:
            raise Failure([Offender("Deployment h/r", "2 replicas", "no pod")])
        return [SimpleNamespace(name=name, object=f"pod h/{name}") for name in replicas]

    return SimpleNamespace(
        access=SimpleNamespace(url="https://h"),
        new_front_door_link=lambda: SimpleNamespace(close=lambda: closed.append("link")),
        front_registry_for_all=lambda link: "front",
        registry=lambda replica: f"registry of {replica.name}",
        registry_api_replicas=registry_api_replicas,
    )


def test_the_front_door_is_first_and_its_link_is_closed_in_the_end():
    closed = []
    with open_doors(target(closed)) as doors:
        assert [(door.object, door.registry) for door in doors] == [
            ("front door https://h", "front"),
            ("pod h/core-0", "registry of core-0"),
            ("pod h/core-1", "registry of core-1"),
        ]
        assert [door.name for door in behind(doors)] == ["core-0", "core-1"]
        assert closed == []
    assert closed == ["link"]


def test_no_replica_is_harbors_fault_and_leaves_no_link():
    closed = []
    with pytest.raises(Failure), open_doors(target(closed, ())):
        pass
    assert closed == ["link"]


@dataclass(frozen=True)
class Workload:
    port: int = 8080
    tls: bool = False


@dataclass(frozen=True)
class Proxy:
    name: str
    ready: bool = True
    ports: tuple = (8080,)
    workload: Workload = Workload()

    @property
    def object(self):
        return f"pod h/{self.name}"

    @property
    def container(self):
        return SimpleNamespace(ports=[SimpleNamespace(container_port=port) for port in self.ports])


class FrontDoor:
    """A front door by that URL, of these replicas; each link is (name, port, TLS)."""

    def __init__(self, url, *replicas, redirects=False):
        self.url, self._replicas, self._redirects, self.closed = url, list(replicas), redirects, []
        self.deployment = SimpleNamespace(workloads={Role.FRONT_DOOR: None} if replicas else {})
        self.profile = SimpleNamespace(parts={Role.FRONT_DOOR: SimpleNamespace(tls_port=8443)})

    def replicas(self, role):
        return self._replicas

    def new_link(self, replica):
        return SimpleNamespace(
            told=(replica.name, replica.workload.port, replica.workload.tls),
            get=lambda path: SimpleNamespace(is_redirect=self._redirects),
            close=lambda: self.closed.append(replica.name),
        )

    def front_registry_for_all(self, link):
        return link.told


@pytest.mark.parametrize(
    "front, found",
    [
        (FrontDoor("https://h"), []),
        (FrontDoor("http://h", Proxy("n-0", ports=(8080, 8443))), [("n-0", 8080, False)]),
        (FrontDoor("https://h", Proxy("n-0", ports=(8080, 8443))), [("n-0", 8443, True)]),
        (FrontDoor("https://h", Proxy("n-0"), Proxy("n-1", ready=False)), [("n-0", 8080, False)]),
        (FrontDoor("https://h", Proxy("n-0"), redirects=True), []),
    ],
)
def test_each_ready_replica_of_the_front_door_is_a_way_of_its_own_by_the_port_that_clients_come_to(
    front, found
):
    with open_front_replicas(front) as doors:
        assert [door.registry for door in doors] == found
        assert [door.object for door in doors] == [f"pod h/{name}" for name, *_ in found]
    assert len(front.closed) == sum(replica.ready for replica in front.replicas(Role.FRONT_DOOR))
