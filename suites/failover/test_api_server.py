"""The Kubernetes API server is gone for a moment."""

from harbor_verify.checks import check
from harbor_verify.experiments import Experiments
from harbor_verify.failover import CLIENTS_AT_WORK


@check(
    "failover.api-server-loss",
    hint="Nothing that users ask Harbor for needs the API server: what was lost went through something that follows it "
    "(an ingress controller that drops its configuration, a proxy or a mesh whose endpoints expire; a PostgreSQL whose "
    "Patroni keeps its leader in Kubernetes, without `failsafe_mode: true`), a livenessProbe that asks it restarted "
    "all replicas at once (`kubectl describe pod`, events), or a kubelet could not renew its Lease, and its node's "
    "pods were taken out of all Services when the API server was back (node-monitor-grace-period).",
    source="Kubernetes: components, node Leases; budgets are settings",
    needs=(
        "disruption",
        "machine-control",
    ),
    builds_on=CLIENTS_AT_WORK,
)
def test_nobody_notices_when_the_api_server_is_gone(experiments: Experiments, measured):
    """While the API server of the cluster is gone, clients at the front door notice nothing, and nothing is lost.

    Source: budgets are settings; no loss is within any budget.
    """
    survival = experiments.api_server_loss()
    measured.update(survival.measured)
    survival.require()
