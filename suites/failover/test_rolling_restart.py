"""Every pod of a workload is replaced, as an upgrade does it."""

from harbor_verify.checks import check
from harbor_verify.experiments import Experiments
from harbor_verify.failover import CLIENTS_AT_WORK
from harbor_verify.model.roles import Role


@check(
    "failover.web-rolling-restart",
    hint="Requests lost: a pod is ended before its endpoint is gone (a preStop sleep), or gets requests before it "
    "can answer (a readiness probe); {front_door} has to try another replica. With several replicas an upgrade need "
    "not be noticed. All replicas away at once: strategy Recreate (the chart: updateStrategy.type), which one volume "
    "for all nodes does not need; RollingUpdate with maxUnavailable 0. Pods that are still there: the rollout hangs, "
    "`kubectl rollout status`, and why the newest pod is not Ready.",
    source="Kubernetes: Deployment strategy, maxUnavailable; budgets are settings",
    needs=(
        "disruption",
        "workload-changes",
    ),
    builds_on=CLIENTS_AT_WORK,
)
def test_nobody_notices_when_all_web_pods_are_replaced(experiments: Experiments, measured):
    """While all web pods are replaced one after the other, nobody is logged out, no request fails, and nothing is lost.

    Source: budgets are settings; no loss is within any budget.
    """
    survival = experiments.rolling_restart(Role.WEB)
    measured.update(survival.measured)
    survival.require()


@check(
    "failover.registry-rolling-restart",
    hint="Requests lost: a pod is ended before its endpoint is gone (a preStop sleep), or gets requests before it "
    "can answer (a readiness probe); {front_door} has to try another replica. With several replicas an upgrade need "
    "not be noticed. All replicas away at once: strategy Recreate (the chart: updateStrategy.type), which one volume "
    "for all nodes does not need; RollingUpdate with maxUnavailable 0. Pods that are still there: the rollout hangs, "
    "`kubectl rollout status`, and why the newest pod is not Ready.",
    source="Kubernetes: Deployment strategy, maxUnavailable; budgets are settings",
    needs=(
        "disruption",
        "workload-changes",
    ),
    builds_on=CLIENTS_AT_WORK,
)
def test_nobody_notices_when_all_registry_pods_are_replaced(experiments: Experiments, measured):
    """While all registry pods are replaced one after the other, no request fails, and no acknowledged push is lost.

    Source: budgets are settings; no loss is within any budget.
    """
    survival = experiments.rolling_restart(Role.REGISTRY)
    measured.update(survival.measured)
    survival.require()
