"""Manifests that somebody rendered, as the lab carries them: theirs, but for what the lab has not."""

import base64
import copy

import pytest
import yaml

from lab import given, layouts, profiles, settings
from lab.deployment.manifests.objects import LOADER, find, of_kind
from lab.errors import LabError
from lab.given import secrets, text, volumes
from lab.given.front_door import Door, Doors
from lab.given.stores import Stores
from lab.harbor.harbor_2.bucket import Bucket
from lab.stores import postgresql

PLACE = given.Place(
    namespace="of-the-lab",
    doors=Doors(
        http="http://door:31000",
        https="https://door:31001",
        ingress="https://door:31002",
        ingress_class="labs",
        certificate={"tls.crt": "a certificate", "tls.key": "its key", "ca.crt": "who made it"},
    ),
    admin_password="of-the-lab",
    ceph_key="a2V5",
    monitor="ceph:6789",
    folder="apps/here",
    bucket=Bucket("http://s3", "labs", "access", "secret", "here"),
    stores=Stores(
        database=("pg", "5432"),
        database_user="harbor",
        database_name="given",
        database_password="rows",
        redis=("redis", "6379"),
        sentinels=("s1:26379", "s2:26379"),
        master_name="main",
        redis_password="keys",
    ),
)
MANIFESTS = """
kind: ConfigMap
metadata: {name: r-core, namespace: theirs}
data:
  POSTGRESQL_HOST: pg.example.com
  POSTGRESQL_USERNAME: somebody
  POSTGRESQL_SSLMODE: verify-full
  EXT_ENDPOINT: http://harbor.example.com
  _REDIS_URL_CORE: "rediss://app:p%40ss@redis.example.com:6380/0?idle_timeout_seconds=30"
  _REDIS_URL_REG: "redis+sentinel://:$(PASSWORD)@s1.example.com:26379,s2.example.com:26379/mymaster/2"
  CORE_URL: http://r-core.theirs.svc.cluster.local
---
kind: ConfigMap
metadata: {name: r-registry, namespace: theirs}
data:
  config.yml: |
    storage: {filesystem: {rootdirectory: /storage}}
    http: {addr: ":5000"}
    redis: {addr: "s1.example.com:26379", sentinelMasterSet: mymaster, db: 2}
---
kind: Secret
metadata: {name: r-core, namespace: theirs}
data: {HARBOR_ADMIN_PASSWORD: SGFyYm9yMTIzNDU=, binary: //8=}
---
kind: Service
metadata: {name: r, namespace: theirs}
spec:
  type: LoadBalancer
  clusterIP: 10.1.2.3
  selector: {component: nginx}
  ports: [{name: http, port: 80, targetPort: 8080}]
---
kind: PersistentVolumeClaim
metadata: {name: r-registry, namespace: theirs}
spec: {accessModes: [ReadWriteOnce], storageClassName: fast, resources: {requests: {storage: 5Gi}}}
---
kind: Deployment
metadata: {name: r-core, namespace: theirs, annotations: {helm.sh/hook: pre-install}}
spec:
  replicas: 2
  template:
    metadata: {labels: {component: core}}
    spec:
      imagePullSecrets: [{name: theirs}]
      initContainers: [{name: wait, image: example.com/wait@sha256:aa, args: [x]}]
      containers:
      - {name: mesh, image: "example.com/istio/proxyv2:1", readinessProbe: {httpGet: {port: 1}}}
      - name: core
        image: registry.example.com:5000/mirror/goharbor/harbor-core:v2.13.0
        readinessProbe: {httpGet: {path: /api/v2.0/ping, port: 8080}}
        envFrom:
        env: [{name: POSTGRESQL_PASSWORD, valueFrom: {secretKeyRef: {name: of-the-dba, key: pw}}}]
---
kind: Deployment
metadata: {name: r-nginx, namespace: theirs}
spec:
  replicas: 1
  template:
    metadata: {labels: {component: nginx}}
    spec: {containers: [{name: nginx, image: "goharbor/nginx-photon:v2.13.0"}]}
---
kind: StatefulSet
metadata: {name: r-trivy, namespace: theirs}
spec:
  replicas:
  template:
    metadata: {labels: {component: trivy}}
    spec: {containers: [{name: trivy, image: "goharbor/trivy-adapter-photon:v2.13.0"}]}
---
kind: Service
metadata: {name: r-trivy, namespace: theirs}
spec: {selector: {component: trivy}, ports: [{port: 8080}]}
---
kind: ConfigMap
metadata: {name: r-exporter-env, namespace: theirs}
data:
  HARBOR_SERVICE_HOST: r-core
  HARBOR_REDIS_URL: "redis://redis.example.com:6379/1"
  HARBOR_DATABASE_HOST: pg.example.com
  HARBOR_DATABASE_DBNAME: theirs
---
kind: Deployment
metadata: {name: r-exporter, namespace: theirs}
spec:
  replicas: 1
  template:
    metadata: {labels: {component: exporter}}
    spec:
      containers:
      - name: exporter
        image: goharbor/harbor-exporter:v2.13.0
        envFrom: [{configMapRef: {name: r-exporter-env}}, {secretRef: {name: r-exporter}}]
---
kind: Secret
metadata: {name: r-exporter, namespace: theirs}
data: {HARBOR_DATABASE_PASSWORD: dGhlaXJz}
---
kind: ServiceMonitor
metadata: {name: r, namespace: theirs}
"""


