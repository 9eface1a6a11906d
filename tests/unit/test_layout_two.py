"""Layout two: another release beside the one that is judged, which shares nothing with it that would hide a mistake."""

import pytest
import yaml

from harbor_verify.errors import TargetUnreachable
from harbor_verify.model.discovery import discover
from lab import settings
from lab.deployment.manifests.objects import find, read, sources_of
from lab.layouts.harbor_2 import two
from lab.profiles import HARBOR_2
from tests.unit.small_cluster import small_cluster


@pytest.fixture
def objects(tmp_path, monkeypatch):
    monkeypatch.setattr(settings, "STATE", tmp_path)
    objects = read(HARBOR_2.manifests, namespace=HARBOR_2.namespace)
    two.LAYOUT.change(objects)
    return objects


def test_the_suite_asks_which_one_unless_it_is_told(objects):
    with small_cluster(yaml.safe_dump_all(objects, default_flow_style=False)) as kubernetes:
        with pytest.raises(TargetUnreachable, match=r"release harbor .*release second .*--release NAME"):
            discover(kubernetes, HARBOR_2.namespace)
        found = discover(kubernetes, HARBOR_2.namespace, release=two.LAYOUT.settings()["release"])
        assert {workload.name.partition("-")[0] for workload in found.workloads.values()} == {"harbor"}
        other = discover(kubernetes, HARBOR_2.namespace, release=two.RELEASE)
        assert {workload.desired for workload in other.workloads.values()} == {1}


def test_the_second_has_its_own_names_secrets_and_databases(objects):
    for part in ("core", "jobservice", "portal", "registry"):
        workload = find(objects, "Deployment", f"second-{part}")
        for kind, name in sources_of(workload["spec"]["template"]["spec"]):
            assert name.startswith("second-"), (kind, name)
            find(objects, kind, name)
    first, second = (find(objects, "ConfigMap", f"{name}-core")["data"] for name in ("harbor", "second"))
    shared = {
        "POSTGRESQL_DATABASE",
        "_REDIS_URL_CORE",
        "_REDIS_URL_REG",
        "CORE_URL",
        "REGISTRY_URL",
        "PORTAL_URL",
    }
    assert {key for key in shared if first[key] == second[key]} == set()
    assert "harbor-" not in yaml.safe_dump(second)
