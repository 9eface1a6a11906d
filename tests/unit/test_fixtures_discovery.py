"""Which generation of Harbor is in a namespace: as it is recognised, and as --profile says."""

import pytest
from kubernetes import client

from harbor_verify.errors import SettingsError, TargetUnreachable
from harbor_verify.model.discovery import discover
from harbor_verify.model.roles import Role
from harbor_verify.profiles import harbor_1_2, harbor_2
from tests.unit.test_fixtures_model import REGISTRY, UI, FakeKubernetes, Listed, controller, template

OLDER = (UI, REGISTRY)
ROLES = {
    Role.FRONT_DOOR: "harbor-nginx",
    Role.WEB: "harbor-core",
    Role.REGISTRY: "harbor-registry",
    Role.JOB: "harbor-jobservice",
    Role.PAGE: "harbor-portal",
}


class Cluster(FakeKubernetes):
    """Of ReplicationControllers and Deployments."""

    def __init__(self, controllers=(), deployments=()):
        super().__init__(controllers)
        self._deployments = deployments

    def list_namespaced_deployment(self, namespace):
        return Listed(self._deployments)

    def list_namespaced_stateful_set(self, namespace):
        return Listed()


def deployment(component, *images, labels=True, replicas=3):
    selector = {"release": "harbor", "app": "harbor", "component": component}
    made = template(images[0], selector if labels else {"app": component})
    made.spec.containers = [client.V1Container(name=f"c{n}", image=image) for n, image in enumerate(images)]
    return client.V1Deployment(
        metadata=client.V1ObjectMeta(name=f"harbor-{component}"),
        spec=client.V1DeploymentSpec(
            replicas=replicas, selector=client.V1LabelSelector(match_labels=selector), template=made
        ),
    )


def newer(*, labels=True, images=True):
    """As the chart lays it out; known by its labels or by its images only, or by both."""
    names = {
        "core": ["harbor-core"],
        "portal": ["harbor-portal"],
        "jobservice": ["harbor-jobservice"],
        "registry": ["registry-photon", "harbor-registryctl"],
        "nginx": ["nginx-photon"],
        "exporter": ["harbor-exporter"],
    }
    return [
        deployment(
            component,
            *(
                f"mirror:5000/goharbor/{name}:v2.12.4" if images else f"mirror/x{n}:1"
                for n, name in enumerate(each)
            ),
            labels=labels,
        )
        for component, each in names.items()
    ]


@pytest.mark.parametrize("how", [{}, {"labels": False}, {"images": False}])
def test_a_harbor_of_deployments_is_known_by_labels_or_by_images(how):
    found = discover(Cluster(deployments=newer(**how)), "harbor-2")
    assert found.profile is harbor_2.PROFILE
    assert {role: workload.name for role, workload in found.workloads.items()} == ROLES
    web = found.workload(Role.WEB)
    assert (web.kind, web.desired, web.port) == ("Deployment", 3, 8080)
    assert web.label_selector == "app=harbor,component=core,release=harbor"


def test_how_many_are_asked_for_is_read_when_it_is_asked():
    """An autoscaler changes it at any time: what was read at the start is no measure later."""
    made = newer()
    found = discover(Cluster(deployments=made), "harbor-2")
    made[0].spec.replicas = 2
    assert found.workload(Role.WEB).desired == found.workloads[Role.WEB].desired == 2
    assert found.workloads[Role.PAGE].desired == 3
    made.pop(0)  # What is gone meanwhile is missed as it was found.
    assert found.workload(Role.WEB).desired == 3


@pytest.mark.parametrize(
    "declared, port, tls",
    [([], 8080, False), ([8080], 8080, False), ([8443, 8001], 8443, True), ([8080, 8443], 8080, False)],
)
def test_a_workload_that_declares_only_its_port_for_tls_is_spoken_to_there(declared, port, tls):
    made = newer()
    made[0].spec.template.spec.containers[0].ports = [client.V1ContainerPort(each) for each in declared]
    web = discover(Cluster(deployments=made), "harbor-2").workload(Role.WEB)
    assert (web.port, web.tls) == (port, tls)


def test_labels_of_the_newer_kind_are_enough():
    made = newer(images=False)
    for each in made:
        labels = each.spec.template.metadata.labels
        labels["app.kubernetes.io/component"] = labels.pop("component")
    assert set(discover(Cluster(deployments=made), "harbor-2").workloads) == set(ROLES)


def test_each_generation_is_recognised_by_itself():
    assert discover(Cluster(OLDER), "harbor").profile is harbor_1_2.PROFILE
    assert discover(Cluster(deployments=newer()), "harbor").profile is harbor_2.PROFILE


def test_two_harbors_in_one_namespace_are_told_once_with_the_way_out():
    both = Cluster(OLDER, newer())
    with pytest.raises(TargetUnreachable, match="more than one Harbor") as told:
        discover(both, "harbor")
    message = str(told.value)
    assert "namespace harbor at https://fake" in message
    assert "ReplicationController harbor/ui-rc" in message
    assert "Deployment harbor/harbor-core" in message
    assert message.endswith("Say which: --profile NAME")


