"""Whether a core lives is asked by a script of the cluster's operators, which asks the API server as well."""

from lab.defects import Defect
from lab.deployment.manifests.objects import Object, container_of

_SCRIPT = "exec 3<>/dev/tcp/$KUBERNETES_SERVICE_HOST/$KUBERNETES_SERVICE_PORT"


def _ask(objects: list[Object]) -> None:
    container_of(objects, "harbor-core")["livenessProbe"] = {
        "exec": {"command": ["bash", "-c", _SCRIPT]},
        "periodSeconds": 1,
        "timeoutSeconds": 1,
        "failureThreshold": 1,
    }


DEFECT = Defect(
    report="kubernetes: liveness probes that ask for what the program itself does not need",
    shows="nothing, until the API server is away for seconds: then every core is restarted at once",
    turns_red=frozenset({"failover.api-server-loss"}),
    hint_says=("livenessProbe",),
    change=_ask,
)
