"""Harbor in the lab: the manifests of `deploy/`, filled in, applied, and brought to what they say.

A ReplicationController does not replace its pods when it is changed, and a pod does not notice that a ConfigMap
it was started with has changed. So each pod template carries a fingerprint of itself, of its ConfigMaps and of what
its image was made from; pods with another one are deleted, and their controller makes new ones.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Collection
from pathlib import Path

import yaml

from lab.manifests import secrets, volumes
from lab.manifests.fill import DeploymentSettings, fill
from lab.manifests.objects import Object, config_maps_of, find, of_kind, read
from lab.waiting import NotYet, wait_until

__all__ = ["DeploymentSettings", "apply", "deploy", "recreate_pods_of_changed", "render", "wait_ready"]

Kubectl = Callable[..., str]
"""kubectl(*arguments, input=None) → its standard output; raises CommandFailed."""
Change = Callable[[list[Object]], None]
"""Changes rendered objects in place."""

FINGERPRINT = "harbor-lab/fingerprint"
OWNED = "harbor-lab/deployed"
_MANIFEST = "harbor.yaml"
_PRUNED_KINDS = {
    "ReplicationController": "replicationcontrollers",
    "Service": "services",
    "ConfigMap": "configmaps",
    "Secret": "secrets",
    "PersistentVolumeClaim": "persistentvolumeclaims",
    "PodDisruptionBudget": "poddisruptionbudgets",
}
"""Not Endpoints: those of a Service with a selector inherit its labels without being ours."""


def deploy(
    kubectl: Kubectl,
    folder: Path,
    settings: DeploymentSettings,
    *,
    change: Change | None = None,
    unready: Collection[str] = (),
    timeout_s: float = 180,
    grace_s: int | None = None,
) -> list[str]:
    """Render, apply, replace outdated pods and wait; return the names of the pods that were replaced.

    `unready` names the workloads that are not expected to become Ready. See the single steps for what is raised.
    """
    render(folder, settings, change)
    changed = apply(kubectl, folder, grace_s=grace_s)
    replaced = recreate_pods_of_changed(kubectl, folder, changed, grace_s=grace_s)
    wait_ready(kubectl, folder, timeout_s=timeout_s, unready=unready)
    return replaced


def render(folder: Path, settings: DeploymentSettings, change: Change | None = None) -> None:
    """Write the filled-in manifests to `folder`, after `change` has had its way with them.

    Generated secrets are kept in `folder`: rendering again with the same settings gives the same bytes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    objects = fill(read(namespace=settings.namespace), settings, secrets.kept(folder / "secrets.json"))
    if change:
        change(objects)
    for each in objects:
        each["metadata"].setdefault("labels", {})[OWNED] = "true"
    for workload in of_kind(objects, "ReplicationController"):
        _put_fingerprint(workload, objects, settings.images)
    partial = folder / f"{_MANIFEST}.partial"
    partial.touch(mode=0o600)
    partial.write_text(yaml.safe_dump_all(objects, sort_keys=False))
    partial.rename(folder / _MANIFEST)


def rendered(folder: Path) -> list[Object]:
    """The objects that `render` wrote."""
    return list(yaml.safe_load_all((folder / _MANIFEST).read_text()))


def apply(kubectl: Kubectl, folder: Path, *, grace_s: int | None = None) -> set[str]:
    """Bring the cluster's objects to what is in `folder`; return what pods are made from and had to be changed.

    Returned are ConfigMaps and ReplicationControllers that were there, as in configmap/harbor-ui-config. Objects
    of an earlier rendering that are no longer wanted are deleted. Volumes and claims cannot be changed: they are
    deleted and made anew, the data in them stays. A key that somebody added by hand stays as well, as is
    kubectl's way. Raises CommandFailed, and NotReady when volumes cannot be released.
    """
    wanted = rendered(folder)
    namespace = namespace_of(wanted)
    volumes.release_changed(kubectl, wanted, namespace, grace_s=grace_s)
    # Reading the API's schema costs 3 s of processor each time; without it the server checks what it stores.
    output = kubectl("apply", "--validate=false", "--openapi-patch=false", f"--filename={folder / _MANIFEST}")
    _delete_unwanted(kubectl, wanted, namespace)
    configured = {line.split()[0] for line in output.splitlines() if line.endswith(" configured")}
    # Of kinds whose lists it replaces as a whole kubectl says so even when nothing has changed.
    return {name for name in configured if name.startswith(("configmap/", "replicationcontroller/"))}


def namespace_of(objects: list[Object]) -> str:
    """The namespace of rendered objects."""
    (namespace,) = of_kind(objects, "Namespace")
    return namespace["metadata"]["name"]


def recreate_pods_of_changed(
    kubectl: Kubectl, folder: Path, changed: Collection[str] = (), *, grace_s: int | None = None
) -> list[str]:
    """Delete the pods that were made from something else than `folder` now says, and return their names.

    `changed` is what `apply` returned: it tells of what had been edited by hand, of which the fingerprint knows
    nothing. `grace_s` shortens the grace period that the pods ask for. Does not wait.
    """
    wanted = rendered(folder)
    namespace = namespace_of(wanted)
    pods = _pods(kubectl, namespace)
    outdated = []
    for workload in of_kind(wanted, "ReplicationController"):
        sources = {f"configmap/{name}" for name in config_maps_of(workload["spec"]["template"]["spec"])}
        edited = not set(changed).isdisjoint(
            {*sources, f"replicationcontroller/{workload['metadata']['name']}"}
        )
        outdated += [
            pod["metadata"]["name"]
            for pod in pods.get(workload["metadata"]["name"], [])
            if "deletionTimestamp" not in pod["metadata"] and (edited or not _up_to_date(pod, workload))
        ]
    if outdated:
        grace = () if grace_s is None else (f"--grace-period={grace_s}",)
        _delete_pods(kubectl, namespace, outdated, *grace)
    return outdated


