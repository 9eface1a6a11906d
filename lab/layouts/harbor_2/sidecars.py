"""A mesh has put a container of its own in front of Harbor's in each pod, and one that only starts before them."""

from lab.deployment.manifests.objects import WORKLOADS, Object, of_kind
from lab.layouts import Layout

_IMAGE = "goharbor/nginx-photon:v2.15.2"
"""Any that the lab has, with a shell."""


def _add_proxies(objects: list[Object]) -> None:
    for workload in of_kind(objects, *WORKLOADS):
        pod = workload["spec"]["template"]["spec"]
        proxy = {
            "name": "mesh-proxy",
            "image": _IMAGE,
            "imagePullPolicy": "IfNotPresent",
            "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"memory": "64Mi"}},
            # Ends at once when it is told to (this image: by SIGQUIT), as PID 1 would not by itself.
            "command": ["/bin/sh", "-c", "trap 'exit 0' TERM QUIT; sleep 2147483647 & wait"],
            "env": [{"name": "CORE_URL", "value": "http://not-harbors"}],
            "ports": [{"name": "mesh-status", "containerPort": 15021}],
        }
        pod["containers"].insert(0, proxy)
        pod.setdefault("initContainers", []).insert(
            0,
            {
                "name": "mesh-init",
                "image": _IMAGE,
                "imagePullPolicy": "IfNotPresent",
                "command": ["/bin/true"],
            },
        )


LAYOUT = Layout(
    about="another container stands before Harbor's own in each pod, as meshes and log shippers have it",
    change=_add_proxies,
)