@pytest.fixture
def theirs():
    return [each for each in yaml.load_all(MANIFESTS, Loader=LOADER) if each]


@pytest.fixture
def adapted(theirs):
    return given.adapted(theirs, PLACE).objects


def test_all_is_in_the_labs_namespace_and_what_was_given_stays_as_it_was(theirs):
    before = copy.deepcopy(theirs)
    objects = given.adapted(theirs, PLACE).objects
    assert theirs == before
    assert objects[0] == {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "of-the-lab"}}
    spaces = {each["metadata"].get("namespace") for each in objects[1:] if each["kind"] != "PersistentVolume"}
    assert spaces == {"of-the-lab"}
    data = find(objects, "ConfigMap", "r-core")["data"]
    assert data["CORE_URL"] == "http://r-core.of-the-lab.svc.cluster.local"
    assert given.adapted(theirs, PLACE).objects == objects


def test_stores_outside_become_the_labs_in_the_form_that_was_asked_for(adapted):
    data = find(adapted, "ConfigMap", "r-core")["data"]
    assert data["POSTGRESQL_HOST"] == "pg"
    assert data["POSTGRESQL_USERNAME"] == "harbor"
    assert data["POSTGRESQL_SSLMODE"] == "disable"
    assert data["_REDIS_URL_CORE"] == "redis://:keys@redis:6379/0?idle_timeout_seconds=30"
    assert data["_REDIS_URL_REG"] == "redis+sentinel://:keys@s1:26379,s2:26379/main/2"
    assert find(adapted, "ConfigMap", "r-exporter-env")["data"] == {
        "HARBOR_SERVICE_HOST": "r-core",
        "HARBOR_REDIS_URL": "redis://:keys@redis:6379/1",
        "HARBOR_DATABASE_HOST": "pg",
        "HARBOR_DATABASE_PORT": "5432",
        "HARBOR_DATABASE_USERNAME": "harbor",
        "HARBOR_DATABASE_DBNAME": "given",
        "HARBOR_DATABASE_SSLMODE": "disable",
    }
    assert (
        find(adapted, "Secret", "r-exporter")["data"]["HARBOR_DATABASE_PASSWORD"]
        == base64.b64encode(b"rows").decode()
    )
    registry = yaml.safe_load(find(adapted, "ConfigMap", "r-registry")["data"]["config.yml"])
    assert registry["redis"] == {"addr": "redis:6379", "password": "keys", "db": 2}
    assert registry["storage"] == {"filesystem": {"rootdirectory": "/storage"}}


