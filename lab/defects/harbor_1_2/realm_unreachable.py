"""The registry sends clients for their tokens to the ui by the name of its Service, which nobody outside knows."""

from lab.defects import Defect
from lab.deployment.manifests.objects import Object, find


def _name_a_service(objects: list[Object]) -> None:
    data = find(objects, "ConfigMap", "harbor-registry-config")["data"]
    lines = data["config"].splitlines(keepends=True)
    data["config"] = "".join(
        f"{line.partition('realm:')[0]}realm: http://ui/service/token\n" if "realm:" in line else line
        for line in lines
    )


DEFECT = Defect(
    report="h#10522",
    shows="the page works, and docker login ends with no such host",
    turns_red=frozenset(
        {
            "access.docker-login",
            "access.realm-reachable-by-clients",
            "registry.busybox-push-pull",
            "registry.kubelet-pulls-with-pull-secret",
        }
    ),
    causes=frozenset({"access.realm-reachable-by-clients"}),
    hint_says=("not the name of a Service",),
    change=_name_a_service,
)
