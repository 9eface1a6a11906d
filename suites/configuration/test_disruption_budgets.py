"""What keeps a drain from taking all replicas of a part at once."""

from harbor_verify.checks import SHOULD, check
from harbor_verify.findings import Findings
from harbor_verify.model import budgets
from harbor_verify.model.controllers import desired_of
from harbor_verify.target import Target


@check(
    "configuration.disruption-budgets-present",
    hint="Make a PodDisruptionBudget for the workload that is named: `kubectl create poddisruptionbudget NAME "
    "--selector=… --max-unavailable=1`. Without one a drain of several nodes, as each upgrade of the cluster makes "
    "it, may evict all replicas at once. One that lets nobody go (maxUnavailable 0, minAvailable as many as there "
    "are, also of one), or two for the same pods, let no node be drained at all, and whoever has to drain deletes "
    "them. One for several parts counts their pods together, and may let all of one part go: give "
    "every part one of its own.",
    source="Kubernetes: PodDisruptionBudget, eviction; report 1509 of goharbor/harbor-helm",
    needs=("disruption-budgets",),
    severity=SHOULD,
)
def test_a_drain_cannot_evict_all_replicas_of_a_part(harbor: Target, findings: Findings, not_applicable):
    """Every workload with several replicas has one PodDisruptionBudget, and none of any workload lets nobody go.

    Source: Kubernetes API, PodDisruptionBudget: its selector, minAvailable, maxUnavailable, which are of all pods that
    it chooses, of however many parts. Of several replicas some may be evicted at once, and not all. A single one needs
    no budget; one that keeps it keeps its node from being drained.
    """
    workloads = list(harbor.deployment.workloads.values())
    present = harbor.deployment.disruption_budgets()
    counted = [(_labels(workload.template), workload.desired) for workload in workloads]
    if any(sum(budgets.chooses(budget, labels) for labels, _ in counted) > 1 for budget in present):
        # One of several parts may be for a database beside them, too; elsewhere nobody else's objects are read.
        others = harbor.deployment.others()
        counted += [(_labels(item.spec.template), desired_of(item)) for item in others]
    for workload in workloads:
        chosen = [
            _Budget(budget, counted)
            for budget in present
            if budgets.chooses(budget, _labels(workload.template))
        ]
        if workload.desired > 1:
            _examine(findings, workload, chosen)
        elif workload.desired and chosen:
            with findings.about(
                workload.object, "a PodDisruptionBudget lets its one replica be evicted"
            ) as pod:
                for budget in chosen:
                    if budget.allowed < 1:
                        pod.wrong(budget.lets_none_go)
    if not findings.examined:
        not_applicable("no workload has several replicas")


class _Budget:
    """What a PodDisruptionBudget lets go of all the pods that it chooses, which may be those of several parts."""

    def __init__(self, budget, counted):
        """`counted`: the labels and the number of pods of each controller of the release."""
        self.name = budget.metadata.name
        self.pods = sum(desired for labels, desired in counted if budgets.chooses(budget, labels))
        self.allowed = budgets.allowed(budget, self.pods)

    @property
    def lets_none_go(self):
        return f"{self.name} lets none go: no drain ever ends"


def _labels(template):
    return (template.metadata.labels or {}) if template.metadata else {}


def _examine(findings, workload, chosen):
    """Of a workload with several replicas, the budgets that choose its pods."""
    names = ", ".join(budget.name for budget in chosen)
    expected = f"a PodDisruptionBudget keeps some of its {workload.desired} replicas"
    with findings.about(workload.object, expected) as pods:
        if not chosen:
            pods.wrong("none chooses its pods")
        elif len(chosen) > 1:
            observed = f"{names}: of a pod with {len(chosen)} budgets the API refuses every eviction"
            pods.wrong(observed, expected="one PodDisruptionBudget chooses its pods")
        elif (budget := chosen[0]).allowed >= workload.desired:
            together = f": it counts several parts together, and lets {budget.allowed} of their {budget.pods} pods go"
            pods.wrong(f"{names} lets all of them go{together if budget.pods > workload.desired else ''}")
        elif budget.allowed < 1:
            pods.wrong(
                budget.lets_none_go,
                expected=f"a PodDisruptionBudget lets one of its {workload.desired} replicas be evicted",
            )
