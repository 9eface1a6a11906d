"""A page pod dies: what serves the web interface's files, where that is a part of its own."""

from harbor_verify.checks import check
from harbor_verify.experiments import Experiments
from harbor_verify.failover import CLIENTS_AT_WORK
from harbor_verify.model.roles import Role


@check(
    "failover.page-pod-kill",
    hint="Only browsers ask the {page}, for the files of the web interface: if other requests were lost, see what "
    "else was going on. The page lost: give the container a preStop sleep, so that its endpoint is gone before it "
    "is, and a second replica. Slow recovery: kubectl describe pod.",
    source="Kubernetes: pod termination, EndpointSlice; budgets are settings",
    needs=("disruption",),
    requires=(Role.PAGE,),
    builds_on=CLIENTS_AT_WORK,
)
def test_nothing_is_lost_and_nobody_waits_when_a_page_pod_dies(experiments: Experiments, measured):
    """When a page pod is deleted, the page, logins, sessions, pushes and pulls go on, and it is replaced in time.

    Source: budgets are settings (outage, failed requests, recovery); no loss is within any budget.
    """
    survival = experiments.pod_kill(Role.PAGE)
    measured.update(survival.measured)
    survival.require()
