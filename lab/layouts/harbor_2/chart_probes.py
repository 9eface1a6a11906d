"""Two replicas of each part, as the official chart renders them: its probes, no pause before the end, no budgets.

What deploy/ adds to the chart is taken away again, so that one can measure what it is worth (docs/hardening.md). Kept
are the stores, and that replicas lie on different nodes; the chart leaves that to chance.
"""

import re

from lab.deployment.manifests.objects import Object, find
from lab.layouts import Layout

_REPLICAS = 2
_READY = {"initialDelaySeconds": 1, "periodSeconds": 10, "timeoutSeconds": 1, "failureThreshold": 3}
_ALIVE = {**_READY, "initialDelaySeconds": 300}
_PROBES: dict[str, dict[str, dict[str, int]]] = {
    "core": {
        "startupProbe": {**_READY, "initialDelaySeconds": 10, "failureThreshold": 360},
        "readinessProbe": {**_READY, "initialDelaySeconds": 0, "failureThreshold": 2},
        "livenessProbe": {**_READY, "initialDelaySeconds": 0, "failureThreshold": 2},
    },
    "jobservice": {"readinessProbe": {**_READY, "initialDelaySeconds": 20}},
}
"""By container, where they are other than `_READY` and `_ALIVE`; charts 1.16 to 1.19."""


def _as_the_chart(objects: list[Object]) -> None:
    objects[:] = [found for found in objects if found["kind"] != "PodDisruptionBudget"]
    for found in objects:
        if found["kind"] == "Deployment":
            found["spec"]["replicas"] = _REPLICAS
            found["spec"]["strategy"] = {"type": "RollingUpdate"}
            pod = found["spec"]["template"]["spec"]
            pod.pop("tolerations", None)
            for container in pod["containers"]:
                _as_its_container(container)
    nginx = find(objects, "ConfigMap", "harbor-nginx")["data"]
    once = re.sub(r"(?m)^( *server harbor-.*\n)\1+", r"\1", nginx["nginx.conf"])
    nginx["nginx.conf"] = re.sub(r"(?m)^ *proxy_(next_upstream|connect_timeout).*\n", "", once)


def _as_its_container(container: Object) -> None:
    container.pop("lifecycle", None)
    named = _PROBES.get(container["name"], {})
    asked = container["readinessProbe"]["httpGet"]
    container.pop("startupProbe", None)
    for name, times in {"readinessProbe": _READY, "livenessProbe": _ALIVE, **named}.items():
        container[name] = {"httpGet": dict(asked), **times}


LAYOUT = Layout(
    about="two replicas, with the probes, the end and the strategy that the official chart renders",
    change=_as_the_chart,
    turns_red=frozenset({"configuration.disruption-budgets-present"}),
)