@pytest.mark.parametrize("driver", ["s3", "gcs", "azure"])
def test_an_object_store_becomes_a_bucket_of_the_labs(theirs, driver):
    document = yaml.safe_load(theirs[1]["data"]["config.yml"])
    document["storage"] = {driver: {"bucket": "my-harbor"}, "redirect": {"disable": True}}
    theirs[1]["data"]["config.yml"] = yaml.safe_dump(document)
    adapted = given.adapted(theirs, PLACE)
    registry = yaml.safe_load(find(adapted.objects, "ConfigMap", "r-registry")["data"]["config.yml"])
    assert registry["storage"].keys() == {"s3", "redirect"}
    assert registry["storage"]["redirect"] == {"disable": True}
    assert registry["storage"]["s3"]["bucket"] == "labs"
    assert adapted.bucket
    assert [note for note in adapted.notes if "my-harbor" in note]
    assert not given.adapted([theirs[0], *theirs[2:]], PLACE).bucket


def test_stores_that_come_along_are_left_as_they_are(theirs):
    for name, port in (("pg", 5432), ("redis", 6379)):
        metadata = {"name": name, "namespace": "theirs"}
        theirs.append({"kind": "Service", "metadata": metadata, "spec": {"ports": [{"port": port}]}})
    data = theirs[0]["data"]
    data |= {"POSTGRESQL_HOST": "pg", "_REDIS_URL_CORE": "redis://redis.theirs.svc:6379/0"}
    objects = given.adapted(theirs, PLACE).objects
    after = find(objects, "ConfigMap", "r-core")["data"]
    assert after["POSTGRESQL_HOST"] == "pg"
    assert after["POSTGRESQL_USERNAME"] == "somebody"
    assert after["_REDIS_URL_CORE"] == "redis://redis.of-the-lab.svc:6379/0"


def test_images_are_the_labs_and_what_is_not_harbors_idles(adapted):
    pod = find(adapted, "Deployment", "r-core")["spec"]["template"]["spec"]
    mesh, core = pod["containers"]
    assert core["image"] == "goharbor/harbor-core:v2.15.2"
    assert core["readinessProbe"] == {"httpGet": {"path": "/api/v2.0/ping", "port": 8080}}
    assert "readinessProbe" not in mesh
    assert "envFrom" not in core  # a field with nothing in it
    assert mesh["command"][0] == "/bin/sh"
    assert pod["initContainers"][0]["command"] == ["/bin/true"]
    assert "imagePullSecrets" not in pod
    assert find(adapted, "Deployment", "r-core")["spec"]["replicas"] == 2


def test_nginx_may_write_its_logs_where_the_chart_lets_it(adapted):
    pod = find(adapted, "Deployment", "r-nginx")["spec"]["template"]["spec"]
    (mount,) = pod["containers"][0]["volumeMounts"]
    assert mount == {"name": pod["volumes"][0]["name"], "mountPath": "/var/log/nginx"}


def test_a_part_that_the_lab_cannot_play_goes_with_its_service_or_is_an_error(theirs, adapted):
    assert not [each for each in adapted if each["metadata"]["name"] == "r-trivy"]
    assert not of_kind(adapted, "ServiceMonitor")
    theirs[5]["spec"]["template"]["spec"]["containers"] = [{"name": "core", "image": "bitnami/harbor-core:2"}]
    given.adapted(theirs, PLACE)  # the name is the same, whoever has built it
    theirs[5]["spec"]["template"]["spec"]["containers"] = [{"name": "core", "image": "example.com/core:2"}]
    with pytest.raises(LabError, match="Deployment r-core: the lab has no program for core"):
        given.adapted(theirs, PLACE)


def test_the_front_door_is_at_the_labs_port(adapted):
    service = find(adapted, "Service", "r")["spec"]
    assert service["type"] == "NodePort"
    assert service["ports"] == [{"name": "http", "port": 80, "targetPort": 8080, "nodePort": 31000}]
    assert "clusterIP" not in service
    assert find(adapted, "ConfigMap", "r-core")["data"]["EXT_ENDPOINT"] == "http://door:31000"


