"""Whether the loss of one zone takes all replicas of a part with it."""

from harbor_verify.checks import SHOULD, check
from harbor_verify.findings import Findings
from harbor_verify.target import Target

_ZONE = "topology.kubernetes.io/zone"
_KEEPS_AWAY = ("NoSchedule", "NoExecute")


@check(
    "configuration.replicas-spread-over-zones",
    hint="Give the pod template topologySpreadConstraints on topology.kubernetes.io/zone (maxSkew 1, whenUnsatisfiable "
    "ScheduleAnyway; the chart: topologySpreadConstraints of each part), then restart it by `kubectl rollout restart`. "
    "A volume that one zone alone can mount keeps all of its pods there: images belong on what every zone reaches.",
    source="Kubernetes: topologySpreadConstraints; well-known labels, topology.kubernetes.io/zone",
    needs=("nodes",),
    severity=SHOULD,
    builds_on=("configuration.components-replicated",),
)
def test_the_replicas_of_a_part_are_in_several_zones(harbor: Target, findings: Findings, not_applicable):
    """In a cluster of several zones every workload with several replicas runs in more than one of them.

    Source: the zones of the nodes that its pods are on. Zones whose nodes keep ordinary pods away do not count.
    """
    nodes = {node.metadata.name: node for node in harbor.deployment.nodes()}
    zones = {name: (node.metadata.labels or {}).get(_ZONE) for name, node in nodes.items()}
    there_are = {zone for name, zone in zones.items() if zone and _takes(nodes[name])}
    if len(there_are) < 2:
        not_applicable(f"by the label {_ZONE} of nodes that take pods there are {len(there_are)} zones")
    all_replicas = harbor.deployment.all_replicas()
    for role, workload in harbor.deployment.workloads.items():
        used = [zones.get(replica.node) for replica in all_replicas[role] if replica.node]
        if workload.desired > 1 and len(used) > 1:
            expected = f"its {len(used)} replicas are in several of {len(there_are)} zones"
            with findings.about(workload.object, expected) as spread:
                # Of a node without the label nobody knows.
                if len(set(used)) < 2 and used[0]:
                    spread.wrong(f"all in {used[0]}")
    if not findings.examined:
        not_applicable("no workload has several replicas")


def _takes(node):
    """Whether ordinary pods may be placed on it."""
    taints = node.spec.taints or ()
    return not node.spec.unschedulable and not any(taint.effect in _KEEPS_AWAY for taint in taints)
