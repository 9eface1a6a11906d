"""Which connections are known to be kept, by what a Harbor has."""

from types import SimpleNamespace

import pytest

from harbor_verify import kept_connections as module
from harbor_verify.checkers.hung_connections import KeptToHung
from harbor_verify.errors import CannotTell
from harbor_verify.kept_connections import kept_connections, kept_to_hung
from harbor_verify.model.roles import Role

BOTH = (Role.FRONT_DOOR, Role.REGISTRY)


def target(*roles, registry_api=Role.WEB):
    workloads = {role: SimpleNamespace(short_name=f"harbor-{role}") for role in roles}
    return SimpleNamespace(
        deployment=SimpleNamespace(workloads=workloads),
        workload=workloads.get,
        profile=SimpleNamespace(registry_api=registry_api),
    )


@pytest.fixture
def ends(monkeypatch):
    """Says how the registry ends: in good order, not so, or raises."""

    def say(answer):
        def answered(target):
            if isinstance(answer, Exception):
                raise answer
            return answer

        monkeypatch.setattr(module, "ends_in_good_order", answered)

    return say


def names(target):
    return [kept.workload for kept in kept_connections(target)]


def test_clients_keep_some_to_the_front_door_and_who_passes_pushes_on_to_the_registry(ends):
    ends(True)
    assert names(target(*BOTH)) == [f"harbor-{role}" for role in BOTH]
    assert names(target(Role.REGISTRY)) == [f"harbor-{Role.REGISTRY}"], "behind somebody else's Ingress"


def test_a_registry_that_docker_clients_speak_to_is_passed_nothing(ends):
    ends(True)
    assert names(target(*BOTH, registry_api=Role.REGISTRY)) == [f"harbor-{Role.FRONT_DOOR}"]


@pytest.mark.parametrize("answer", [False, CannotTell("no ConfigMap")])
def test_a_registry_that_is_not_known_to_end_in_good_order_excuses_nothing(ends, answer):
    ends(answer)
    assert names(target(*BOTH)) == [f"harbor-{Role.FRONT_DOOR}"]


def test_who_passes_on_keeps_some_to_a_registry_that_hangs_and_clients_that_speak_to_it_do_not():
    (kept,) = kept_to_hung(target(*BOTH), ["core-0", "core-1"])
    assert kept == KeptToHung(f"harbor-{Role.REGISTRY}", 2)
    assert kept_to_hung(target(*BOTH, registry_api=Role.REGISTRY), []) == []
