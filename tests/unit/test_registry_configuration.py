"""What is declared for the registry's replicas, and whether they end in good order by it."""

from types import SimpleNamespace

import pytest

from harbor_verify.errors import CannotTell
from harbor_verify.registry_configuration import declared, ends_in_good_order
from tests.unit.test_model_registry import container, pod

CONFIG = "version: 0.1\nstorage: {filesystem: {}}\nhttp: {draintimeout: 60s}\n"


def registry(texts, **environment):
    """A target whose registry has a replica for each text."""

    def replica(number):
        spec = pod()
        spec.volumes[2].config_map.name = f"cm-{number}"
        mounted = container(("config", "/etc/registry"))
        return SimpleNamespace(
            pod=SimpleNamespace(spec=spec), container=mounted, object=f"pod registry-{number}"
        )

    data = {f"cm-{number}": {"config": text} for number, text in enumerate(texts)}
    deployment = SimpleNamespace(
        config_map=data.get, secret=lambda name: None, environment=lambda replica: environment
    )
    replicas = [replica(number) for number in range(len(texts))]
    return SimpleNamespace(deployment=deployment, replicas=lambda role: replicas)


def test_the_registrys_configuration_is_found_among_what_a_replica_is_given():
    target = registry([CONFIG])
    assert declared(target, target.replicas(None)[0]) == CONFIG


def test_a_replica_without_one_says_nothing():
    with pytest.raises(CannotTell, match="mounted in pod registry-0"):
        ends_in_good_order(registry(["server {}"]))


def test_only_where_every_replica_drains_the_registry_ends_in_good_order():
    hasty = CONFIG.replace("60s", "0s")
    assert ends_in_good_order(registry([CONFIG, CONFIG])) is True
    assert ends_in_good_order(registry([CONFIG, hasty])) is False
    assert ends_in_good_order(registry([hasty], REGISTRY_HTTP_DRAINTIMEOUT="60s")) is True
