"""A large cluster: what Harbor's verification asks of the API when 5,000 pods and 100 nodes of others are beside it.

That is discovery, facts, what a report says of the surroundings, and every check that reads nothing but objects of the
API; and apart from these the evidence of a check that did not pass. A fifth of the foreign pods is in Harbor's own
namespace, with what pods come with: workloads, Services, events.
"""

import argparse
import importlib
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import yaml
from kubernetes.client.rest import RESTClientObject

from bench.control_plane import ControlPlane, control_plane, running
from bench.figures import Figure
from bench.memory import most_memory_mib
from harbor_verify.clients.harbor import Credentials
from harbor_verify.clients.kubernetes import connect
from harbor_verify.description import describe
from harbor_verify.evidence import Collector
from harbor_verify.facts.gathering import facts_of
from harbor_verify.model.discovery import discover
from harbor_verify.providers import Access
from harbor_verify.redaction import Redaction
from harbor_verify.settings import Settings
from harbor_verify.surroundings import surroundings
from harbor_verify.target import Target
from lab import settings

_NAMESPACE = "harbor-2"
_NODES, _FOREIGN_NODES, _FOREIGN_PODS = 3, 100, 5_000
_FOREIGN_NAMESPACES = 40
_OWN_SHARE = 5
"""One foreign pod of so many is in Harbor's own namespace."""
_MOST_MIB = 200


def measure(rounds: int) -> list[Figure]:
    """Ask a Harbor alone, and the same with others beside it, `rounds` times each.

    Raises FileNotFoundError where the lab's programs are not there, TimeoutError, OSError.
    """
    with tempfile.TemporaryDirectory() as name, control_plane(Path(name)) as cluster:
        _make_harbor(cluster)
        alone = [_ask(cluster) for _ in range(rounds)]
        cluster.make_all(_others())
        beside = [_ask(cluster) for _ in range(rounds)]
    for what, count in (Counter(beside[0]["requests"]) - Counter(alone[0]["requests"])).items():
        sys.stderr.write(f"asked {count} times more: {what}\n")
    others = f"{_FOREIGN_PODS} pods of others and {_FOREIGN_NODES} nodes beside it"
    pairs = list(zip(alone, beside, strict=True))

    def grown(what: str) -> list[float]:
        return [_sum(large[what]) - _sum(small[what]) for small, large in pairs]

    def times(what: str) -> list[float]:
        return [_sum(large[what]) / _sum(small[what]) for small, large in pairs]

    return [
        Figure("Harbor found and judged: API requests", "", [_sum(each["requests"]) for each in alone]),
        Figure("Harbor found and judged: time", "s", [each["seconds"] for each in alone]),
        Figure("Harbor found and judged: read", "MiB", [_sum(each["bytes"]) / 2**20 for each in alone]),
        Figure("Harbor found and judged: peak memory", "MiB", [each["memory_mib"] for each in alone]),
        Figure(f"{others}: API requests more", "", grown("requests"), limit=0),
        Figure(f"{others}: time", "times", times("seconds")),
        Figure(f"{others}: read", "times", times("bytes")),
        Figure(f"{others}: peak memory", "MiB", [each["memory_mib"] for each in beside], limit=_MOST_MIB),
        Figure(f"{others}: API requests more for a failed check's evidence", "", grown("evidence_requests")),
    ]


def _sum(told: float | dict[str, int]) -> float:
    return sum(told.values()) if isinstance(told, dict) else told


