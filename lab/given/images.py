"""Images: the lab has stand-ins for Harbor's own, by their names; whatever else runs in a pod idles there."""

from lab.deployment import store_images
from lab.deployment.images import PARTS, repository
from lab.deployment.manifests.objects import WORKLOADS, Object, of_kind
from lab.errors import LabError

_VERSION = "v2.15.2"
_STORES = {
    name.partition(":")[0].rpartition("/")[2]: name
    for name in (store_images.DATABASE, store_images.SESSION_STORE)
}
_LEFT_OUT = frozenset({"trivy-adapter-photon"})
"""Parts that nobody needs to push, pull and sign in, nor the suite."""
_NGINX = frozenset({"harbor-portal", "nginx-photon"})
_LOGS = "harbor-lab-nginx-logs"
_IDLE_IMAGE = f"goharbor/nginx-photon:{_VERSION}"
_IDLE = ["/bin/sh", "-c", "trap 'exit 0' TERM QUIT; sleep 2147483647 & wait"]
_ENDS_AT_ONCE = ["/bin/true"]
_OF_A_PROGRAM = ("args", "livenessProbe", "readinessProbe", "startupProbe", "lifecycle", "securityContext")


def adapt(objects: list[Object]) -> list[str]:
    """Put the lab's images in the place of Harbor's; raises LabError where nothing is left that is Harbor's."""
    notes = []
    for workload in of_kind(objects, *WORKLOADS):
        name, pod = workload["metadata"]["name"], workload["spec"]["template"]["spec"]
        repositories = {repository(container["image"]) for container in pod["containers"]}
        if repositories & _LEFT_OUT:
            _remove(objects, workload)
            notes.append(f"{workload['kind']} {name} is left out: the lab has no program for it")
            continue
        if not repositories & {*PARTS, *_STORES}:
            raise LabError(
                f"{workload['kind']} {name}: the lab has no program for {', '.join(sorted(repositories))}; it knows "
                f"the images of goharbor: {', '.join(sorted({*PARTS, *_STORES}))}"
            )
        pod.pop("imagePullSecrets", None)
        for container in pod["containers"]:
            if repository(container["image"]) in _NGINX:
                _let_write_logs(pod, container)
            notes += _adapt(container, name, _IDLE)
        for container in pod.get("initContainers") or []:
            notes += _adapt(container, name, _ENDS_AT_ONCE)
    return notes


def _let_write_logs(pod: Object, container: Object) -> None:
    """The chart's own configuration lets nginx log to files, in a folder that only Harbor's images let it write to."""
    volume = {"name": _LOGS, "emptyDir": {}}
    if volume not in pod.setdefault("volumes", []):
        pod["volumes"].append(volume)
    container.setdefault("volumeMounts", []).append({"name": _LOGS, "mountPath": "/var/log/nginx"})


def _adapt(container: Object, workload: str, otherwise: list[str]) -> list[str]:
    name = repository(container["image"])
    former, container["imagePullPolicy"] = container["image"], "IfNotPresent"
    if name in PARTS or name in _STORES:
        container["image"] = _STORES.get(name, f"goharbor/{name}:{_VERSION}")
        return []
    container |= {"image": _IDLE_IMAGE, "command": otherwise}
    for field in _OF_A_PROGRAM:
        container.pop(field, None)
    return [f"{workload}: container {container['name']} ({former}) does nothing in the lab"]


def _remove(objects: list[Object], workload: Object) -> None:
    """Also the Services that lead to nobody else."""
    labels = workload["spec"]["template"]["metadata"].get("labels") or {}
    objects.remove(workload)
    for service in of_kind(objects, "Service"):
        selector = service["spec"].get("selector") or {}
        if selector and selector.items() <= labels.items():
            objects.remove(service)
