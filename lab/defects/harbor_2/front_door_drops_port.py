"""nginx passes the name of the host on without its port, as $host has it, so Harbor sends clients to port 80."""

from lab.defects import Defect
from lab.defects.edit import Edit

_EDIT = Edit(
    "harbor-nginx",
    "nginx.conf",
    old="proxy_set_header Host $http_host;",
    new="proxy_set_header Host $host;",
    workload="harbor-nginx",
)

DEFECT = Defect(
    report="h#23138, h#10522, container-registry/harbor-next#926",
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
    hint_says=("Host header",),
    change=_EDIT.everywhere,
)
