"""What images are kept on: one pod, one node, several, or what shows nothing of its servers."""

import pytest
import yaml

from harbor_verify.errors import NeedMissing, NotApplicable
from harbor_verify.model.configuration import registry_storage
from harbor_verify.model.storage_place import StoragePlace, of_bucket
from suites.storage.test_servers import test_what_is_stored_stands_on_more_than_one_server as CHECK
from tests.unit import deployments
from tests.unit.running import examine, not_applicable, offenders_of
from tests.unit.whole_harbors import harbor_of

ON_CLAIMS, IN_A_BUCKET = "02-ha-documented", "08-s3-no-pvc"
ADDRESS = "10.96.0.77"
REGISTRY_CLAIM = "PersistentVolumeClaim harbor/harbor-registry"


def never_blocked(name):
    assert name == "volumes"


def server(kind="StatefulSet", replicas=1):
    """A Service of namespace store, and what is behind it."""
    labels = {"app": "minio"}
    where = {"name": "minio", "namespace": "store"}
    spec = {"replicas": replicas, "template": {"metadata": {"labels": labels}}}
    service = {"selector": labels, "clusterIP": ADDRESS, "ports": [{"port": 9000}]}
    return [
        {"kind": kind, "metadata": where, "spec": spec},
        {"kind": "Service", "metadata": dict(where), "spec": service},
    ]


def on_volumes(source, *more):
    """The claims of a deployment, bound to volumes of this source."""
    objects = list(yaml.safe_load_all(deployments.text_of(ON_CLAIMS)))
    for claim in [each for each in objects if each["kind"] == "PersistentVolumeClaim"]:
        name, spec = claim["metadata"]["name"], claim["spec"]
        spec["volumeName"] = f"pv-{name}"
        claim["status"] = {"phase": "Bound", "accessModes": spec["accessModes"]}
        reference = {"namespace": "harbor", "name": name}
        volume = {"capacity": {"storage": "5Gi"}, "claimRef": reference, **source}
        objects.append({"kind": "PersistentVolume", "metadata": {"name": spec["volumeName"]}, "spec": volume})
    return yaml.safe_dump_all([*objects, *more])


def in_bucket(endpoint, *more):
    told = "{region: eu-west-1, bucket: my-harbor}"
    text = deployments.text_of(IN_A_BUCKET)
    assert told in text
    text = text.replace(told, told.replace("}", f", regionendpoint: '{endpoint}'}}"))
    return yaml.safe_dump_all([*yaml.safe_load_all(text), *more])


def wrong(text, **how):
    with harbor_of(text, **how) as (harbor, _):
        return {
            each.object: each.observed for each in offenders_of(CHECK, harbor, never_blocked, not_applicable)
        }


def is_well(text):
    with harbor_of(text) as (harbor, _):
        examine(CHECK, harbor, never_blocked, not_applicable)


def unseen(text, **how):
    with harbor_of(text, **how) as (harbor, _), pytest.raises(NotApplicable) as reason:
        examine(CHECK, harbor, never_blocked, not_applicable)
    return str(reason.value)


NFS_BY_CSI = {
    "csi": {"driver": "nfs.csi.k8s.io", "volumeHandle": "x", "volumeAttributes": {"server": ADDRESS}}
}
SMB = {
    "csi": {
        "driver": "smb.csi.k8s.io",
        "volumeHandle": "x",
        "volumeAttributes": {"source": "//minio.store.svc.cluster.local/share"},
    }
}


@pytest.mark.parametrize(
    "source", [{"nfs": {"server": ADDRESS, "path": "/export"}}, NFS_BY_CSI, SMB], ids=["nfs", "csi", "smb"]
)
def test_volumes_of_one_pod_that_serves_files_are_on_one_server(source):
    found = wrong(on_volumes(source, *server("Deployment")))
    assert found[REGISTRY_CLAIM] == "Deployment store/minio: 1 pod, and Service store/minio leads to no other"
    is_well(on_volumes(source, *server("Deployment", replicas=2)))


def test_volumes_that_one_node_alone_can_mount_are_on_that_node():
    def tied(*nodes, key="kubernetes.io/hostname"):
        term = {"matchExpressions": [{"key": key, "operator": "In", "values": list(nodes)}]}
        source = {"local": {"path": "/data"}, "nodeAffinity": {"required": {"nodeSelectorTerms": [term]}}}
        return on_volumes(source)

    found = wrong(tied("node-2"))
    assert found[REGISTRY_CLAIM] == "only node node-2 can mount it: it is lost with that"
    assert wrong(tied("node-2", key="topology.topolvm.io/node")) == found
    assert "NOT verified" in unseen(tied("node-1", "node-2"))
    assert "NOT verified" in unseen(tied("eu-1", key="topology.kubernetes.io/zone"))


@pytest.mark.parametrize(
    "endpoint", ["http://minio.store.svc.cluster.local:9000", "minio.store:9000", f"https://{ADDRESS}:9000"]
)
def test_a_bucket_of_one_pod_is_on_one_server(endpoint):
    assert wrong(in_bucket(endpoint, *server())) == {
        "Deployment harbor/harbor-registry, its object store": "StatefulSet store/minio: 1 pod, and Service "
        "store/minio leads to no other"
    }
    is_well(in_bucket(endpoint, *server(replicas=4)))


