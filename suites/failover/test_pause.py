"""A program hangs: the worse case, since nothing refuses."""

from harbor_verify.checks import check
from harbor_verify.experiments import Experiments
from harbor_verify.failover import CLIENTS_AT_WORK
from harbor_verify.model.roles import Role


@check(
    "failover.web-pause",
    hint="A replica that hangs takes connections and answers nothing; only time-outs see it. Give its readiness "
    "probe a real question with a time-out of a second or two (an open port is not enough), and whoever stands "
    "before it a short time-out for the first byte of an answer, and another replica to try. If Kubernetes goes on "
    "calling it Ready: there is no readinessProbe, or it asks another program than the one that hangs.",
    source="Kubernetes: readinessProbe timeoutSeconds; budgets are settings",
    needs=(
        "disruption",
        "machine-control",
    ),
    builds_on=CLIENTS_AT_WORK,
)
def test_clients_get_by_when_a_web_replica_hangs(experiments: Experiments, measured):
    """While a web replica hangs, clients go without answers for seconds at most, and nothing is lost.

    Source: budgets are settings; no loss is within any budget.
    """
    survival = experiments.pause(Role.WEB)
    measured.update(survival.measured)
    survival.require()


@check(
    "failover.registry-pause",
    hint="A replica that hangs takes connections and answers nothing; only time-outs see it. Give its readiness "
    "probe a real question with a time-out of a second or two (an open port is not enough), and whoever stands "
    "before it a short time-out for the first byte of an answer, and another replica to try. If Kubernetes goes on "
    "calling it Ready: there is no readinessProbe, or it asks another program than the one that hangs.",
    source="Kubernetes: readinessProbe timeoutSeconds; budgets are settings",
    needs=(
        "disruption",
        "machine-control",
    ),
    builds_on=CLIENTS_AT_WORK,
)
def test_clients_get_by_when_a_registry_replica_hangs(experiments: Experiments, measured):
    """While a registry replica hangs, clients go without answers for seconds at most, and no push is lost.

    Source: budgets are settings; no loss is within any budget.
    """
    survival = experiments.pause(Role.REGISTRY)
    measured.update(survival.measured)
    survival.require()
