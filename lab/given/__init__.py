"""Manifests that somebody has rendered, of the official chart with values of their own, put into the lab.

They stay what they are, but for what the lab has not: images, addresses of stores outside, volumes, a load balancer.
Each change is noted in a sentence. What is left, replicas, strategies, probes, access modes, budgets, is what the suite
judges.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from lab.deployment.manifests.objects import LOADER, WORKLOADS, Object, of_kind
from lab.errors import LabError
from lab.given import bucket, front_door, images, secrets, stores, text, volumes
from lab.harbor.harbor_2.bucket import Bucket

__all__ = ["Adapted", "Place", "adapted", "read"]

_KINDS = frozenset(
    {
        *WORKLOADS,
        "ConfigMap",
        "Ingress",
        "PersistentVolumeClaim",
        "PodDisruptionBudget",
        "Secret",
        "Service",
        "ServiceAccount",
    }
)


@dataclass(frozen=True)
class Place:
    """Where in the lab they go, and what stands there in the place of what they ask for."""

    namespace: str
    doors: front_door.Doors
    admin_password: str = field(repr=False)
    ceph_key: str = field(repr=False)
    """As a Secret has it, in base64."""
    monitor: str
    """HOST:PORT of Ceph's monitor."""
    folder: str
    """On the lab's file system, for its volumes."""
    stores: stores.Stores
    bucket: Bucket


def read(file: Path) -> list[Object]:
    """The objects of a file of YAML documents; raises LabError where that is not what it is."""
    try:
        documents = list(yaml.load_all(file.read_text(), Loader=LOADER))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as wrong:
        raise LabError(f"{file} cannot be read as manifests: {wrong}") from wrong
    objects = [
        each
        for document in documents
        if isinstance(document, dict)
        for each in (
            document.get("items", []) if str(document.get("kind", "")).endswith("List") else [document]
        )
    ]
    if not of_kind(objects, *WORKLOADS):
        raise LabError(
            f"{file} has no Deployment and no StatefulSet: is it what `helm template` prints of Harbor's chart?"
        )
    return objects


@dataclass(frozen=True)
class Adapted:
    """Objects as the lab can carry them."""

    objects: list[Object]
    door: front_door.Door
    bucket: bool
    """Whether images are in the bucket."""
    notes: list[str]
    """What was changed, in sentences."""


def adapted(objects: Sequence[Object], place: Place) -> Adapted:
    """These objects as the lab can carry them; the given ones stay as they are.

    Raises LabError where a part of Harbor has an image that the lab has no program for, and for a way in that the lab
    has not.
    """
    former = next((each["metadata"].get("namespace") for each in of_kind(objects, *WORKLOADS)), None)
    known = [
        text.changed(each, _in_namespace(former, place.namespace))
        for each in objects
        if each["kind"] in _KINDS
    ]
    notes = [
        f"{each['kind']} {each['metadata']['name']} is left out: the lab has no use for its kind"
        for each in objects
        if each["kind"] not in {*_KINDS, "Namespace"}
    ]
    for workload in of_kind(known, *WORKLOADS):
        workload["spec"].setdefault("replicas", 1)
    for each in known:
        each["metadata"]["namespace"] = place.namespace
        each["metadata"].setdefault("labels", {})
        # A hook of helm's is an object like others here.
        for annotation in [
            key for key in each["metadata"].get("annotations") or {} if key.startswith("helm.sh/")
        ]:
            del each["metadata"]["annotations"][annotation]
    secrets.decode(known)
    notes += images.adapt(known)
    changed_stores, passwords = stores.adapt(known, place.stores)
    changed_bucket, keys = bucket.adapt(known, place.bucket)
    notes += changed_stores + changed_bucket
    door, changed_door = front_door.adapt(known, place.doors)
    notes += changed_door
    notes += secrets.adapt(known, {"HARBOR_ADMIN_PASSWORD": place.admin_password, **passwords, **keys})
    notes += volumes.adapt(known, place.ceph_key, place.monitor, place.folder)
    namespace: Object = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": place.namespace}}
    return Adapted([namespace, *known], door, bool(changed_bucket), notes)


def _in_namespace(former: str | None, namespace: str) -> text.Change:
    """Full names of Services tell the namespace."""
    return lambda words: words.replace(f".{former}.svc", f".{namespace}.svc") if former else words