def _make_harbor(cluster: ControlPlane) -> None:
    """deploy/harbor-2, which three nodes run, with an Ingress in the place of its nginx."""
    nodes = [f"node-{number}" for number in range(_NODES)]
    cluster.make_all(map(_node, nodes))
    for file in ("namespace", "storage", "core", "portal", "registry", "jobservice", "disruption-budgets"):
        text = (settings.REPOSITORY / "deploy" / "harbor-2" / f"{file}.yaml").read_text()
        text = text.replace("192.0.2.", "127.0.0.")  # stores that refuse at once
        for body in yaml.safe_load_all(text):
            body["metadata"].setdefault("namespace", _NAMESPACE)
            cluster.make(body)
    cluster.make({"kind": "Namespace", "metadata": {"name": "ingress"}})
    for body in _way_in():
        cluster.make(body)
    cluster.run_pods(_NAMESPACE, 10, nodes)
    cluster.run_pods("ingress", 2, nodes)
    cluster.until(
        "claims are bound",
        f"api/v1/namespaces/{_NAMESPACE}/persistentvolumeclaims",
        lambda listed: all(each["status"]["phase"] == "Bound" for each in listed["items"]),
    )
    for namespace in (_NAMESPACE, "ingress"):
        cluster.until(
            f"the Deployments of {namespace} are whole",
            f"apis/apps/v1/namespaces/{namespace}/deployments",
            lambda listed: all(
                each["status"].get("readyReplicas") == each["spec"]["replicas"] for each in listed["items"]
            ),
        )


def _way_in() -> Iterator[dict[str, Any]]:
    address = {"loadBalancer": {"ingress": [{"ip": "203.0.113.10"}]}}
    backend = {"service": {"name": "harbor-core", "port": {"number": 80}}}
    path = {"path": "/", "pathType": "Prefix", "backend": backend}
    rule = {"host": "harbor.example.com", "http": {"paths": [path]}}
    yield {
        "kind": "Ingress",
        "metadata": {"name": "harbor", "namespace": _NAMESPACE},
        "spec": {"rules": [rule]},
        "status": address,
    }
    yield from _workload("controller", "ingress", replicas=2)
    yield _service("controller", "ingress") | {"status": address}


def _node(name: str) -> dict[str, Any]:
    ready = {
        "type": "Ready",
        "status": "True",
        "reason": "KubeletReady",
        "message": "kubelet is posting ready status",
    }
    images = [{"names": [f"registry.example/{name}/image-{n}:v1"], "sizeBytes": 10**8} for n in range(50)]
    return {
        "kind": "Node",
        "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux"}},
        "status": {
            "conditions": [ready],
            "capacity": {"cpu": "16", "memory": "64Gi", "pods": "110"},
            "images": images,
        },
    }


def _others() -> Iterator[dict[str, Any]]:
    """Nodes, and pods with no controller of theirs, beside workloads, Services and events."""
    nodes = [f"foreign-{number}" for number in range(_FOREIGN_NODES)]
    yield from map(_node, nodes)
    namespaces = [f"team-{number}" for number in range(_FOREIGN_NAMESPACES)]
    for namespace in namespaces:
        yield {"kind": "Namespace", "metadata": {"name": namespace}}
    for number in range(_FOREIGN_PODS):
        own = number % _OWN_SHARE == 0
        namespace = _NAMESPACE if own else namespaces[number % _FOREIGN_NAMESPACES]
        name = f"foreign-{number}"
        spec = _spec(name) | {"nodeName": nodes[number % _FOREIGN_NODES]}
        yield {
            "kind": "Pod",
            "metadata": {"name": name, "namespace": namespace, "labels": {"app": name, "team": namespace}},
            "spec": spec,
            "status": running(spec, f"10.{1 + number // 62500}.{number // 250 % 250}.{number % 250 + 1}"),
        }
        if number // _OWN_SHARE % 10 == 0:
            yield from _workload(name, namespace, replicas=0)
            yield _service(name, namespace)
        if own:
            yield _event(name, namespace)


def _workload(name: str, namespace: str, *, replicas: int) -> Iterator[dict[str, Any]]:
    labels = {"app": name}
    yield {
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": _spec(name)},
        },
    }


def _service(name: str, namespace: str) -> dict[str, Any]:
    ports = [{"name": "http", "port": 80}, {"name": "https", "port": 443}]
    return {
        "kind": "Service",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"type": "LoadBalancer", "selector": {"app": name}, "ports": ports},
    }


def _event(name: str, namespace: str) -> dict[str, Any]:
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return {
        "kind": "Event",
        "metadata": {"name": f"{name}.1", "namespace": namespace},
        "involvedObject": {"kind": "Pod", "name": name, "namespace": namespace},
        "type": "Warning",
        "reason": "Unhealthy",
        "message": "Readiness probe failed: HTTP probe failed with statuscode: 503",
        "count": 3,
        "firstTimestamp": at,
        "lastTimestamp": at,
    }


