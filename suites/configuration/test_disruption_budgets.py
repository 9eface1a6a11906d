"""What keeps a drain from taking all replicas of a part at once."""

from harbor_verify.checks import SHOULD, check
from harbor_verify.findings import Findings
from harbor_verify.model import budgets
from harbor_verify.target import Target


@check(
    "configuration.disruption-budgets-present",
    hint="Make a PodDisruptionBudget for the workload that is named: `kubectl create poddisruptionbudget NAME "
    "--selector=… --max-unavailable=1`. Without one a drain of several nodes, as each upgrade of the cluster makes "
    "it, may evict all replicas at once. One that lets nobody go (maxUnavailable 0, minAvailable as many as there "
    "are, also of one), or two for the same pods, let no node be drained at all, and whoever has to drain deletes "
    "them.",
    source="Kubernetes: PodDisruptionBudget, eviction; report 1509 of goharbor/harbor-helm",
    needs=("disruption-budgets",),
    severity=SHOULD,
)
def test_a_drain_cannot_evict_all_replicas_of_a_part(harbor: Target, findings: Findings, not_applicable):
    """Every workload with several replicas has one PodDisruptionBudget, and none of any workload lets nobody go.

    Source: Kubernetes API, PodDisruptionBudget: its selector, minAvailable, maxUnavailable. Of several replicas some
    may be evicted at once, and not all. A single one needs no budget; one that keeps it keeps its node from being
    drained.
    """
    workloads = list(harbor.deployment.workloads.values())
    present = harbor.deployment.disruption_budgets()
    for workload in workloads:
        labels = (workload.template.metadata.labels or {}) if workload.template.metadata else {}
        chosen = [budget for budget in present if budgets.chooses(budget, labels)]
        if workload.desired > 1:
            _examine(findings, workload, chosen)
        elif workload.desired and chosen:
            with findings.about(
                workload.object, "a PodDisruptionBudget lets its one replica be evicted"
            ) as pod:
                for budget in chosen:
                    if budgets.allowed(budget, workload.desired) < 1:
                        pod.wrong(f"{budget.metadata.name} lets none go: no drain ever ends")
    if not findings.examined:
        not_applicable("no workload has several replicas")


def _examine(findings, workload, chosen):
    """Of a workload with several replicas, the budgets that choose its pods."""
    names = ", ".join(budget.metadata.name for budget in chosen)
    expected = f"a PodDisruptionBudget keeps some of its {workload.desired} replicas"
    with findings.about(workload.object, expected) as pods:
        if not chosen:
            pods.wrong("none chooses its pods")
        elif len(chosen) > 1:
            observed = f"{names}: of a pod with {len(chosen)} budgets the API refuses every eviction"
            pods.wrong(observed, expected="one PodDisruptionBudget chooses its pods")
        elif (allowed := budgets.allowed(chosen[0], workload.desired)) >= workload.desired:
            pods.wrong(f"{names} lets all of them go")
        elif allowed < 1:
            pods.wrong(
                f"{names} lets none go: no drain ever ends",
                expected=f"a PodDisruptionBudget lets one of its {workload.desired} replicas be evicted",
            )
