"""Differences between deployments that mean nothing: with each of them a Harbor gets the verdicts that it has without.

A mesh puts containers into pods, kustomize hashes into names, a node's shutdown leaves pods that have ended; a registry
mirror renames images, and a namespace is shared with others.
"""

import copy
import functools
import re
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from tests.unit import deployments
from tests.unit.whole_harbors import harbor_of, lacking, verdicts_on

Objects = list[dict[str, Any]]
NAMES = ("02-ha-documented", "12-sentinel", "20-joblogs-file-rwo", "b2-bitnami-ha")
HASH = "-7m5k2h9"


def workloads(objects: Objects) -> Objects:
    return [each for each in objects if each["kind"] in ("Deployment", "StatefulSet")]


def pod_specs(objects: Objects) -> Objects:
    return [each["spec"]["template"].setdefault("spec", {"containers": []}) for each in workloads(objects)]


def containers(objects: Objects) -> Objects:
    return [each for spec in pod_specs(objects) for each in spec["containers"]]


def put_into_pods(objects: Objects, where: int, container: dict[str, Any]) -> None:
    for spec in pod_specs(objects):
        spec["containers"].insert(where, container)


def a_mesh_after_harbors_own(objects):
    put_into_pods(
        objects, 9, {"name": "linkerd-proxy", "image": "mesh/proxy:1", "ports": [{"containerPort": 4143}]}
    )


def a_mesh_before_harbors_own_and_no_ports_declared(objects):
    for each in containers(objects):
        each.pop("ports", None)
    put_into_pods(objects, 0, {"name": "istio-proxy", "image": "mesh/proxyv2:1"})


def a_native_sidecar(objects):
    for spec in pod_specs(objects):
        spec["initContainers"] = [{"name": "proxy", "image": "mesh/proxyv2:1", "restartPolicy": "Always"}]


def a_container_that_waits_with_the_same_mounts(objects):
    for spec in pod_specs(objects):
        mounts = spec["containers"][0].get("volumeMounts", [])
        spec["initContainers"] = [{"name": "wait", "image": "busybox", "volumeMounts": mounts}]


def names_with_hashes(objects):
    """As kustomize generates ConfigMaps and Secrets."""
    given = {each["metadata"]["name"] for each in objects if each["kind"] in ("ConfigMap", "Secret")}

    def rename(value):
        for each in value if isinstance(value, list) else []:
            rename(each)
        for key, each in value.items() if isinstance(value, dict) else []:
            refers = re.fullmatch("configMap|secret|(configMap|secret)(Key)?Ref", key)
            for name in ("name", "secretName") if refers and isinstance(each, dict) else ():
                if each.get(name) in given:
                    each[name] += HASH
            rename(each)

    rename(workloads(objects))
    for each in objects:
        if each["kind"] in ("ConfigMap", "Secret"):
            each["metadata"]["name"] += HASH


def variables_one_by_one(objects):
    """In place of envFrom."""
    keys = {
        (each["kind"], each["metadata"]["name"]): [*each.get("data", {}), *each.get("stringData", {})]
        for each in objects
        if each["kind"] in ("ConfigMap", "Secret")
    }
    for container in containers(objects):
        spelled = []
        for source in container.pop("envFrom", []):
            ((reference, of),) = source.items()
            kind, key_reference = {
                "configMapRef": ("ConfigMap", "configMapKeyRef"),
                "secretRef": ("Secret", "secretKeyRef"),
            }[reference]
            for key in keys.get((kind, of["name"]), ()):
                value = {key_reference: {"name": of["name"], "key": key}}
                spelled.append({"name": key, "valueFrom": value})
        container["env"] = spelled + container.get("env", [])


def files_of_secrets(objects):
    """In place of those of ConfigMaps, as Bitnami's chart has some."""
    for spec in pod_specs(objects):
        for volume in spec.get("volumes", []):
            if "configMap" in volume:
                source = volume.pop("configMap")
                volume["secret"] = source | {"secretName": f"{source.pop('name')}-files"}
    for each in [each for each in objects if each["kind"] == "ConfigMap"]:
        metadata = each["metadata"] | {"name": f"{each['metadata']['name']}-files"}
        objects.append({"kind": "Secret", "metadata": metadata, "stringData": dict(each["data"])})


def projected_volumes(objects):
    for spec in pod_specs(objects):
        for volume in spec.get("volumes", []):
            if "configMap" in volume:
                volume["projected"] = {"sources": [{"configMap": volume.pop("configMap")}]}
            elif "secret" in volume:
                secret = volume.pop("secret")
                secret["name"] = secret.pop("secretName")
                volume["projected"] = {"sources": [{"secret": secret}]}


def the_token_that_every_pod_gets(objects):
    mount = {"name": "api-access", "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"}
    sources = [{"serviceAccountToken": {"path": "token"}}, {"configMap": {"name": "kube-root-ca.crt"}}]
    for spec in pod_specs(objects):
        spec["volumes"] = [
            *spec.get("volumes", ()),
            {"name": "api-access", "projected": {"sources": sources}},
        ]
        for container in spec["containers"]:
            container["volumeMounts"] = [*container.get("volumeMounts", ()), mount]