def _spec(name: str) -> dict[str, Any]:
    """As large as those of many charts: two containers, variables, probes, volumes."""
    variables = [{"name": f"SETTING_{n}", "value": f"a value of setting {n} of {name}"} for n in range(20)]
    probe = {"httpGet": {"path": "/healthz", "port": 8080}}
    containers = [
        {
            "name": each,
            "image": f"registry.example/team/{each}:v1.2.3",
            "env": variables,
            "livenessProbe": probe,
            "readinessProbe": probe,
            "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}},
            "volumeMounts": [{"name": f"v{n}", "mountPath": f"/volume/{n}"} for n in range(4)],
        }
        for each in ("app", "proxy")
    ]
    return {"containers": containers, "volumes": [{"name": f"v{n}", "emptyDir": {}} for n in range(4)]}


def _ask(cluster: ControlPlane) -> dict[str, Any]:
    """What a process of its own, that asks this cluster all of it, tells of itself."""
    words = [sys.executable, "-m", "bench.large_cluster", str(cluster.kubeconfig)]
    told = json.loads(
        subprocess.run(words, check=True, stdout=subprocess.PIPE, cwd=settings.REPOSITORY).stdout
    )
    return dict(told)


def ask(kubeconfig: Path) -> None:
    """Prints JSON: requests and bytes by what was asked, seconds, MiB of memory at most."""
    requests, read = _count_requests()
    begun_s = time.monotonic()
    target, verdicts = _observe(kubeconfig)
    told: dict[str, Any] = {
        "requests": dict(requests),
        "bytes": dict(read),
        "seconds": time.monotonic() - begun_s,
    }
    _collect_evidence(target)
    told["evidence_requests"] = requests.total() - sum(told["requests"].values())
    target.close()
    json.dump({**told, "memory_mib": most_memory_mib(), "verdicts": verdicts}, sys.stdout)


def _count_requests() -> tuple[Counter[str], Counter[str]]:
    """(requests, bytes of answers) by method and path; counted where they leave this process."""
    requests: Counter[str] = Counter()
    read: Counter[str] = Counter()
    send = RESTClientObject.request

    def request(self: Any, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        answer = send(self, method, url, *args, **kwargs)
        path = url.split("/", 3)[3].partition("?")[0]
        requests[f"{method} {path}"] += 1
        read[f"{method} {path}"] += len(answer.data or b"")
        return answer

    RESTClientObject.request = request
    return requests, read


def _observe(kubeconfig: Path) -> tuple[Any, dict[str, str]]:
    """(what was found, what its checks said) after all that a run reads of the API."""
    # Not by name: the types of suites and tests are not checked.
    whole_harbors: Any = importlib.import_module("tests.unit.whole_harbors")
    options = Settings.model_validate({"namespace": _NAMESPACE})
    kubernetes = connect(kubeconfig, None, timeouts_s=options.timeouts_s)
    # Nobody listens there: nothing is asked of Harbor itself.
    access = Access(
        "existing", kubernetes, _NAMESPACE, "http://127.0.0.1:9", Credentials("admin", "x"), None, False
    )
    target = Target(access, discover(kubernetes, _NAMESPACE), options)
    vars(target).update(run=partial(whole_harbors.run_as_specified, target.deployment))
    facts = facts_of(target)
    describe(target, facts)
    surroundings(target, options, facts)
    verdicts = whole_harbors.verdicts_on(target, facts)
    return target, {name: str(told) for name, told in vars(verdicts).items()}


def _collect_evidence(target: Target) -> None:
    """As of a check that did not pass."""
    with tempfile.TemporaryDirectory() as folder:
        collector = Collector(target.deployment, Redaction(), timeouts_s=target.settings.timeouts_s)
        collector.collect(Path(folder), about="", since=datetime.now(UTC))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("kubeconfig", type=Path)
    ask(parser.parse_args().kubeconfig)