def wait_ready(
    kubectl: Kubectl,
    folder: Path,
    *,
    timeout_s: float,
    unready: Collection[str] = (),
    interval_s: float = 0.5,
) -> None:
    """Wait until every workload has its replicas, all from the present template and Ready, and none left over.

    The replicas of the workloads named in `unready` need not be Ready. Raises NotReady after `timeout_s` seconds
    with each workload that is not so and the state of its pods.
    """
    wanted = rendered(folder)
    namespace = namespace_of(wanted)

    def ready() -> None:
        found = _pods(kubectl, namespace)
        workloads = of_kind(wanted, "ReplicationController")
        former = found.keys() - {workload["metadata"]["name"] for workload in workloads}
        unsettled = [f"{name} is no longer wanted and has pods" for name in sorted(former)]
        for workload in workloads:
            pods = found.get(workload["metadata"]["name"], [])
            present = [pod for pod in pods if _up_to_date(pod, workload)]
            settled = len(pods) == len(present) == workload["spec"]["replicas"] and (
                workload["metadata"]["name"] in unready or all(_is_ready(pod) for pod in present)
            )
            if not settled:
                states = ", ".join(f"{pod['metadata']['name']} {_state(pod, workload)}" for pod in pods)
                unsettled.append(f"{workload['metadata']['name']}: {states or 'no pods'}")
        if unsettled:
            backing_off = [
                pod["metadata"]["name"]
                for controller, pods in found.items()
                for pod in pods
                if controller not in unready and "CrashLoopBackOff" in _waiting_reasons(pod)
            ]
            if backing_off:
                _delete_pods(kubectl, namespace, backing_off, "--grace-period=1")
            raise NotYet("; ".join(unsettled))

    wait_until("Harbor's workloads are ready", ready, deadline_s=timeout_s, interval_s=interval_s)


def _put_fingerprint(workload: Object, objects: list[Object], images: str) -> None:
    template = workload["spec"]["template"]
    sources = [find(objects, "ConfigMap", name)["data"] for name in sorted(config_maps_of(template["spec"]))]
    digest = hashlib.sha256(json.dumps([template, sources, images], sort_keys=True).encode()).hexdigest()
    template["metadata"].setdefault("annotations", {})[FINGERPRINT] = digest[:16]


def _delete_unwanted(kubectl: Kubectl, wanted: list[Object], namespace: str) -> None:
    names = {(each["kind"], each["metadata"]["name"]) for each in wanted}
    kinds = ",".join(_PRUNED_KINDS.values())
    owned = kubectl("get", kinds, f"--namespace={namespace}", f"--selector={OWNED}", "--output=json")
    for each in json.loads(owned)["items"]:
        if (each["kind"], each["metadata"]["name"]) not in names:
            resource = f"{_PRUNED_KINDS[each['kind']]}/{each['metadata']['name']}"
            kubectl("delete", resource, f"--namespace={namespace}", "--wait=false", "--ignore-not-found")


def _pods(kubectl: Kubectl, namespace: str) -> dict[str, list[Object]]:
    """The pods by the name of their controller: two controllers may share a selector, so the owner decides."""
    found = json.loads(kubectl("get", "pods", f"--namespace={namespace}", "--output=json"))["items"]
    pods: dict[str, list[Object]] = defaultdict(list)
    for pod in found:
        for owner in pod["metadata"].get("ownerReferences", []):
            if owner["kind"] == "ReplicationController" and pod["status"].get("phase") not in (
                "Failed",
                "Succeeded",
            ):
                pods[owner["name"]].append(pod)
    return dict(pods)


def _up_to_date(pod: Object, workload: Object) -> bool:
    fingerprint = workload["spec"]["template"]["metadata"]["annotations"][FINGERPRINT]
    return pod["metadata"].get("annotations", {}).get(FINGERPRINT) == fingerprint


def _is_ready(pod: Object) -> bool:
    conditions = pod["status"].get("conditions", [])
    return "deletionTimestamp" not in pod["metadata"] and any(
        condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions
    )


def _state(pod: Object, workload: Object) -> str:
    if "deletionTimestamp" in pod["metadata"]:
        return "is ending"
    if not _up_to_date(pod, workload):
        return "is outdated"
    if _is_ready(pod):
        return "is Ready"
    waiting = _waiting_reasons(pod)
    return f"is {pod['status'].get('phase', 'new')}" + (
        f" ({', '.join(waiting)})" if waiting else ", not Ready"
    )


def _waiting_reasons(pod: Object) -> list[str]:
    statuses = pod["status"].get("containerStatuses", [])
    return [status["state"]["waiting"]["reason"] for status in statuses if "waiting" in status["state"]]


def _delete_pods(kubectl: Kubectl, namespace: str, names: Collection[str], *flags: str) -> None:
    kubectl(
        "delete", "pods", f"--namespace={namespace}", "--wait=false", "--ignore-not-found", *flags, *names
    )
