"""The realm in the registry's configuration is without the port: clients are sent for their tokens to port 80."""

import re

from lab.defects import Defect
from lab.deployment.manifests.objects import Object, find


def _drop_port(objects: list[Object]) -> None:
    data = find(objects, "ConfigMap", "harbor-registry-config")["data"]
    data["config"] = re.sub(r"(realm: http://[^:/]+):\d+/", r"\1/", data["config"])


DEFECT = Defect(
    report="h#10522",
    shows="the page works, and docker login ends with connection refused, at the port 80 that nobody asked for",
    turns_red=frozenset(
        {
            "access.docker-login",
            "access.realm-reachable-by-clients",
            "registry.busybox-push-pull",
            "registry.kubelet-pulls-with-pull-secret",
        }
    ),
    causes=frozenset({"access.realm-reachable-by-clients"}),
    hint_says=("HOST[:PORT]",),
    change=_drop_port,
)