def labels_of_a_tool(objects):
    for each in objects:
        each["metadata"].setdefault("labels", {})["argocd.argoproj.io/instance"] = "registry-prod"
    for each in workloads(objects):
        each["spec"]["template"]["metadata"].setdefault("labels", {})["team"] = "platform"


def images_by_digest_of_a_mirror(objects):
    for each in containers(objects):
        if "image" in each:
            name = each["image"].rpartition("/")[2].partition(":")[0]
            each["image"] = f"mirror.example:5000/docker.io/goharbor/{name}@sha256:{'a' * 64}"


def selectors_by_expressions(objects):
    for each in workloads(objects):
        labels = each["spec"]["template"]["metadata"].get("labels") or {}
        chosen = each["spec"].get("selector", {}).get("matchLabels") or labels
        expressions = [{"key": key, "operator": "In", "values": [chosen[key]]} for key in chosen]
        each["spec"]["selector"] = {"matchExpressions": expressions}


def a_second_service_of_each(objects):
    for each in list(objects):
        if each["kind"] == "Service" and each["spec"].get("selector"):
            second = copy.deepcopy(each)
            second["metadata"] = {**second["metadata"], "name": f"{each['metadata']['name']}-headless"}
            second["spec"] |= {"clusterIP": "None"}
            objects.append(second)


def _ended(objects: Objects, phase: str, **metadata: Any) -> None:
    for each in workloads(objects):
        labels = each["spec"]["template"]["metadata"].get("labels") or {}
        name = f"{each['metadata']['name']}-gone"
        at = {"name": name, "labels": labels, "creationTimestamp": "2025-12-01T00:00:00Z", **metadata}
        spec = each["spec"]["template"]["spec"] | {"nodeName": "node-1"}
        objects.append({"kind": "Pod", "metadata": at, "spec": spec, "status": {"phase": phase}})


def pods_that_were_evicted(objects):
    _ended(objects, "Failed")


def jobs_that_are_done_with_the_same_labels(objects):
    _ended(objects, "Succeeded")


def pods_that_are_going(objects):
    _ended(objects, "Failed", deletionTimestamp="2026-01-01T00:00:00Z")


def _other(kind: str, name: str, **container: Any) -> dict[str, Any]:
    labels = {"app": "shop", "component": name}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": name, **container}]}}
    spec = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}
    return {"kind": kind, "metadata": {"name": f"shop-{name}"}, "spec": spec}


def others_beside_it(objects):
    """A core, a Redis, a registry and a claim that are not Harbor's, and a budget that lets nobody go."""
    objects += [
        _other("Deployment", "core", image="shop/core:1", ports=[{"containerPort": 8080}]),
        _other("StatefulSet", "redis", image="redis:7", ports=[{"containerPort": 6379}]),
        _other("Deployment", "cache", image="library/registry:2", ports=[{"containerPort": 5000}]),
        {
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": "backup"},
            "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
            "status": {"phase": "Pending"},
        },
        {
            "kind": "PodDisruptionBudget",
            "metadata": {"name": "shop"},
            "spec": {"maxUnavailable": 0, "selector": {"matchLabels": {"app": "shop"}}},
        },
    ]


def stateful_sets_for_deployments(objects):
    for each in workloads(objects):
        each["kind"] = "StatefulSet"


DIFFERENCES = (
    a_mesh_after_harbors_own,
    a_mesh_before_harbors_own_and_no_ports_declared,
    a_native_sidecar,
    a_container_that_waits_with_the_same_mounts,
    names_with_hashes,
    variables_one_by_one,
    files_of_secrets,
    projected_volumes,
    the_token_that_every_pod_gets,
    labels_of_a_tool,
    images_by_digest_of_a_mirror,
    selectors_by_expressions,
    a_second_service_of_each,
    pods_that_were_evicted,
    jobs_that_are_done_with_the_same_labels,
    pods_that_are_going,
    others_beside_it,
    stateful_sets_for_deployments,
)


def judged(name: str, change: Callable[[Objects], None] = lambda objects: None) -> dict[str, Any]:
    objects = list(yaml.load_all(deployments.text_of(name), Loader=yaml.CSafeLoader))
    change(objects)
    with harbor_of(yaml.dump_all(objects, Dumper=yaml.CSafeDumper)) as (harbor, facts):
        found = verdicts_on(harbor, facts)
    known = ("exposure", "images", "database", "session_store", "internal_tls")
    return {
        "red": {id: set(map(_plain, objects)) for id, objects in found.red.items()},
        "not applicable": set(found.not_applicable) | lacking(facts).keys(),
        "blocked": set(found.blocked),
        "unknown": found.unknown,
        "facts": {each: getattr(facts, each).value for each in known},
    }


def _plain(thing: str) -> str:
    """Without its kind, and on which node it is."""
    return thing.partition(" (")[0].partition(" ")[2]


as_it_is = functools.cache(judged)


@pytest.mark.parametrize("difference", DIFFERENCES, ids=lambda each: each.__name__)
@pytest.mark.parametrize("name", NAMES)
def test_what_means_nothing_changes_no_verdict(name, difference):
    assert judged(name, difference) == as_it_is(name)
