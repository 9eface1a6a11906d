"""Whether a change has reached all pods. The old ones, which are Ready, hide one that has not."""

from harbor_verify.checks import check
from harbor_verify.findings import Findings
from harbor_verify.target import Target


@check(
    "configuration.rollouts-complete",
    hint="The old pods serve, the new ones never come up, and the next lost node takes an old one for good. `kubectl "
    "rollout status` and `kubectl describe pod` of the new pod say why: an image that is not there, a claim that one "
    "node alone can mount (Multi-Attach), a setting that is missing. Mend it, or go back: `kubectl rollout undo`. What "
    "is held goes on when it is let: paused, `kubectl rollout resume`; a partition, set it to 0; OnDelete, delete the "
    "old pods one by one.",
    source="Kubernetes: Deployment status.updatedReplicas, condition Progressing; reports 1598 and 15468 of "
    "bitnami/charts",
)
def test_every_change_of_a_workload_has_reached_all_of_its_pods(
    harbor: Target, findings: Findings, not_applicable
):
    """All pods of every workload are of its template as it is now: no rollout is stuck half way.

    Source: what the controllers of Deployments and StatefulSets say, and whether they are told to hold (paused,
    partition, OnDelete). One that goes on is no failure, and no verdict.
    """
    rollouts = harbor.deployment.rollouts()
    if not rollouts:
        not_applicable("no workload here brings its pods to a changed template by itself")
    workloads = harbor.deployment.workloads
    for role, rollout in rollouts.items():
        with findings.about(
            workloads[role].object, "all of its pods are of its template as it is now"
        ) as pods:
            if rollout.is_complete:
                continue
            seen = f"{rollout.updated} of {rollout.desired} pods are of the new template"
            broken = [
                f"{replica.pod_name} {replica.state}"
                for replica in harbor.deployment.replicas(role)
                if replica.broken
            ]
            reasons = [*broken, *([rollout.stuck] if rollout.stuck else [])]
            if reasons:
                pods.wrong(f"{seen}; {'; '.join(reasons)}")
            else:
                pods.unknown(f"{seen}: a rollout goes on now")
