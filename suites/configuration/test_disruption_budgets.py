"""What keeps a drain from taking all replicas of a part at once."""

from harbor_verify.checks import check
from harbor_verify.model import budgets
from harbor_verify.verdict import Offender, judge


@check(
    "configuration.disruption-budgets-present",
    hint="Make a PodDisruptionBudget for the workload that is named: `kubectl create poddisruptionbudget NAME "
    "--selector=… --max-unavailable=1`. Without one a drain of several nodes, as each upgrade of the cluster makes "
    "it, may evict all replicas at once. One that lets nobody go (maxUnavailable 0, minAvailable as many as there "
    "are), or two for the same pods, let no node be drained at all, and whoever has to drain deletes them.",
    source="Kubernetes: PodDisruptionBudget, eviction; report 1509 of goharbor/harbor-helm",
    needs=("disruption-budgets",),
)
def test_a_drain_cannot_evict_all_replicas_of_a_part(harbor, not_applicable):
    """Every workload with several replicas has one PodDisruptionBudget; some of them may be evicted at once, not all.

    Source: Kubernetes API, PodDisruptionBudget: its selector, minAvailable, maxUnavailable.
    """
    several = [workload for workload in harbor.deployment.workloads.values() if workload.desired > 1]
    if not several:
        not_applicable("no workload has several replicas")
    there = harbor.deployment.disruption_budgets()
    offenders = []
    for workload in several:
        labels = (workload.template.metadata.labels or {}) if workload.template.metadata else {}
        chosen = [budget for budget in there if budgets.chooses(budget, labels)]
        expected = f"a PodDisruptionBudget keeps some of its {workload.desired} replicas"
        if not chosen:
            offenders.append(Offender(workload.object, expected, "none chooses its pods"))
            continue
        names = ", ".join(budget.metadata.name for budget in chosen)
        if len(chosen) > 1:
            observed = f"{names}: of a pod with {len(chosen)} budgets the API refuses every eviction"
            offenders.append(Offender(workload.object, "one PodDisruptionBudget chooses its pods", observed))
            continue
        allowed = budgets.allowed(chosen[0], workload.desired)
        if allowed >= workload.desired:
            offenders.append(Offender(workload.object, expected, f"{names} lets all of them go"))
        elif allowed < 1:
            expected = f"a PodDisruptionBudget lets one of its {workload.desired} replicas be evicted"
            offenders.append(Offender(workload.object, expected, f"{names} lets none go: no drain ever ends"))
    judge(offenders, examined=len(several))
