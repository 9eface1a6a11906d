"""A workload is scaled down to one replica, and back."""

from harbor_verify.checks import check
from harbor_verify.experiments import Experiments
from harbor_verify.failover import CLIENTS_AT_WORK
from harbor_verify.model.roles import Role


@check(
    "failover.web-scale-down",
    hint="Requests lost: a pod is ended before its endpoint is gone (a preStop sleep), or gets requests before it "
    "can answer (a readiness probe); {front_door} has to try another replica. With several replicas an upgrade need "
    "not be noticed. If nothing answers on the one that is left, it cannot carry the load alone. If it fails on and "
    "on, some node still leads to pods that are gone (kube-proxy, or whatever stands in for it, hangs there).",
    source="Kubernetes: spec.replicas; budgets are settings",
    needs=(
        "disruption",
        "workload-changes",
    ),
    builds_on=CLIENTS_AT_WORK,
)
def test_nobody_notices_when_web_replicas_are_scaled_down_and_back(experiments: Experiments, measured):
    """While web replicas are scaled down to one and back, no request fails, and nothing is lost.

    Source: budgets are settings; no loss is within any budget.
    """
    survival = experiments.scale_down(Role.WEB)
    measured.update(survival.measured)
    survival.require()
