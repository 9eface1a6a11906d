"""Claims: each gets a volume of the lab's CephFS, as large as it asks for, and with the access modes that it names."""

import copy

from lab.deployment.manifests.objects import Object, of_kind

_SECRET = "harbor-lab-ceph"


def adapt(objects: list[Object], ceph_key: str, monitor: str, folder: str) -> list[str]:
    """Make a volume for each claim, also for those that a StatefulSet makes: below `folder` of the file system."""
    namespace = next(each["metadata"]["namespace"] for each in objects)
    templates = [
        template
        for workload in of_kind(objects, "StatefulSet")
        for template in workload["spec"].get("volumeClaimTemplates") or []
    ]
    classes = set()
    for claim in [*of_kind(objects, "PersistentVolumeClaim"), *templates]:
        classes.add(str(claim["spec"].get("storageClassName") or "default"))
        for field in ("selector", "volumeName", "dataSource"):
            claim["spec"].pop(field, None)
        # With a class, somebody would be waited for who makes volumes of it.
        claim["spec"]["storageClassName"] = ""
    made = [claim for each in of_kind(objects, "StatefulSet") for claim in _claims_of(each, namespace)]
    claims = [*of_kind(objects, "PersistentVolumeClaim"), *made]
    if not claims:
        return []
    # Before the StatefulSets, which would make these claims themselves at the same moment.
    objects[:0] = [*made, *(_volume(claim, namespace, monitor, folder) for claim in claims)]
    secret: Object = {"apiVersion": "v1", "kind": "Secret", "type": "Opaque", "data": {"key": ceph_key}}
    objects.append({**secret, "metadata": {"name": _SECRET, "namespace": namespace, "labels": {}}})
    return [f"storage class {', '.join(sorted(classes))}: the lab's CephFS, which every node can mount"]


def folders(objects: list[Object]) -> dict[str, str]:
    """The folders that these volumes need on the file system, and whose they are (USER:GROUP)."""
    return {
        volume["spec"]["cephfs"]["path"].lstrip("/"): _owner(volume["spec"]["claimRef"]["name"])
        for volume in of_kind(objects, "PersistentVolume")
    }


def _owner(claim: str) -> str:
    """Whom the chart lets the pods run as."""
    return "999:999" if {"database", "redis"} & set(claim.split("-")) else "10000:10000"


def _claims_of(workload: Object, namespace: str) -> list[Object]:
    """Those that the StatefulSet would make by itself; made beforehand, they go with all else."""
    claims: list[Object] = []
    for template in workload["spec"].get("volumeClaimTemplates") or []:
        template["metadata"] = {"name": template["metadata"]["name"]}
        for ordinal in range(workload["spec"].get("replicas", 1)):
            name = f"{template['metadata']['name']}-{workload['metadata']['name']}-{ordinal}"
            claims.append(
                {
                    "apiVersion": "v1",
                    "kind": "PersistentVolumeClaim",
                    "metadata": {"name": name, "namespace": namespace, "labels": {}},
                    "spec": copy.deepcopy(template["spec"]),
                }
            )
    return claims


def _volume(claim: Object, namespace: str, monitor: str, folder: str) -> Object:
    name = claim["metadata"]["name"]
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": f"{namespace}-{name}", "labels": {}},
        "spec": {
            "capacity": {"storage": claim["spec"]["resources"]["requests"]["storage"]},
            "accessModes": list(claim["spec"]["accessModes"]),
            "persistentVolumeReclaimPolicy": "Retain",
            "storageClassName": "",
            # No other claim takes it.
            "claimRef": {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "namespace": namespace,
                "name": name,
            },
            "cephfs": {
                "monitors": [monitor],
                "path": f"/{folder}/{name}",
                "user": "admin",
                "secretRef": {"name": _SECRET},
            },
        },
    }
