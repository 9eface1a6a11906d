"""The cluster's DNS: CoreDNS on every node, behind the address that every pod asks.

A DaemonSet, so that the loss of a node takes one of three away and not, by chance, the only one.
"""

import json

from lab import settings
from lab.deployment.images import DNS_IMAGE
from lab.kubernetes.control_plane import kubectl
from lab.waiting import NotYet, wait_until

_NAME = "coredns"
_NAMESPACE = "kube-system"
_LABELS = {"k8s-app": "kube-dns"}
_CONFIGURATION = """
.:53 {
  errors
  health
  ready
  cache 5
  kubernetes cluster.local in-addr.arpa ip6.arpa
  reload
}
"""


def ensure(*, only_on: str | None = None) -> None:
    """Apply the DNS's objects, for every node or for one only; does not wait."""
    objects = _objects({"kubernetes.io/hostname": only_on} if only_on else {})
    kubectl("apply", "--filename=-", input=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))


def wait_ready(count: int = len(settings.NODES)) -> None:
    """Wait until so many DNS pods are there, one on a node, and Ready; raises NotReady."""

    def ready() -> None:
        status = json.loads(kubectl("get", "daemonset", _NAME, f"--namespace={_NAMESPACE}", "-o", "json"))[
            "status"
        ]
        there = status.get("currentNumberScheduled", 0) + status.get("numberMisscheduled", 0)
        if (there, status.get("numberReady", 0)) != (count, count):
            raise NotYet(
                f"{status.get('numberReady', 0)} of {there} pods are Ready, and there are to be {count}"
            )

    wait_until("the cluster's DNS is ready", ready, deadline_s=60, interval_s=0.3)


def _objects(nodes: dict[str, str]) -> list[dict]:
    def metadata(**more: object) -> dict:
        return {"name": _NAME, "namespace": _NAMESPACE, "labels": _LABELS, **more}

    probe = {"httpGet": {"path": "/ready", "port": 8181}, "periodSeconds": 1}
    container = {
        "name": _NAME,
        "image": DNS_IMAGE,
        "args": ["-conf", "/etc/coredns/Corefile"],
        "readinessProbe": probe,
        "volumeMounts": [{"name": "configuration", "mountPath": "/etc/coredns"}],
    }
    rule = {
        "apiGroups": ["", "discovery.k8s.io"],
        "resources": ["endpoints", "services", "pods", "namespaces", "endpointslices"],
        "verbs": ["list", "watch"],
    }
    authorization = "rbac.authorization.k8s.io"
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata()},
        {
            "apiVersion": f"{authorization}/v1",
            "kind": "ClusterRole",
            "metadata": {"name": _NAME},
            "rules": [rule],
        },
        {
            "apiVersion": f"{authorization}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": _NAME},
            "roleRef": {"apiGroup": authorization, "kind": "ClusterRole", "name": _NAME},
            "subjects": [{"kind": "ServiceAccount", "name": _NAME, "namespace": _NAMESPACE}],
        },
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": metadata(),
            "data": {"Corefile": _CONFIGURATION},
        },
        {
            "apiVersion": "apps/v1",
            "kind": "DaemonSet",
            "metadata": metadata(),
            "spec": {
                "selector": {"matchLabels": _LABELS},
                "template": {
                    "metadata": {"labels": _LABELS},
                    "spec": {
                        "serviceAccountName": _NAME,
                        "dnsPolicy": "Default",
                        "nodeSelector": nodes,
                        "containers": [container],
                        "volumes": [{"name": "configuration", "configMap": {"name": _NAME}}],
                    },
                },
            },
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": metadata(name="kube-dns"),
            "spec": {
                "selector": _LABELS,
                "clusterIP": settings.CLUSTER_DNS,
                "ports": [
                    {"name": "dns", "port": 53, "protocol": "UDP"},
                    {"name": "dns-tcp", "port": 53, "protocol": "TCP"},
                ],
            },
        },
    ]