def test_a_proxy_with_tls_gets_a_certificate_of_the_labs(theirs):
    pod = theirs[6]["spec"]["template"]["spec"]
    pod["volumes"] = [{"name": "certificate", "secret": {"secretName": "of-the-door"}}]
    pod["containers"][0]["volumeMounts"] = [{"name": "certificate", "mountPath": "/etc/nginx/cert"}]
    theirs[3]["spec"]["ports"].append({"name": "https", "port": 443, "targetPort": 8443, "nodePort": 30003})
    adapted = given.adapted(theirs, PLACE)
    assert adapted.door == Door("https://door:31001")
    ports = find(adapted.objects, "Service", "r")["spec"]["ports"]
    assert [port.get("nodePort") for port in ports] == [None, 31001]
    decoded = copy.deepcopy(adapted.objects)
    secrets.decode(decoded)
    assert find(decoded, "Secret", "of-the-door")["data"]["tls.crt"] == "a certificate"


def test_an_ingress_is_served_by_the_labs_controller_whatever_its_hosts(theirs):
    path = {
        "path": "/",
        "pathType": "Prefix",
        "backend": {"service": {"name": "r-core", "port": {"number": 80}}},
    }
    ingress = {
        "kind": "Ingress",
        "metadata": {"name": "r", "namespace": "theirs"},
        "spec": {
            "ingressClassName": "traefik",
            "tls": [{"hosts": ["harbor.example.com"], "secretName": "r-tls"}],
            "rules": [{"host": "harbor.example.com", "http": {"paths": [path]}}],
        },
    }
    others = [each for each in theirs if each["metadata"]["name"] != "r-nginx"]
    adapted = given.adapted([*others, ingress], PLACE)
    assert adapted.door == Door("https://door:31002", "r")
    assert find(adapted.objects, "Ingress", "r")["spec"] == {
        "ingressClassName": "labs",
        "tls": [{"secretName": "r-tls"}],
        "rules": [{"http": {"paths": [path]}}],
    }
    assert [note for note in adapted.notes if "traefik" in note and "harbor.example.com" in note]


def test_without_a_door_that_the_lab_knows_it_is_an_error(theirs):
    others = [each for each in theirs if each["metadata"]["name"] != "r-nginx"]
    with pytest.raises(LabError, match="neither Harbor's nginx nor an Ingress"):
        given.adapted(others, PLACE)


def test_claims_get_volumes_with_what_they_ask_for(adapted):
    claim = find(adapted, "PersistentVolumeClaim", "r-registry")["spec"]
    assert (claim["accessModes"], claim["storageClassName"]) == (["ReadWriteOnce"], "")
    volume = find(adapted, "PersistentVolume", "of-the-lab-r-registry")["spec"]
    assert volume["accessModes"] == ["ReadWriteOnce"]
    assert volume["capacity"] == {"storage": "5Gi"}
    assert volume["claimRef"]["name"] == "r-registry"
    assert volumes.folders(adapted) == {"apps/here/r-registry": "10000:10000"}


def test_claims_of_a_stateful_set_are_made_beforehand(theirs):
    database = {
        "kind": "StatefulSet",
        "metadata": {"name": "r-database", "namespace": "theirs"},
        "spec": {
            "replicas": 1,
            "template": {
                "metadata": {"labels": {"component": "database"}},
                "spec": {"containers": [{"name": "database", "image": "goharbor/harbor-db:v2.13.0"}]},
            },
            "volumeClaimTemplates": [
                {
                    "metadata": {"name": "data", "labels": {"a": "b"}},
                    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
                }
            ],
        },
    }
    objects = given.adapted([*theirs, database], PLACE).objects
    assert find(objects, "PersistentVolumeClaim", "data-r-database-0")["spec"]["storageClassName"] == ""
    assert volumes.folders(objects)["apps/here/data-r-database-0"] == "999:999"
    (template,) = find(objects, "StatefulSet", "r-database")["spec"]["volumeClaimTemplates"]
    assert template["metadata"] == {"name": "data"}
    assert template["spec"]["storageClassName"] == ""
    kinds = [each["kind"] for each in objects]
    assert kinds.index("PersistentVolumeClaim") < kinds.index("StatefulSet")