@pytest.mark.parametrize(
    "wanted, kind, web",
    [("harbor-1.2", "ReplicationController", "ui-rc"), ("harbor-2", "Deployment", "harbor-core")],
)
def test_the_profile_that_is_asked_for_is_found_with_nothing_of_the_other(wanted, kind, web):
    older = [
        *OLDER,
        controller("jobservice-rc", "vmware/harbor-jobservice:v1.2.0", {"name": "jobservice-apps"}),
        controller("nginx-rc", "vmware/nginx-photon:1.11.13", {"name": "nginx-apps"}),
        controller("registry-2-rc", "vmware/registry-photon:2.6.2", {"name": "another"}),
    ]
    found = discover(Cluster(older, newer()), "harbor", wanted)
    assert found.profile.name == wanted
    assert found.workload(Role.WEB).name == web
    assert {workload.kind for workload in found.workloads.values()} == {kind}


def test_of_the_profile_that_is_asked_for_it_is_told_what_is_not_there():
    with pytest.raises(
        TargetUnreachable, match=r"of harbor-2 there is no registry and no web workload"
    ) as told:
        discover(Cluster(OLDER), "harbor", "harbor-2")
    assert "it holds ReplicationController ui-rc" in str(told.value)
    with pytest.raises(TargetUnreachable, match=r"of harbor-1\.2 there is .*, of harbor-2 there is "):
        discover(Cluster(), "harbor")


@pytest.mark.parametrize("name, nearest", [("harbor-1", "harbor-1.2"), ("2", "harbor-2"), ("zzz", "harbor")])
def test_a_profile_that_nobody_knows_is_a_setting_that_is_wrong(name, nearest):
    with pytest.raises(
        SettingsError, match=rf"--profile {name}: there is no such profile; did you mean {nearest}"
    ):
        discover(Cluster(OLDER), "harbor", name)


def of_release(name, made):
    for each in made:
        each.metadata.name = f"{name}-{each.metadata.name}"
        each.spec.selector.match_labels["release"] = name
    return made


def two():
    """Two releases side by side; the parts of one come between those of the other."""
    first, second = of_release("a", newer()), of_release("b", newer())
    return [each for pair in zip(second, first, strict=True) for each in pair]


def test_of_two_releases_the_one_that_is_named_is_taken_with_all_its_parts():
    found = discover(Cluster(deployments=two()), "harbor", release="b")
    assert {workload.name for workload in found.workloads.values()} == {
        f"b-{name}" for name in ROLES.values()
    }


def test_two_releases_of_which_none_is_named_are_told_apart():
    with pytest.raises(TargetUnreachable, match="more than one Harbor") as told:
        discover(Cluster(deployments=two()), "harbor")
    assert "release a (" in str(told.value)
    assert str(told.value).endswith("Say which: --release NAME")


def test_a_release_that_is_not_there_is_told():
    with pytest.raises(TargetUnreachable, match="no Harbor of release c"):
        discover(Cluster(deployments=two()), "harbor", release="c")


def test_a_harbor_whose_parts_bear_other_releases_is_still_one():
    made = newer()
    for number, each in enumerate(made):
        each.spec.selector.match_labels["release"] = f"r{number}"
    assert discover(Cluster(deployments=made), "harbor").workload(Role.WEB).name == "harbor-core"


@pytest.mark.parametrize("labels", [{"app": "audit"}, {}])
def test_somebody_elses_workload_that_is_called_a_core_is_not_harbors(labels):
    foreign = deployment("core", "example.com/audit:1")
    foreign.metadata.name = "audit-collector"
    foreign.spec.template.metadata.labels = {"component": "core", **labels}
    foreign.spec.selector.match_labels = {"component": "core", **labels}
    found = discover(Cluster(deployments=[foreign, *newer()]), "harbor")
    assert found.workload(Role.WEB).name == "harbor-core"


class Services(Cluster):
    """With Services beside."""

    def __init__(self, *services, deployments):
        super().__init__(deployments=deployments)
        self._services = services

    def list_namespaced_service(self, namespace):
        return Listed(self._services)


def service(name, **selector):
    return client.V1Service(
        metadata=client.V1ObjectMeta(name=name), spec=client.V1ServiceSpec(selector=selector or None)
    )


def names_of(cluster, role):
    deployment = discover(cluster, "harbor")
    return [each.metadata.name for each in deployment.services_of(deployment.workload(role))]


def test_a_service_over_pods_of_all_parts_is_nobodys_own():
    own = service("harbor-core", app="harbor", component="core")
    everybody = service("metrics", app="harbor")
    cluster = Services(own, everybody, service("outside"), deployments=newer())
    assert names_of(cluster, Role.WEB) == ["harbor-core"]


def test_a_service_that_chooses_too_much_is_judged_where_there_is_no_other():
    cluster = Services(service("harbor-core", app="harbor"), deployments=newer())
    assert names_of(cluster, Role.WEB) == ["harbor-core"]
