"""A copy of the lab's Harbor 2.x, taken while it works, and a second Harbor made of it: what restore drills are about.

It does what an operator's own commands do: database, then storage, then secrets; and all of that in a namespace of its
own, with one replica of each part.
"""

import shutil
from dataclasses import replace
from pathlib import Path

from lab.cluster import Deployed
from lab.deployment import rollout
from lab.deployment.manifests import stores
from lab.deployment.manifests.objects import Object, find, of_kind
from lab.errors import LabError
from lab.kubernetes.control_plane import kubectl
from lab.profiles import HARBOR_2
from lab.stores import ceph, postgresql, redis_sentinel

RESTORED = replace(HARBOR_2, namespace="harbor-2-restored", node_port=31790, settle=lambda kubectl: None)
"""It is made from the same manifests."""
_DUMP, _SECRETS = "registry.sql", "secrets.json"
_FOLDERS = ("jobservice", "registry")
_DATABASE = postgresql.SECOND_DATABASE
_FIRST_REDIS = 6
_DEADLINE_S = 180


def take(folder: Path, *, storage_first: bool = False) -> None:
    """Copy the lab's Harbor into the folder; its storage goes to another folder of the file system.

    `storage_first`: the wrong way round: what is pushed in between is in the database and not in the storage.
    Raises LabError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    steps = [lambda: _take_database(folder), _take_storage]
    for step in reversed(steps) if storage_first else steps:
        step()
    shutil.copy(HARBOR_2.folder / _SECRETS, folder / _SECRETS)


def restore(folder: Path) -> None:
    """Bring a Harbor up that is made of the copy, and wait until it is Ready. Raises LabError."""
    if not (folder / _DUMP).exists():
        raise LabError(f"{folder} holds no copy; `python -m lab copy {folder}` takes one")
    postgresql.load((folder / _DUMP).read_text(), _DATABASE)
    redis_sentinel.empty(range(_FIRST_REDIS, _FIRST_REDIS + 3))
    RESTORED.folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(folder / _SECRETS, RESTORED.folder / _SECRETS)
    rollout.deploy(
        Deployed.kubectl,
        RESTORED,
        Deployed(RESTORED).deployment_settings,
        change=_set_apart,
        timeout_s=_DEADLINE_S,
    )


def remove() -> None:
    """Take the restored Harbor and its stores away, as far as they are there. Raises LabError."""
    if (RESTORED.folder / "harbor.yaml").exists():
        volumes = [
            each["metadata"]["name"]
            for each in of_kind(rollout.rendered(RESTORED.folder), "PersistentVolume")
        ]
        kubectl("delete", "namespace", RESTORED.namespace, "--ignore-not-found", timeout_s=_DEADLINE_S)
        kubectl("delete", "persistentvolume", *volumes, "--ignore-not-found")
        shutil.rmtree(RESTORED.folder)
    postgresql.remove_database(_DATABASE)
    ceph.remove(f"apps/{RESTORED.namespace}")


def _take_database(folder: Path) -> None:
    dump = folder / _DUMP
    dump.touch(mode=0o600)
    dump.write_text(postgresql.dump())


def _take_storage() -> None:
    for name in _FOLDERS:
        ceph.copy(f"apps/{HARBOR_2.namespace}/{name}", f"apps/{RESTORED.namespace}/{name}")


def _set_apart(objects: list[Object]) -> None:
    """Nothing of it is anything of the Harbor that was copied."""
    stores.use_own(objects, "harbor", database=_DATABASE, first_redis=_FIRST_REDIS)
    find(objects, "ConfigMap", "harbor-core")["data"]["EXT_ENDPOINT"] = RESTORED.url
    for workload in of_kind(objects, "Deployment"):
        workload["spec"]["replicas"] = 1
    for service in of_kind(objects, "Service"):
        for port in service["spec"]["ports"]:
            if port.get("nodePort") == HARBOR_2.node_port:
                port["nodePort"] = RESTORED.node_port
    for volume in of_kind(objects, "PersistentVolume"):
        metadata, source = volume["metadata"], volume["spec"]["cephfs"]
        metadata["name"] = metadata["name"].replace(HARBOR_2.namespace, RESTORED.namespace)
        metadata["labels"]["release"] = RESTORED.namespace
        source["path"] = source["path"].replace(HARBOR_2.namespace, RESTORED.namespace)
    for claim in of_kind(objects, "PersistentVolumeClaim"):
        claim["spec"]["selector"]["matchLabels"]["release"] = RESTORED.namespace
