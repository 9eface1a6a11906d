"""What the settings of whole deployments say, and small objects beside them that once broke something."""

import base64

import pytest
import yaml

from harbor_verify.errors import TargetUnreachable
from harbor_verify.model.discovery import discover
from harbor_verify.model.roles import Role
from suites.configuration import test_replicas, test_services
from tests.unit import deployments
from tests.unit.running import examine, not_applicable
from tests.unit.small_cluster import NAMESPACE, small_cluster
from tests.unit.whole_harbors import harbor_of, verdicts_on


def test_the_settings_of_stores_are_read_as_core_reads_them():
    with harbor_of(deployments.text_of("12-sentinel")) as (harbor, _):
        store = harbor.session_store()
    assert (store.password, store.primary, len(store.sentinels)) == ("p@ss/w:rd", "mymaster", 3)
    with harbor_of(deployments.text_of("13-redis-tls-acl")) as (harbor, _):
        store = harbor.session_store()
    assert (store.user, store.password, store.tls, store.address) == (
        "harbor",
        "rpw",
        True,
        "redis.example.com:6380",
    )
    with harbor_of(deployments.text_of("14-pg-verify-full")) as (harbor, _):
        assert harbor.database().tls == "verify-full"
    # Kubernetes puts the variable into the URL.
    with harbor_of(deployments.text_of("25-redis-url-by-variable")) as (harbor, _):
        assert harbor.session_store().password == "hush"
    with harbor_of(deployments.text_of("22-ipv6")) as (harbor, _):
        assert harbor.database().address == "[fd00:10::54]:5432"
        assert harbor.session_store().address == "[fd00:10::53]:6379"
        assert harbor.database_address() == "[fd00:10::54]:5432"
    # The password is in a Secret that somebody else made.
    with harbor_of(deployments.text_of("08-s3-no-pvc")) as (harbor, _):
        assert (harbor.database().password, harbor.session_store().tls) == ("pgpw", True)
    with harbor_of(deployments.text_of("b2-bitnami-ha")) as (harbor, _):
        assert harbor.session_store().address == "harbor-redis-master:6379"


def test_behind_the_proxy_of_a_mesh_the_container_is_found_that_plays_the_part():
    with harbor_of(deployments.text_of("21-sidecars")) as (harbor, _):
        names = {role: harbor.replicas(role)[0].container.name for role in harbor.deployment.workloads}
    assert names == {
        Role.WEB: "core",
        Role.REGISTRY: "registry",
        Role.JOB: "jobservice",
        Role.PAGE: "portal",
    }


@pytest.mark.parametrize("name", ["15-internaltls-auto", "16-internaltls-secret"])
def test_with_tls_between_them_parts_are_spoken_to_where_that_is(name):
    with harbor_of(deployments.text_of(name)) as (harbor, _):
        ports = {role: (each.port, each.tls) for role, each in harbor.deployment.workloads.items()}
    # The proxy of its own speaks both.
    assert ports.pop(Role.FRONT_DOOR, (8080, False)) == (8080, False)
    assert set(ports.values()) == {(8443, True), (5443, True)}


def test_two_releases_in_a_namespace_are_told_apart_and_never_mixed():
    both = "---\n".join(
        deployments.of_release(name, release)
        for name, release in (("01-defaults", "a"), ("06-clusterip", "b"))
    )
    with small_cluster(both) as kubernetes:
        with pytest.raises(
            TargetUnreachable, match=r"more than one Harbor: release a .*release b .*--release NAME"
        ):
            discover(kubernetes, NAMESPACE)
    with harbor_of(both, release="a") as (harbor, _):
        assert {each.name.partition("-")[0] for each in harbor.deployment.workloads.values()} == {"a"}
        assert Role.FRONT_DOOR not in harbor.deployment.workloads
        assert harbor.database().host == "a-harbor-database"
        assert {volume.claim_name for volume in harbor.deployment.volumes()} == {
            "a-harbor-jobservice",
            "a-harbor-registry",
        }
    with harbor_of(both, release="b") as (harbor, _):
        assert {each.name.partition("-")[0] for each in harbor.deployment.workloads.values()} == {"b"}


def beside(name, text):
    return harbor_of(f"{deployments.text_of(name)}---{text}")


def test_somebody_elses_workload_that_is_labelled_core_is_not_harbors():
    with beside(
        "23-internal-stores-ha-looking",
        """
kind: Deployment
metadata: {name: audit-collector}
spec:
  template:
    metadata: {labels: {app: audit, component: core}}
    spec: {containers: [{name: main, image: audit.example/collector:1, ports: [{containerPort: 9000}]}]}
""",
    ) as (harbor, _):
        assert harbor.workload(Role.WEB).name == "harbor-core"
        assert len(harbor.replicas(Role.WEB)) == 2


