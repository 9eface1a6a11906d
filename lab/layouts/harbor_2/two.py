"""Two releases of the chart in one namespace: beside the Harbor that is judged a small one, with secrets of its own.

It has one replica of each part, keeps images and job logs in its containers, and shares PostgreSQL (in a database of
its own) and Redis (in databases of its own). Nobody leads clients to it.
"""

import re
from functools import partial
from typing import Any

from lab.deployment.manifests import secrets, stores
from lab.deployment.manifests.fill import fill
from lab.deployment.manifests.objects import WORKLOADS, Object, of_kind, read
from lab.layouts import Layout
from lab.profiles import HARBOR_2
from lab.stores import postgresql

RELEASE = "second"
_FIRST = "harbor"
"""The release of `deploy/`."""
_FIRST_REDIS = 3
_KINDS = ("ConfigMap", "Secret", "Service", "Deployment")
_PARTS = ("core", "jobservice", "portal", "registry")
_NAME = re.compile(r"\bharbor-(?=core|jobservice|portal|registry)")


def _add_second(objects: list[Object]) -> None:
    HARBOR_2.folder.mkdir(parents=True, exist_ok=True)
    own = secrets.kept(HARBOR_2.folder / "second.json", HARBOR_2.secrets)
    everything = fill(
        read(HARBOR_2.manifests, namespace=HARBOR_2.namespace),
        {**HARBOR_2.placeholders(own), "CHANGE-ME-CEPH-KEY": ""},
    )
    second = [
        _renamed(each)
        for each in of_kind(everything, *_KINDS)
        if each["metadata"].get("labels", {}).get("component") in _PARTS
        and each["metadata"]["name"] != "harbor-ceph"
    ]
    for workload in of_kind(second, *WORKLOADS):
        workload["spec"]["replicas"] = 1
        for volume in workload["spec"]["template"]["spec"]["volumes"]:
            if volume.pop("persistentVolumeClaim", None):
                volume["emptyDir"] = {}
    stores.use_own(second, RELEASE, database=postgresql.SECOND_DATABASE, first_redis=_FIRST_REDIS)
    objects += second


def _renamed(node: Any, key: str = "") -> Any:
    """The same of the second release: its labels, the names of its objects, and the hosts in its settings."""
    if isinstance(node, dict):
        return {name: _renamed(value, name) for name, value in node.items()}
    if isinstance(node, list):
        return [_renamed(value) for value in node]
    if key in ("release", "app.kubernetes.io/instance") and node == _FIRST:
        return RELEASE
    if isinstance(node, str) and key != "image":
        return _NAME.sub(f"{RELEASE}-", node)
    return node


LAYOUT = Layout(
    about="two releases in one namespace: beside the Harbor that is judged another, of one replica each",
    change=_add_second,
    ensure=partial(postgresql.ensure_own_database, RELEASE, postgresql.SECOND_DATABASE),
    settings=lambda: {"release": _FIRST},
)
