"""A registry pod dies."""

from harbor_verify.checks import check
from harbor_verify.experiments import Experiments
from harbor_verify.failover import CLIENTS_AT_WORK
from harbor_verify.model.roles import Role


@check(
    "failover.registry-pod-kill",
    hint="Pushes lost: the registry's storage is not shared, or does not outlive the pod, see storage.* and "
    "configuration.registry-root-inside-volume; or something else deletes what is pushed, as a script of your own "
    "beside garbage collection does. Requests lost: give the container a preStop sleep and a "
    "drain timeout, and let the front door try another upstream. Uploads lost: the http.secret must be "
    "the same on each replica.",
    source="Kubernetes: pod termination, EndpointSlice; budgets are settings",
    needs=("disruption",),
    builds_on=CLIENTS_AT_WORK,
)
def test_nothing_is_lost_and_nobody_waits_when_a_registry_pod_dies(experiments: Experiments, measured):
    """When a registry pod is deleted, no acknowledged push is lost, pushes and pulls go on, and it is replaced in time.

    Source: budgets are settings (outage, failed requests, recovery); no loss is within any budget.
    """
    survival = experiments.pod_kill(Role.REGISTRY)
    measured.update(survival.measured)
    survival.require()
