"""What Harbor's containers ask their nodes for, and what they may take."""

from harbor_verify.checks import SHOULD, check
from harbor_verify.findings import Findings
from harbor_verify.target import Target

_ASKED = (("requests", "cpu"), ("requests", "memory"), ("limits", "memory"))


@check(
    "capacity.resources-declared",
    hint="Set resources for each part (the chart: core.resources, registry.registry.resources, "
    "registry.controller.resources, …; none by default): requests as much as it takes on a usual day (`kubectl top pod "
    "--containers`), a memory limit of some times that. Without requests the scheduler fills a node as if the pod took "
    "nothing, and when the node has no memory left such pods are evicted first, with all their replicas there; without "
    "a memory limit one that grows takes its neighbours along. A CPU limit is not needed: it makes answers slow.",
    source="Kubernetes: resources of containers, QoS classes, node-pressure eviction",
    severity=SHOULD,
)
def test_every_container_says_what_it_needs(harbor: Target, findings: Findings):
    """Every container of Harbor's requests CPU and memory, and has a memory limit.

    Source: the templates of its workloads, and the pods as they are: a LimitRange may have given them their resources.
    """
    for role, workload in harbor.deployment.workloads.items():
        replicas = harbor.deployment.replicas(role)
        specs = [replica.pod.spec for replica in replicas] or [workload.template.spec]
        own = {container.name for container in workload.template.spec.containers}
        with findings.about(workload.object, "requests of cpu and memory, and a limit of memory") as template:
            for container in specs[0].containers:
                lacking = _lacking(container) if container.name in own else []
                if lacking:
                    template.wrong(f"container {container.name} has no {', no '.join(lacking)}")


def _lacking(container):
    resources = container.resources
    return [
        f"{kind}.{name}"
        for kind, name in _ASKED
        if not (resources and (getattr(resources, kind) or {}).get(name))
    ]
