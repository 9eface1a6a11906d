"""Layouts of the lab: found by themselves, rendered whole, and judged by checks that there are."""

import pytest

from docs.catalogue import checks_of_suites
from lab import layouts, profiles, settings
from lab.deployment.manifests.objects import WORKLOADS, find, of_kind, pod_of, read, sources_of
from lab.errors import UnknownLayout

CHECKS = {check.id: check for check in checks_of_suites()}
EVERY = [
    pytest.param(profile, name, id=f"{profile.name} {name}")
    for profile in profiles.ALL.values()
    for name in layouts.every(profile)
]


def rendered(profile, name):
    objects = read(profile.manifests, namespace=profile.namespace)
    for secret in of_kind(objects, "Secret"):  # as filling in leaves them
        secret["data"] = secret.pop("stringData", {})
    layouts.find(profile, name).change(objects)
    return objects


@pytest.fixture(autouse=True)
def state(tmp_path, monkeypatch):
    monkeypatch.setattr(settings, "STATE", tmp_path)


@pytest.mark.parametrize("profile, name", EVERY)
def test_a_layout_says_what_it_is_and_what_the_suite_must_say(profile, name):
    layout = layouts.find(profile, name)
    assert layout.about
    assert "\n" not in layout.about
    for ids in (layout.turns_red, layout.not_applicable, layout.applicable):
        assert ids <= CHECKS.keys()
    assert not layout.turns_red & layout.not_applicable


@pytest.mark.parametrize("profile, name", EVERY)
def test_a_layout_is_rendered_whole_and_the_same_each_time(profile, name):
    objects = rendered(profile, name)
    for workload in of_kind(objects, *WORKLOADS):
        for kind, source in sources_of(workload["spec"]["template"]["spec"]):
            find(objects, kind, source)
    assert objects == rendered(profile, name)
    names = [(each["kind"], each["metadata"].get("namespace"), each["metadata"]["name"]) for each in objects]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("name", sorted(layouts.every(profiles.HARBOR_2).keys() - {layouts.REFERENCE}))
def test_a_layout_differs_from_the_reference(name):
    differs = rendered(profiles.HARBOR_2, name) != rendered(profiles.HARBOR_2, layouts.REFERENCE)
    assert differs or layouts.find(profiles.HARBOR_2, name).session_store


def test_a_change_is_made_to_the_chosen_layout():
    layouts.choose(profiles.HARBOR_2, "sidecars")
    containers = []

    def note(objects):
        containers.extend(each["name"] for each in pod_of(objects, "harbor-core")["containers"])

    layouts.with_change(profiles.HARBOR_2, note)(
        read(profiles.HARBOR_2.manifests, namespace=profiles.HARBOR_2.namespace)
    )
    assert containers == ["mesh-proxy", "core"]


def test_the_reference_is_what_nobody_has_chosen_otherwise():
    assert layouts.chosen(profiles.HARBOR_2) == layouts.REFERENCE
    layouts.choose(profiles.HARBOR_2, "sidecars")
    assert layouts.of(profiles.HARBOR_2) is layouts.find(profiles.HARBOR_2, "sidecars")
    with pytest.raises(UnknownLayout, match="Did you mean sidecars"):
        layouts.choose(profiles.HARBOR_2, "sidecar")
    assert layouts.chosen(profiles.HARBOR_2) == "sidecars"
