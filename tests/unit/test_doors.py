"""The ways to the registry that docker clients have."""

from types import SimpleNamespace

import pytest

from harbor_verify.doors import behind, open_doors
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