def test_a_bucket_that_the_clusters_own_ingress_or_load_balancer_leads_to_is_in_the_cluster():
    backend = {"service": {"name": "minio", "port": {"number": 9000}}}
    rule = {
        "host": "s3.example",
        "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]},
    }
    ingress = {
        "kind": "Ingress",
        "metadata": {"name": "minio", "namespace": "store"},
        "spec": {"rules": [rule]},
    }
    (found,) = wrong(in_bucket("https://s3.example", *server(), ingress)).values()
    assert found == "StatefulSet store/minio: 1 pod, and Service store/minio leads to no other"
    is_well(in_bucket("https://s3.example", *server(replicas=4), ingress))
    assert "NOT verified" in unseen(in_bucket("https://other.example", *server(), ingress))
    text = in_bucket("https://s3.example", *server(), ingress)
    assert "NOT verified" in unseen(text, forbidden={("", "ingresses")})
    workload, service = server()
    service["status"] = {"loadBalancer": {"ingress": [{"ip": "192.0.2.9"}]}}
    assert wrong(in_bucket("http://192.0.2.9:9000", workload, service))


NODE_ADDRESS = "192.0.2.21"
SHARED = {"loadBalancer": {"ingress": [{"ip": "192.0.2.21"}, {"ip": "192.0.2.22"}]}}


def nodes_and_load_balancer(port, **more):
    """Two nodes, whose addresses every Service of type LoadBalancer has, as k3s gives them; two pods answer at one."""
    nodes = [
        {
            "kind": "Node",
            "metadata": {"name": f"node-{n}"},
            "status": {
                "conditions": [{"type": "Ready", "status": "True"}],
                "addresses": [{"type": "InternalIP", "address": f"192.0.2.2{n}"}],
            },
        }
        for n in (1, 2)
    ]
    workload, service = server("Deployment", replicas=2)
    service["spec"]["ports"] = [{"port": port, **more}]
    return [*nodes, workload, {**service, "status": SHARED}]


def test_a_service_at_another_port_of_the_same_address_is_not_what_has_the_images():
    nfs = {"nfs": {"server": NODE_ADDRESS, "path": "/export"}}
    traefik = nodes_and_load_balancer(443)
    told = "192.0.2.21 is an address of node node-1: nobody reaches it while that is away"
    assert wrong(on_volumes(nfs, *traefik))[REGISTRY_CLAIM] == told
    assert set(wrong(in_bucket(f"http://{NODE_ADDRESS}:9000", *traefik)).values()) == {told}
    assert set(wrong(in_bucket(f"http://{NODE_ADDRESS}", *traefik)).values()) == {told}
    # Whatever stands at no node is outside.
    elsewhere = {"nfs": {"server": "192.0.2.7", "path": "/export"}}
    assert "NOT verified" in unseen(on_volumes(elsewhere, *traefik))
    assert "NOT verified" in unseen(on_volumes(nfs, *traefik), forbidden={("", "nodes")})


@pytest.mark.parametrize("endpoint", [f"https://{NODE_ADDRESS}", f"{NODE_ADDRESS}:443", NODE_ADDRESS])
def test_a_service_at_that_port_of_the_address_is(endpoint):
    is_well(in_bucket(endpoint, *nodes_and_load_balancer(443)))
    assert "NOT verified" in unseen(
        in_bucket(f"http://{NODE_ADDRESS}:nine", *nodes_and_load_balancer(443)), forbidden={("", "nodes")}
    )
    assert wrong(in_bucket(endpoint, *nodes_and_load_balancer(443, protocol="UDP")))


def test_of_several_services_at_one_port_none_is_taken():
    _, service = server(replicas=1)
    service = {**service, "metadata": {"name": "other", "namespace": "store"}, "status": SHARED}
    service["spec"] = {**service["spec"], "selector": {"app": "other"}}
    assert "NOT verified" in unseen(
        in_bucket(f"http://{NODE_ADDRESS}:9000", *nodes_and_load_balancer(9000), service),
        forbidden={("", "nodes")},
    )


def test_what_is_outside_or_a_drivers_own_shows_nothing_of_its_servers():
    assert "bucket my-harbor shows nothing" in unseen(deployments.text_of(IN_A_BUCKET))
    assert "bucket my-harbor at https://s3.example:443 shows" in unseen(in_bucket("https://s3.example:443"))
    assert "NFS 192.0.2.7:/export shows" in unseen(
        on_volumes({"nfs": {"server": "192.0.2.7", "path": "/export"}})
    )
    assert "csi.example pv-harbor-registry" in unseen(deployments.text_of(ON_CLAIMS))


def test_who_may_not_look_is_told_the_right_where_a_name_says_where_to_look():
    with harbor_of(
        in_bucket("http://minio.store.svc:9000", *server()), forbidden={("store", "services")}
    ) as (
        harbor,
        _,
    ):
        with pytest.raises(NeedMissing, match="get Services in namespace store"):
            examine(CHECK, harbor, never_blocked, not_applicable)
    # An address may be anybody's.
    assert "NOT verified" in unseen(
        in_bucket(f"http://{ADDRESS}:9000", *server()), forbidden={("", "services")}
    )


@pytest.mark.parametrize(
    "driver, told, place",
    [
        (
            "s3",
            {"bucket": "b", "regionendpoint": "http://minio:9000"},
            ("bucket b at http://minio:9000", "minio", 9000),
        ),
        ("s3", {"bucket": "b", "region": "eu-west-1"}, ("bucket b", "", 0)),
        (
            "swift",
            {"container": "c", "authurl": "https://keystone.example/v3"},
            ("", "keystone.example", 443),
        ),
        ("azure", {"container": "c", "accountname": "a"}, ("container c", "", 0)),
        ("oss", {"endpoint": "[2001:db8::7]:80"}, ("driver oss", "2001:db8::7", 80)),
    ],
)
def test_the_host_of_an_object_store_is_read_from_its_drivers_settings(driver, told, place):
    storage = registry_storage(yaml.safe_dump({"storage": {driver: told}}), {})
    what, host, port = place
    assert of_bucket(storage) == StoragePlace(
        what or "container c at https://keystone.example/v3", host, port
    )
