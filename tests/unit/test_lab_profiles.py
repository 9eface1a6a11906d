"""Which generations of Harbor the lab knows, and that they do not get into each other's way."""

import pytest

from lab import profiles, settings
from lab.deployment.manifests.objects import NOT_NAMESPACED, of_kind, read
from lab.errors import UnknownProfile


def test_a_profile_is_found_by_its_name_and_one_is_the_default():
    assert profiles.find() is profiles.ALL[profiles.DEFAULT]
    assert profiles.find("harbor-2").namespace == "harbor-2"
    with pytest.raises(UnknownProfile, match=r"harbor-3; there are harbor-1\.2, harbor-2"):
        profiles.find("harbor-3")
    assert profiles.chosen(profiles.EVERY) == tuple(profiles.ALL.values())
    assert profiles.chosen() == (profiles.find(),)


def test_only_what_was_begun_counts_as_deployed(tmp_path, monkeypatch):
    monkeypatch.setattr(settings, "STATE", tmp_path)
    assert profiles.deployed() == ()
    profiles.HARBOR_2.folder.mkdir()
    assert profiles.deployed() == (profiles.HARBOR_2,)


def test_profiles_share_no_namespace_front_door_folder_or_cluster_wide_name():
    every = profiles.ALL.values()
    for what in ("namespace", "node_port", "folder", "url", "manifests", "package"):
        assert len({getattr(profile, what) for profile in every}) == len(every)
    names = [
        (each["kind"], each["metadata"]["name"])
        for profile in every
        for each in of_kind(read(profile.manifests), *NOT_NAMESPACED)
    ]
    assert len(set(names)) == len(names)
    folders = [
        each["spec"]["cephfs"]["path"]
        for profile in every
        for each in of_kind(read(profile.manifests), "PersistentVolume")
    ]
    assert len(set(folders)) == len(folders)


@pytest.mark.parametrize("profile", profiles.ALL.values(), ids=lambda profile: profile.name)
def test_namespace_and_node_port_are_those_of_the_manifests(profile):
    found = read(profile.manifests)
    (namespace,) = of_kind(found, "Namespace")
    assert namespace["metadata"]["name"] == profile.namespace
    ports = [
        port["nodePort"]
        for service in of_kind(found, "Service")
        for port in service["spec"]["ports"]
        if "nodePort" in port
    ]
    assert ports == [profile.node_port]
