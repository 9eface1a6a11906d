"""The configuration store has one pod, which takes its time to be Ready."""

from lab.defects import Defect
from lab.deployment.manifests.objects import Object, container_of, workload

_RC = "adminserver-rc"
_UNTIL_READY_S = 30
"""Longer than the one before goes on serving after it was deleted."""


def _leave_one(objects: list[Object]) -> None:
    workload(objects, _RC)["spec"]["replicas"] = 1
    container_of(objects, _RC)["readinessProbe"]["initialDelaySeconds"] = _UNTIL_READY_S


DEFECT = Defect(
    report="the reference deployment: adminserver-rc has one replica",
    shows="when its pod dies nobody can sign in until there is another, with every other part well",
    turns_red=frozenset({"configuration.components-replicated", "failover.configuration-store-pod-kill"}),
    causes=frozenset({"configuration.components-replicated"}),
    not_applicable=frozenset({"configuration.configuration-store-replicas-agree"}),
    change=_leave_one,
)
