"""A job pod dies."""

from harbor_verify.checks import check
from harbor_verify.experiments import Experiments
from harbor_verify.failover import CLIENTS_AT_WORK
from harbor_verify.model.roles import Role


@check(
    "failover.job-pod-kill",
    hint="Nothing that users do waits for the {job}: if requests were lost, see what else was going on. "
    "Slow recovery: kubectl describe pod; a volume that can be mounted on one node only keeps its "
    "successor waiting.",
    source="Kubernetes: pod termination, EndpointSlice; budgets are settings",
    needs=("disruption",),
    requires=(Role.JOB,),
    builds_on=CLIENTS_AT_WORK,
)
def test_nothing_is_lost_and_nobody_waits_when_a_job_pod_dies(experiments: Experiments, measured):
    """When a job pod is deleted, logins, sessions, pushes and pulls go on, and it is replaced in time.

    Source: budgets are settings (outage, failed requests, recovery); no loss is within any budget.
    """
    survival = experiments.pod_kill(Role.JOB)
    measured.update(survival.measured)
    survival.require()
