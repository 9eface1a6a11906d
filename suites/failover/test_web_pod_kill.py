"""A web pod dies."""

from harbor_verify.checks import check
from harbor_verify.experiments import Experiments
from harbor_verify.failover import CLIENTS_AT_WORK
from harbor_verify.model.roles import Role


@check(
    "failover.web-pod-kill",
    hint="Sessions lost: they are in the pod's memory; see sessions.known-to-every-replica. Requests lost: give the "
    "container a preStop sleep, so that its endpoint is gone before it is, a readiness probe, and let the front door "
    "try another upstream. Slow recovery: kubectl describe pod, and what {web} waits for at its start. The history "
    "in the report's folder has every request.",
    source="Kubernetes: pod termination, EndpointSlice; budgets are settings",
    needs=("disruption",),
    builds_on=CLIENTS_AT_WORK,
)
def test_nobody_is_logged_out_or_waits_when_a_web_pod_dies(experiments: Experiments, measured):
    """When a web pod is deleted, every session stays known on every replica, logins go on, and it is replaced in time.

    Source: budgets are settings (outage, failed requests, recovery); no lost session is within any budget.
    """
    survival = experiments.pod_kill(Role.WEB)
    measured.update(survival.measured)
    survival.require()
