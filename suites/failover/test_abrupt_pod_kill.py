"""A pod dies at once, without the time to say goodbye."""

from harbor_verify.checks import check
from harbor_verify.experiments import Experiments
from harbor_verify.failover import CLIENTS_AT_WORK
from harbor_verify.model.roles import Role


@check(
    "failover.web-abrupt-pod-kill",
    hint="Requests lost for long: what stands before the {web} replicas has to try another one, at once and not "
    "after a time-out ({try_another}), and a readiness probe has to take the dead one out in "
    "seconds. Sessions lost: see sessions.known-to-every-replica.",
    source="Kubernetes: pod deletion with a grace of 1 s; budgets are settings",
    needs=("disruption",),
    builds_on=CLIENTS_AT_WORK,
)
def test_clients_hardly_notice_when_a_web_pod_dies_at_once(experiments: Experiments, measured):
    """When a web pod dies without grace, clients hardly notice, and nothing is lost.

    Source: budgets are settings; no loss is within any budget.
    """
    survival = experiments.abrupt_pod_kill(Role.WEB)
    measured.update(survival.measured)
    survival.require()


@check(
    "failover.registry-abrupt-pod-kill",
    hint="Pushes lost: an acknowledged blob was not on the volume yet; see storage.* and "
    "configuration.registry-root-inside-volume. Requests lost for long: whoever speaks to the registry has to try "
    "another replica at once, and a readiness probe has to take the dead one out in seconds.",
    source="Kubernetes: pod deletion with a grace of 1 s; budgets are settings",
    needs=("disruption",),
    builds_on=CLIENTS_AT_WORK,
)
def test_no_push_is_lost_when_a_registry_pod_dies_at_once(experiments: Experiments, measured):
    """When a registry pod dies without grace, no acknowledged push is lost, and clients hardly notice.

    Source: budgets are settings; no loss is within any budget.
    """
    survival = experiments.abrupt_pod_kill(Role.REGISTRY)
    measured.update(survival.measured)
    survival.require()


@check(
    "failover.front-door-abrupt-pod-kill",
    hint="Clients come to a replica of {front_door} that is dead until its endpoint is gone: a readiness "
    "probe every other second, and before it a load balancer that tries another at once. It needs a second replica, "
    "on another node.",
    source="Kubernetes: pod deletion with a grace of 1 s; budgets are settings",
    needs=("disruption",),
    requires=(Role.FRONT_DOOR,),
    builds_on=CLIENTS_AT_WORK,
)
def test_clients_hardly_notice_when_a_front_door_pod_dies_at_once(experiments: Experiments, measured):
    """When a front door pod dies without grace, clients hardly notice, and nothing is lost.

    Source: budgets are settings; no loss is within any budget.
    """
    survival = experiments.abrupt_pod_kill(Role.FRONT_DOOR)
    measured.update(survival.measured)
    survival.require()
