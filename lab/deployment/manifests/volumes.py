"""Volumes and claims, which Kubernetes does not let one change: they are deleted, and made anew by the next apply.

The volumes are kept (Retain) and name a folder of the file system: making one anew loses nothing.
"""

import json
from collections.abc import Callable
from typing import Any

from lab.deployment.manifests.objects import Object, of_kind
from lab.waiting import NotYet, wait_until

_DEADLINE_S = 120
_OF_THE_LAB = "harbor-lab/"
"""What labels begin with that the lab puts on what it deploys."""


def release_changed(
    kubectl: Callable[..., str], wanted: list[Object], namespace: str, *, grace_s: int | None = None
) -> bool:
    """Delete all volumes and claims if any differs from what is wanted, and end the pods that use them.

    All of them, since which volume a claim gets hangs on all volumes' labels. A StatefulSet that makes claims goes,
    too, or it would make them anew at once. Returns whether it had to be. Raises NotReady when they do not go; then
    most likely a pod that uses one does not end.
    """
    volumes, claims = of_kind(wanted, "PersistentVolume"), of_kind(wanted, "PersistentVolumeClaim")
    live = _live(kubectl, namespace)
    if not any(
        _differs(live[_resource(each)], each) for each in [*volumes, *claims] if _resource(each) in live
    ):
        return False
    makers = [each for each in of_kind(wanted, "StatefulSet") if each["spec"].get("volumeClaimTemplates")]
    _delete(kubectl, makers, namespace)
    _delete(kubectl, claims, namespace)
    _end_pods_using(kubectl, {claim["metadata"]["name"] for claim in claims}, namespace, grace_s)
    _wait_gone(kubectl, claims, namespace)
    _delete(kubectl, volumes, namespace)
    _wait_gone(kubectl, volumes, namespace)
    return True


def delete_unwanted(kubectl: Callable[..., str], wanted: list[Object], namespace: str) -> None:
    """Delete the lab's volumes that claims of this namespace had and that are no longer wanted; does not wait.

    Each stays until its claim has gone, which stays until its pods have. What is in it stays for whoever asks again.
    """
    names = {_resource(each) for each in wanted}
    live = _live(kubectl, namespace)
    unwanted = [
        each
        for resource, each in live.items()
        if each["kind"] == "PersistentVolume"
        and resource not in names
        and each["spec"].get("claimRef", {}).get("namespace") == namespace
        and any(label.startswith(_OF_THE_LAB) for label in each["metadata"].get("labels", {}))
    ]
    _delete(kubectl, unwanted, namespace)


def _resource(each: Object) -> str:
    return f"{each['kind'].lower()}/{each['metadata']['name']}"


def _live(kubectl: Callable[..., str], namespace: str) -> dict[str, Object]:
    kinds = "persistentvolumes,persistentvolumeclaims"
    objects = json.loads(kubectl("get", kinds, f"--namespace={namespace}", "--output=json"))["items"]
    return {_resource(each): each for each in objects}


def _differs(live: Object, wanted: Object) -> bool:
    if (
        live["status"].get("phase") in ("Released", "Failed", "Lost")
        or "deletionTimestamp" in live["metadata"]
    ):
        return True
    # A claim chooses once: relabelling a volume under it changes nothing until both are made anew. Nobody chooses a
    # claim by its labels, and a StatefulSet puts its own on those that it makes.
    labels_agree = wanted["kind"] != "PersistentVolume" or _choosable(live) == _choosable(wanted)
    selectors_agree = live["spec"].get("selector") == wanted["spec"].get("selector")
    return not (labels_agree and selectors_agree and _contains(live["spec"], wanted["spec"]))


def _choosable(volume: Object) -> dict[str, str]:
    labels = volume["metadata"].get("labels", {})
    return {key: value for key, value in labels.items() if not key.startswith(_OF_THE_LAB)}


def _contains(live: Any, wanted: Any) -> bool:
    """Whether `live` says all that `wanted` does; the API server adds to what it was given, and omits ""."""
    if isinstance(wanted, dict):
        return isinstance(live, dict) and all(
            _contains(live.get(key, ""), value) for key, value in wanted.items()
        )
    return live == wanted


def _delete(kubectl: Callable[..., str], those: list[Object], namespace: str) -> None:
    for each in those:
        kubectl("delete", _resource(each), f"--namespace={namespace}", "--wait=false", "--ignore-not-found")


def _end_pods_using(
    kubectl: Callable[..., str], claims: set[str], namespace: str, grace_s: int | None
) -> None:
    pods = json.loads(kubectl("get", "pods", f"--namespace={namespace}", "--output=json"))["items"]
    users = [
        pod["metadata"]["name"]
        for pod in pods
        if any(
            volume.get("persistentVolumeClaim", {}).get("claimName") in claims
            for volume in pod["spec"].get("volumes", [])
        )
    ]
    if users:
        grace = () if grace_s is None else (f"--grace-period={grace_s}",)
        kubectl(
            "delete", "pods", f"--namespace={namespace}", "--wait=false", "--ignore-not-found", *grace, *users
        )


def _wait_gone(kubectl: Callable[..., str], those: list[Object], namespace: str) -> None:
    def gone() -> None:
        left = sorted(_live(kubectl, namespace).keys() & {_resource(each) for each in those})
        if left:
            raise NotYet(", ".join(left))

    wait_until("volumes and claims are released", gone, deadline_s=_DEADLINE_S, interval_s=0.5)
