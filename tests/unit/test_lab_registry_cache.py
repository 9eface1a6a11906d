"""With another storage the registry's descriptors are emptied, and with the same one they stay."""

import pytest

from lab import profiles, settings
from lab.defects.harbor_2 import registry_outside_the_volume
from lab.deployment import registry_cache, rollout
from lab.deployment.manifests import objects
from lab.deployment.manifests.objects import change_text, find
from lab.layouts.harbor_2 import object_store


@pytest.fixture
def emptied(monkeypatch, tmp_path):
    """`emptied(change)`: the databases that are emptied when Harbor is deployed with that change."""
    monkeypatch.setattr(settings, "STATE", tmp_path)
    found, profile = [], profiles.HARBOR_2
    profile.folder.mkdir(parents=True)
    monkeypatch.setattr(registry_cache, "empty", found.append)

    def deploy(change=lambda manifests: None):
        manifests = objects.read(profile.manifests)
        change_text(
            find(manifests, "ConfigMap", "harbor-registry"),
            "config.yml",
            "192.0.2.30",
            settings.LOAD_BALANCER,
        )
        change(manifests)
        monkeypatch.setattr(rollout, "rendered", lambda folder: manifests)
        found.clear()
        registry_cache.follow(profile)
        return list(found)

    return deploy


def test_they_are_emptied_when_images_are_elsewhere_and_only_then(emptied):
    assert emptied() == ["2"]  # nobody knows what was before
    assert emptied() == []
    assert emptied(object_store.LAYOUT.change) == ["2"]
    assert emptied(object_store.LAYOUT.change) == []
    assert emptied() == ["2"]
    assert emptied(registry_outside_the_volume.DEFECT.change) == ["2"]
    assert emptied() == ["2"]


def test_a_redis_of_its_own_is_left_alone(emptied):
    def use_own(manifests):
        registry = find(manifests, "ConfigMap", "harbor-registry")
        change_text(registry, "config.yml", settings.LOAD_BALANCER, "harbor-redis")

    assert emptied(use_own) == []


def test_where_nothing_was_rendered_nothing_is_done(monkeypatch, tmp_path):
    monkeypatch.setattr(settings, "STATE", tmp_path)
    registry_cache.follow(profiles.HARBOR_2)
    registry_cache.follow(profiles.HARBOR_1_2)
