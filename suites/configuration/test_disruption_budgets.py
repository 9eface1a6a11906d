"""What keeps a drain from taking all replicas of a part at once."""

from fixtures.checks import check
from fixtures.model import budgets
from fixtures.verdict import Offender, judge


@check(
    "configuration.disruption-budgets-present",
    hint="Make a PodDisruptionBudget for the workload that is named: `kubectl create poddisruptionbudget NAME "
    "--selector=… --max-unavailable=1`. Without one a drain of several nodes, as each upgrade of the cluster makes "
    "it, may evict all replicas at once.",
    source="Kubernetes: PodDisruptionBudget, eviction; report 1509 of goharbor/harbor-helm",
    needs=("disruption-budgets",),
)
def test_a_drain_cannot_evict_all_replicas_of_a_part(harbor, skip):
    """Every workload with several replicas has a PodDisruptionBudget that does not let all of them be evicted at once.

    Source: Kubernetes API, PodDisruptionBudget: its selector, minAvailable, maxUnavailable.
    """
    several = [workload for workload in harbor.deployment.workloads.values() if workload.desired > 1]
    if not several:
        skip("no workload has several replicas")
    there = harbor.deployment.disruption_budgets()
    offenders = []
    for workload in several:
        labels = (workload.template.metadata.labels or {}) if workload.template.metadata else {}
        chosen = [budget for budget in there if budgets.chooses(budget, labels)]
        expected = f"a PodDisruptionBudget keeps some of its {workload.desired} replicas"
        if not chosen:
            offenders.append(Offender(workload.object, expected, "none chooses its pods"))
            continue
        # Of several the API lets nothing be evicted at all; what the strictest allows is then too much to say.
        allowed = min(budgets.allowed(budget, workload.desired) for budget in chosen)
        if allowed >= workload.desired:
            names = ", ".join(budget.metadata.name for budget in chosen)
            offenders.append(Offender(workload.object, expected, f"{names} lets all of them go"))
    judge(offenders, examined=len(several))
