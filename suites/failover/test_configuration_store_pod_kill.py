"""A configuration store pod dies."""

from harbor_verify.checks import check
from harbor_verify.experiments import Experiments
from harbor_verify.failover import CLIENTS_AT_WORK
from harbor_verify.model.roles import Role


@check(
    "failover.configuration-store-pod-kill",
    hint="Every {web} asks the Service of the {configuration_store} for its configuration at each login. Requests "
    "lost: give the container a preStop sleep, so that its endpoint is gone before it is, and a readiness "
    "probe. Slow recovery: kubectl describe pod.",
    source="Kubernetes: pod termination, EndpointSlice; budgets are settings",
    needs=("disruption",),
    requires=(Role.CONFIGURATION_STORE,),
    builds_on=CLIENTS_AT_WORK,
)
def test_nothing_is_lost_and_nobody_waits_when_a_configuration_store_pod_dies(
    experiments: Experiments, measured
):
    """When a configuration store pod is deleted, logins, sessions, pushes and pulls go on, and it is replaced in time.

    Source: budgets are settings (outage, failed requests, recovery); no loss is within any budget.
    """
    survival = experiments.pod_kill(Role.CONFIGURATION_STORE)
    measured.update(survival.measured)
    survival.require()
