"""How many there are of each part of Harbor, and where."""

from collections import Counter

from harbor_verify.checks import SHOULD, check
from harbor_verify.findings import Findings
from harbor_verify.model.workloads import may_get_ready
from harbor_verify.settings import Settings
from harbor_verify.target import Target
from harbor_verify.waiting import once_converged


@check(
    "configuration.components-replicated",
    hint="Too few: `kubectl scale KIND NAME --replicas=3`, and in the manifest, or the next deployment takes it back. "
    "Not Ready: `kubectl describe pod` and `kubectl logs --previous` of the pod that is named.",
    source="Kubernetes: ReplicationController and Deployment spec.replicas, pod condition Ready",
    builds_on=("storage.claims-bound", "configuration.rollouts-complete"),
)
def test_every_part_has_the_replicas_that_it_needs_and_all_are_ready(
    harbor: Target, findings: Findings, settings: Settings
):
    """Every part of Harbor that must not be missed has at least two replicas, and all replicas of every part are Ready.

    Source: Kubernetes API. What works off a queue may be alone, as the profile says. Where as many as are needed are
    Ready and one more is starting, an autoscaler may just have asked for it: it is looked again.
    """
    seen, _ = once_converged(
        "all replicas that are asked for are Ready",
        lambda: _counted(harbor, settings),
        lambda counted: counted[1],
        timeout_s=settings.converge_timeout_s,
    )
    findings.take(seen)


def _counted(harbor, settings):
    """Findings about each workload, and whether waiting would change nothing of them."""
    findings, settled = Findings(), True
    # How many are asked for is read first: an autoscaler that asks for more in between is not held against them.
    workloads = harbor.deployment.workloads
    all_replicas = harbor.deployment.all_replicas()
    for role, workload in workloads.items():
        with findings.about(workload.object, f"{workload.desired} Ready replicas") as replicated:
            least = harbor.profile.parts[role].least
            if workload.desired < least:
                expected = f"at least {least} replicas are asked for"
                replicated.wrong(str(workload.desired), expected=expected)
            replicas = all_replicas[role]
            ready = sum(replica.ready for replica in replicas)
            if ready < workload.desired:
                states = [f"{replica.pod_name} {replica.state}" for replica in replicas if not replica.ready]
                replicated.wrong(f"{ready} Ready" + (f"; {', '.join(states)}" if states else ""))
                settled &= not may_get_ready(replicas, least, settings.converge_timeout_s)
    return findings, settled


@check(
    "configuration.replicas-spread-over-nodes",
    hint="Give the pod template a podAntiAffinity (or topologySpreadConstraints) on kubernetes.io/hostname, then "
    "delete one of the pods that are together. It only counts when a pod is placed: after a node was away, all may "
    "be on one.",
    source="Kubernetes: podAntiAffinity, topologySpreadConstraints",
    needs=("nodes",),
    severity=SHOULD,
    builds_on=("configuration.components-replicated",),
)
def test_the_replicas_of_a_part_are_on_several_nodes(harbor: Target, findings: Findings, not_applicable):
    """Every workload with several replicas runs on several nodes, with no more than half of them, rounded up, on one.

    Source: the nodes of its pods. Together on one they are lost together; of three two may be.
    """
    nodes = harbor.deployment.nodes()
    if len(nodes) < 2:
        not_applicable(f"the cluster has {len(nodes)} Ready node: there is no other to spread to")
    several = {role: w for role, w in harbor.deployment.workloads.items() if w.desired > 1}
    if not several:
        not_applicable("no workload has several replicas")
    all_replicas = harbor.deployment.all_replicas()
    for role, workload in several.items():
        expected = f"its {workload.desired} replicas are on several of {len(nodes)} Ready nodes"
        with findings.about(workload.object, expected) as spread:
            used = Counter(replica.node for replica in all_replicas[role] if replica.node)
            ((fullest, most),) = used.most_common(1) or [("", 0)]
            half = -(-used.total() // 2)
            if len(used) < 2:
                spread.wrong(f"all on {fullest}" if used else "on none")
            elif most > half:
                expected = (
                    f"at most {half} of its {used.total()} replicas are on one of {len(nodes)} Ready nodes"
                )
                spread.wrong(f"{most} on {fullest}", expected=expected)
