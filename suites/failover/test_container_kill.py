"""A program dies where it is, and its pod stays."""

from harbor_verify.checks import check
from harbor_verify.experiments import Experiments
from harbor_verify.failover import CLIENTS_AT_WORK
from harbor_verify.model.roles import Role


@check(
    "failover.web-container-kill",
    hint="Requests lost for long: what stands before the {web} replicas has to try another one, at once and not "
    "after a time-out ({try_another}), and a readiness probe has to take the dead one out in "
    "seconds. Restarts that take long, or do not come: what {web} waits for at its start, and `kubectl describe pod` "
    "(CrashLoopBackOff, restartPolicy).",
    source="Kubernetes: restartPolicy; budgets are settings",
    needs=(
        "disruption",
        "machine-control",
    ),
    builds_on=CLIENTS_AT_WORK,
)
def test_clients_hardly_notice_when_a_web_program_dies(experiments: Experiments, measured):
    """When the program of a web replica is killed in its pod, clients hardly notice, and nothing is lost.

    Source: budgets are settings; no loss is within any budget.
    """
    survival = experiments.container_kill(Role.WEB)
    measured.update(survival.measured)
    survival.require()


@check(
    "failover.registry-container-kill",
    hint="Pushes lost: an acknowledged blob was not on the volume yet. Requests lost for long: whoever speaks to the "
    "registry has to try another replica at once.",
    source="Kubernetes: restartPolicy; budgets are settings",
    needs=(
        "disruption",
        "machine-control",
    ),
    builds_on=CLIENTS_AT_WORK,
)
def test_no_push_is_lost_when_a_registry_program_dies(experiments: Experiments, measured):
    """When the program of a registry replica is killed in its pod, no push is lost, and clients hardly notice.

    Source: budgets are settings; no loss is within any budget.
    """
    survival = experiments.container_kill(Role.REGISTRY)
    measured.update(survival.measured)
    survival.require()
