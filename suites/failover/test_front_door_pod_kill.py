"""A front door pod dies."""

from harbor_verify.checks import check
from harbor_verify.experiments import Experiments
from harbor_verify.failover import CLIENTS_AT_WORK
from harbor_verify.model.roles import Role


@check(
    "failover.front-door-pod-kill",
    hint="Requests lost: {front_door} must finish what it is answering (nginx: SIGQUIT, not SIGTERM, after a preStop "
    "sleep that lets its endpoint go first), and needs a second replica. Whatever balances in front of it must "
    "check each node's health. Lost evenly and to the end, one of as many as there are replicas: a node still leads to "
    "the dead pod (kube-proxy, or whatever stands in for it, hangs there).",
    source="Kubernetes: pod termination, EndpointSlice; budgets are settings",
    needs=("disruption",),
    requires=(Role.FRONT_DOOR,),
    builds_on=CLIENTS_AT_WORK,
)
def test_nothing_is_lost_and_nobody_waits_when_a_front_door_pod_dies(experiments: Experiments, measured):
    """When a front door pod is deleted, logins, sessions, pushes and pulls go on, and it is replaced in time.

    Source: budgets are settings (outage, failed requests, recovery); no loss is within any budget.
    """
    survival = experiments.pod_kill(Role.FRONT_DOOR)
    measured.update(survival.measured)
    survival.require()
