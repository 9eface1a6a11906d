"""Harbor in the lab: the manifests of `deploy/`, filled in, applied, and brought to what they say.

A pod does not notice that a ConfigMap or a Secret it was started with has changed. So each pod template carries a
fingerprint of itself, of those and of what its image was made from. A Deployment replaces pods with another one by
itself; a ReplicationController does not: they are deleted, and it makes new ones.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import yaml

from lab.deployment.manifests import secrets, volumes
from lab.deployment.manifests.fill import fill
from lab.deployment.manifests.objects import LOADER, WORKLOADS, Object, find, of_kind, read, sources_of
from lab.profiles import Profile
from lab.waiting import NotYet, wait_until

__all__ = [
    "DeploymentSettings",
    "apply",
    "deploy",
    "recreate_pods_of_changed",
    "render",
    "restart",
    "wait_ready",
]

Kubectl = Callable[..., str]
"""kubectl(*arguments, input=None) → its standard output; raises CommandFailed."""
Change = Callable[[list[Object]], None]
"""Changes rendered objects in place."""

FINGERPRINT = "harbor-lab/fingerprint"
_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
OWNED = "harbor-lab/deployed"
_MANIFEST = "harbor.yaml"
_RESTART_S = 180
_PRUNED_KINDS = {
    "Deployment": "deployments",
    "ReplicationController": "replicationcontrollers",
    "StatefulSet": "statefulsets",
    "Service": "services",
    "ConfigMap": "configmaps",
    "Secret": "secrets",
    "PersistentVolumeClaim": "persistentvolumeclaims",
    "PodDisruptionBudget": "poddisruptionbudgets",
    "Ingress": "ingresses",
}
"""Not Endpoints: those of a Service with a selector inherit its labels without being ours."""


@dataclass(frozen=True)
class DeploymentSettings:
    """What a rendering depends on besides its profile."""

    ceph_key: str = field(repr=False)
    images: Mapping[str, str] = field(default_factory=dict)
    """What each image is made from, by its name."""
    session_store: str = ""
    """Which Redis it is, of those that were there one after the other: each begins empty."""


def deploy(
    kubectl: Kubectl,
    profile: Profile,
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
    folder = profile.folder
    render(profile, settings, change)
    changed = apply(kubectl, folder, grace_s=grace_s)
    replaced = recreate_pods_of_changed(kubectl, folder, changed, grace_s=grace_s)
    wait_ready(kubectl, folder, timeout_s=timeout_s, unready=unready)
    return replaced


def render(profile: Profile, settings: DeploymentSettings, change: Change | None = None) -> None:
    """Write the filled-in manifests to the profile's folder, after `change` has had its way with them.

    Generated secrets are kept there, too: rendering again with the same settings gives the same bytes.
    """
    folder = profile.folder
    folder.mkdir(parents=True, exist_ok=True)
    shared = secrets.kept(folder / "secrets.json", profile.secrets)
    values = {**profile.placeholders(shared), "CHANGE-ME-CEPH-KEY": settings.ceph_key}
    objects = fill(read(profile.manifests, namespace=profile.namespace), values)
    if change:
        change(objects)
    for each in objects:
        each["metadata"].setdefault("labels", {})[OWNED] = "true"
    for workload in of_kind(objects, *WORKLOADS):
        _put_fingerprint(workload, objects, settings)
    partial = folder / f"{_MANIFEST}.partial"
    partial.touch(mode=0o600)
    partial.write_text(yaml.dump_all(objects, Dumper=_DUMPER, sort_keys=False))
    partial.rename(folder / _MANIFEST)


def rendered(folder: Path) -> list[Object]:
    """The objects that `render` wrote."""
    return list(yaml.load_all((folder / _MANIFEST).read_text(), Loader=LOADER))


def apply(kubectl: Kubectl, folder: Path, *, grace_s: int | None = None) -> set[str]:
    """Bring the cluster's objects to what is in `folder`; return what pods are made from and had to be changed.

    Returned are ConfigMaps, Secrets and ReplicationControllers that were there, as in configmap/harbor-ui-config;
    Deployments see to their pods by themselves. Objects of an earlier rendering that are no longer wanted are deleted.
    Volumes and claims cannot be changed: they are deleted and made anew, the data in them stays. A key that somebody
    added by hand stays as well, as is kubectl's way. Raises CommandFailed, and NotReady when volumes cannot be
    released.
    """
    wanted = rendered(folder)
    namespace = namespace_of(wanted)
    volumes.release_changed(kubectl, wanted, namespace, grace_s=grace_s)
    # Reading the API's schema costs 3 s of processor each time; without it the server checks what it stores.
    output = kubectl("apply", "--validate=false", "--openapi-patch=false", f"--filename={folder / _MANIFEST}")
    _delete_unwanted(kubectl, wanted, namespace)
    volumes.delete_unwanted(kubectl, wanted, namespace)
    configured = {line.split()[0] for line in output.splitlines() if line.endswith(" configured")}
    # Of kinds whose lists it replaces as a whole kubectl says so even when nothing has changed.
    return {
        name for name in configured if name.startswith(("configmap/", "secret/", "replicationcontroller/"))
    }


def namespace_of(objects: list[Object]) -> str:
    """The namespace of rendered objects."""
    (namespace,) = of_kind(objects, "Namespace")
    return namespace["metadata"]["name"]


def recreate_pods_of_changed(
    kubectl: Kubectl, folder: Path, changed: Collection[str] = (), *, grace_s: int | None = None
) -> list[str]:
    """Delete the pods that were made from something else than `folder` now says, and return their names.

    `changed` is what `apply` returned: it tells of what had been edited by hand, of which the fingerprint knows
    nothing. `grace_s` shortens the grace period that the pods ask for, and lets a Deployment replace all of its pods
    at once; without it those are left to roll, one by one. Does not wait.
    """
    wanted = rendered(folder)
    namespace = namespace_of(wanted)
    live = _live(kubectl, namespace)
    outdated = []
    for workload in of_kind(wanted, *WORKLOADS):
        name = workload["metadata"]["name"]
        pods = [pod for pod in live.pods.get(name, []) if "deletionTimestamp" not in pod["metadata"]]
        former = [pod for pod in pods if not _up_to_date(pod, workload)]
        sources = {
            f"{kind.lower()}/{each}" for kind, each in sources_of(workload["spec"]["template"]["spec"])
        }
        edited = not set(changed).isdisjoint({*sources, f"replicationcontroller/{name}"})
        if workload["kind"] != "ReplicationController" and grace_s is None:
            # What was edited shows in a new fingerprint, unless it was edited back by `apply`.
            replaced = pods if edited and not former else []
        else:
            replaced = pods if edited else former
            _scale_down_former(kubectl, namespace, live.replica_sets.get(name, []), workload)
        outdated += [pod["metadata"]["name"] for pod in replaced]
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
        live = _live(kubectl, namespace)
        pods_by_controller = live.pods
        workloads = of_kind(wanted, *WORKLOADS)
        former = pods_by_controller.keys() - {workload["metadata"]["name"] for workload in workloads}
        unsettled = [f"{name} is no longer wanted and has pods" for name in sorted(former)]
        for workload in workloads:
            pods = pods_by_controller.get(workload["metadata"]["name"], [])
            present = [pod for pod in pods if _up_to_date(pod, workload)]
            settled = (
                len(pods) == len(present) == workload["spec"]["replicas"]
                and (workload["kind"] != "Deployment" or _rolled_out(live, workload))
                and (workload["metadata"]["name"] in unready or all(is_ready(pod) for pod in present))
            )
            if not settled:
                states = ", ".join(f"{pod['metadata']['name']} {_state(pod, workload)}" for pod in pods)
                unsettled.append(f"{workload['metadata']['name']}: {states or 'no pods'}")
        if unsettled:
            backing_off = [
                pod["metadata"]["name"]
                for controller, pods in pods_by_controller.items()
                for pod in pods
                if controller not in unready and "CrashLoopBackOff" in _waiting_reasons(pod)
            ]
            if backing_off:
                _delete_pods(kubectl, namespace, backing_off, "--grace-period=1")
            raise NotYet("; ".join(unsettled))

    wait_until("Harbor's workloads are ready", ready, deadline_s=timeout_s, interval_s=interval_s)


def restart(kubectl: Kubectl, profile: Profile, name: str) -> None:
    """Let a Deployment replace its pods one by one, and wait for the last. Raises CommandFailed, NotReady."""
    resource, where = f"deployment/{name}", f"--namespace={profile.namespace}"
    kubectl("rollout", "restart", resource, where)
    # A command of its own may not run for as long as that may take.
    status = partial(kubectl, "rollout", "status", resource, where, "--timeout=20s")
    wait_until(f"the pods of {name} are replaced", status, deadline_s=_RESTART_S)


def _scale_down_former(
    kubectl: Kubectl, namespace: str, replica_sets: list[Object], workload: Object
) -> None:
    """Without pods of before, a Deployment makes all of the new ones at once."""
    for each in replica_sets:
        if each["spec"]["replicas"] and not _up_to_date(each["spec"]["template"], workload):
            resource = f"replicaset/{each['metadata']['name']}"
            kubectl("scale", resource, f"--namespace={namespace}", "--replicas=0")


def _put_fingerprint(workload: Object, objects: list[Object], settings: DeploymentSettings) -> None:
    template = workload["spec"]["template"]
    sources = [find(objects, kind, name).get("data") for kind, name in sorted(sources_of(template["spec"]))]
    used = [settings.images.get(container["image"]) for container in template["spec"]["containers"]]
    if template["metadata"].get("labels", {}).get("component") == "jobservice":
        # When it starts it writes into Redis what runs by itself, and never again.
        used.append(settings.session_store)
    digest = hashlib.sha256(json.dumps([template, sources, used], sort_keys=True).encode()).hexdigest()
    template["metadata"].setdefault("annotations", {})[FINGERPRINT] = digest[:16]


def _delete_unwanted(kubectl: Kubectl, wanted: list[Object], namespace: str) -> None:
    names = {(each["kind"], each["metadata"]["name"]) for each in wanted}
    kinds = ",".join(_PRUNED_KINDS.values())
    owned = kubectl("get", kinds, f"--namespace={namespace}", f"--selector={OWNED}", "--output=json")
    for each in json.loads(owned)["items"]:
        if (each["kind"], each["metadata"]["name"]) not in names:
            resource = f"{_PRUNED_KINDS[each['kind']]}/{each['metadata']['name']}"
            kubectl("delete", resource, f"--namespace={namespace}", "--wait=false", "--ignore-not-found")


@dataclass(frozen=True)
class _Live:
    """What is in the cluster, by the name of the workload that it belongs to."""

    pods: dict[str, list[Object]]
    replica_sets: dict[str, list[Object]]
    deployments: dict[str, Object]


def _live(kubectl: Kubectl, namespace: str) -> _Live:
    """Two workloads may share a selector, so the owner decides whose a pod is."""
    kinds = "pods,replicasets,deployments"
    objects = json.loads(kubectl("get", kinds, f"--namespace={namespace}", "--output=json"))["items"]
    live = _Live(defaultdict(list), defaultdict(list), {})
    for each in of_kind(objects, "Deployment"):
        live.deployments[each["metadata"]["name"]] = each
    workload_of = {}
    for each in of_kind(objects, "ReplicaSet"):
        for owner in _owners(each, "Deployment"):
            live.replica_sets[owner].append(each)
            workload_of[each["metadata"]["name"]] = owner
    for each in of_kind(objects, "Pod"):
        if each["status"].get("phase") not in ("Failed", "Succeeded"):
            owners = [workload_of[name] for name in _owners(each, "ReplicaSet") if name in workload_of]
            for owner in [*owners, *_owners(each, "ReplicationController"), *_owners(each, "StatefulSet")]:
                live.pods[owner].append(each)
    return live


def _owners(each: Object, kind: str) -> list[str]:
    owners = each["metadata"].get("ownerReferences", [])
    return [owner["name"] for owner in owners if owner["kind"] == kind]


def _rolled_out(live: _Live, workload: Object) -> bool:
    """Whether the Deployment's controller has seen what it is to be, and has no pods of what it was."""
    deployment = live.deployments.get(workload["metadata"]["name"])
    if (
        deployment is None
        or deployment["status"].get("observedGeneration", 0) < deployment["metadata"]["generation"]
    ):
        return False
    counts = {deployment["status"].get(count, 0) for count in ("replicas", "updatedReplicas")}
    return counts == {workload["spec"]["replicas"]}


def _up_to_date(each: Object, workload: Object) -> bool:
    """Whether a pod or a pod template is of the workload's present template."""
    fingerprint = workload["spec"]["template"]["metadata"]["annotations"][FINGERPRINT]
    return each["metadata"].get("annotations", {}).get(FINGERPRINT) == fingerprint


def is_ready(pod: Object) -> bool:
    """Whether a pod is Ready, and to stay."""
    conditions = pod["status"].get("conditions", [])
    return "deletionTimestamp" not in pod["metadata"] and any(
        condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions
    )


def _state(pod: Object, workload: Object) -> str:
    if "deletionTimestamp" in pod["metadata"]:
        return "is ending"
    if not _up_to_date(pod, workload):
        return "is outdated"
    if is_ready(pod):
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