def test_secrets_that_are_only_named_are_made_and_known_passwords_are_the_labs(adapted):
    decoded = copy.deepcopy(adapted)
    secrets.decode(decoded)
    assert find(decoded, "Secret", "of-the-dba")["data"] == {"pw": "rows"}
    data = find(decoded, "Secret", "r-core")["data"]
    assert data["HARBOR_ADMIN_PASSWORD"] == "of-the-lab"
    assert find(adapted, "Secret", "r-core")["data"]["binary"] == "//8="


def test_a_secret_that_is_only_named_and_taken_whole_holds_what_the_lab_knows(theirs):
    container = theirs[5]["spec"]["template"]["spec"]["containers"][1]
    container["envFrom"] = [{"secretRef": {"name": "away"}}, {"secretRef": {"name": "b", "optional": True}}]
    objects = given.adapted(theirs, PLACE).objects
    secrets.decode(objects)
    assert find(objects, "Secret", "away")["data"]["HARBOR_ADMIN_PASSWORD"] == "of-the-lab"
    with pytest.raises(LabError):
        find(objects, "Secret", "b")


def test_a_key_that_is_only_named_is_an_error(theirs):
    volume = {"name": "k", "secret": {"secretName": "away", "items": [{"key": "tls.key", "path": "k"}]}}
    theirs[5]["spec"]["template"]["spec"]["volumes"] = [volume]
    with pytest.raises(LabError, match=r"Secret away is named and not given, and is to hold tls\.key"):
        given.adapted(theirs, PLACE)


def test_each_change_is_told(theirs):
    notes = given.adapted(theirs, PLACE).notes
    for words in (
        "ServiceMonitor r",
        "r-trivy",
        "mesh",
        "pg.example.com",
        "fast",
        "of-the-dba",
        "port 31000",
    ):
        assert [note for note in notes if words in note], words
    assert not [note for note in notes if "p%40ss" in note or "keys" in note]


def test_texts_of_a_container_and_of_a_config_map_are_found_by_name(theirs):
    theirs[5]["spec"]["template"]["spec"]["containers"][1]["env"] = [
        {"name": "EXT_ENDPOINT", "value": "http://a"}
    ]
    assert {each.value for each in text.named(theirs, "EXT_ENDPOINT")} == {
        "http://a",
        "http://harbor.example.com",
    }


@pytest.mark.parametrize("content", ["a: [", "kind: List\nitems: []", "just words"])
def test_a_file_that_is_no_rendering_of_a_chart_is_one_message(tmp_path, content):
    file = tmp_path / "rendered.yaml"
    file.write_text(content)
    with pytest.raises(LabError, match=r"rendered\.yaml"):
        given.read(file)


def test_given_manifests_are_kept_as_a_layout(tmp_path, monkeypatch, theirs):
    monkeypatch.setattr(settings, "STATE", tmp_path / "state")
    file = tmp_path / "rendered.yaml"
    file.write_text(MANIFESTS)
    layouts.give(profiles.HARBOR_2, file)
    file.unlink()
    assert layouts.chosen(profiles.HARBOR_2) == layouts.GIVEN
    layout = layouts.of(profiles.HARBOR_2)
    assert [remark for remark in layout.remarks if "pg.example.com" in remark]
    metadata = {"name": "harbor-ceph"}
    objects = [{"kind": "Secret", "metadata": metadata, "data": {"key": "a2V5"}}]
    layout.change(objects)
    assert find(objects, "ConfigMap", "r-core")["data"]["POSTGRESQL_DATABASE"] == postgresql.OWN_DATABASE
    assert layouts.GIVEN not in layouts.every(profiles.HARBOR_2)