def test_a_service_over_the_pods_of_all_parts_is_behind_none_of_them():
    with beside(
        "23-internal-stores-ha-looking",
        """
kind: Service
metadata: {name: harbor-all-metrics}
spec: {clusterIP: None, selector: {app: harbor, release: harbor}, ports: [{name: metrics, port: 8001}]}
""",
    ) as (harbor, _):
        check = test_services.test_a_service_leads_to_every_ready_replica_and_to_nothing_else
        examine(check, harbor=harbor, settings=harbor.settings)


def test_a_node_that_has_just_joined_is_not_ready_and_breaks_nothing():
    nodes = "".join(
        f"""
kind: Node
metadata: {{name: node-{number}}}
spec: {{}}
status: {{conditions: [{{type: Ready, status: "True"}}]}}
---"""
        for number in (1, 2, 3)
    )
    joined = f"{nodes}\nkind: Node\nmetadata: {{name: just-joined}}\nspec: {{}}\nstatus: {{}}\n"
    with beside("23-internal-stores-ha-looking", joined) as (harbor, _):
        assert [node.metadata.name for node in harbor.deployment.nodes()] == ["node-1", "node-2", "node-3"]
        check = test_replicas.test_the_replicas_of_a_part_are_on_several_nodes
        examine(check, harbor=harbor, not_applicable=not_applicable)


def test_a_service_without_a_selector_leads_to_the_port_of_its_endpoints():
    """So a database outside is given a name in the cluster; the Service's own port may be another."""
    service = """
kind: ConfigMap
metadata: {name: harbor-core}
data: {POSTGRESQL_HOST: pg, POSTGRESQL_PORT: "5432", POSTGRESQL_USERNAME: harbor, POSTGRESQL_DATABASE: registry}
---
kind: Service
metadata: {name: pg}
spec: {ports: [{port: 5432, targetPort: 6432}]}
---
kind: EndpointSlice
metadata: {name: pg-1, labels: {kubernetes.io/service-name: pg}}
addressType: IPv4
ports: [{port: 6432}]
endpoints: [{addresses: [192.0.2.50], conditions: {}}]
"""
    with beside("01-defaults", service) as (harbor, facts):
        assert harbor.database_address() == "192.0.2.50:6432"
        assert facts.database.value == "outside"


def test_a_configuration_that_is_there_as_binary_data_is_read_as_the_kubelet_mounts_it():
    """So the operator of Harbor writes it."""
    text = base64.b64encode(
        b"version: 0.1\nstorage: {s3: {bucket: b}}\nauth: {htpasswd: {realm: r}}\n"
    ).decode()
    config_map = f"""
kind: ConfigMap
metadata: {{name: harbor-registry}}
binaryData: {{config.yml: {text}}}
"""
    with beside("08-s3-no-pvc", config_map) as (harbor, facts):
        assert facts.images.value == "object store"
        found = verdicts_on(harbor, facts)
    assert not found.red


@pytest.mark.parametrize(
    "volume, red",
    [
        ("nfs: {server: nfs.example, path: /images}", False),
        ("cephfs: {monitors: [mon.example], path: /images}", False),
        # Each node has another one.
        ("hostPath: {path: /var/images}", True),
        ("emptyDir: {}", True),
    ],
)
def test_images_on_a_volume_without_a_claim_are_well_where_all_nodes_share_it(volume, red):
    objects = [each for each in yaml.safe_load_all(deployments.text_of("24-no-persistence")) if each]
    for each in objects:
        if each["kind"] == "Deployment" and each["metadata"]["name"] == "harbor-registry":
            (data,) = [v for v in each["spec"]["template"]["spec"]["volumes"] if v["name"] == "registry-data"]
            data.pop("emptyDir")
            data.update(yaml.safe_load(volume))
    with harbor_of(yaml.safe_dump_all(objects)) as (harbor, facts):
        found = verdicts_on(harbor, facts)
    assert ("configuration.registry-root-inside-volume" in found.red) is red
    # And no check stumbles over a Harbor without claims.
    assert not found.unknown


def test_a_registry_whose_pods_have_a_claim_each_shares_nothing():
    """volumeClaimTemplates: no image that one has is known to another."""
    objects = [each for each in yaml.safe_load_all(deployments.text_of("10-gcs")) if each]
    for each in objects:
        if each["kind"] == "Deployment" and each["metadata"]["name"] == "harbor-registry":
            each["kind"] = "StatefulSet"
            spec = each["spec"]["template"]["spec"]
            spec["volumes"] = [v for v in spec["volumes"] if v["name"] != "registry-data"]
            asked = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "5Gi"}}}
            each["spec"]["volumeClaimTemplates"] = [{"metadata": {"name": "registry-data"}, "spec": asked}]
    with harbor_of(yaml.safe_dump_all(objects)) as (harbor, facts):
        found = verdicts_on(harbor, facts)
    assert found.red["storage.access-mode-shared"] == {
        "PersistentVolumeClaim harbor/registry-data-harbor-registry-0",
        "PersistentVolumeClaim harbor/registry-data-harbor-registry-1",
    }
