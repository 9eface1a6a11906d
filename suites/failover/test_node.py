"""A node is lost, or drained."""

from harbor_verify.checks import check
from harbor_verify.experiments import Experiments
from harbor_verify.failover import CLIENTS_AT_WORK


# First: after a drain the pods that it moved stay together where they are.
@check(
    "failover.node-loss",
    hint="Packets to a lost node go nowhere, and Services lead to its pods until Kubernetes has noticed (40 s, "
    "node-monitor-grace-period): until then whoever asks has to try another replica after a short time to connect "
    "(nginx: proxy_connect_timeout 2s, the upstream several times). Flapping: a Service still leads to "
    "a pod that is gone. All replicas of a part on one node: see configuration.replicas-spread-over-nodes.",
    source="Kubernetes: node-monitor-grace-period; budgets are settings",
    needs=(
        "disruption",
        "nodes",
        "machine-control",
    ),
    builds_on=CLIENTS_AT_WORK,
)
def test_clients_get_by_when_a_node_is_lost(experiments: Experiments, measured):
    """While a node is lost with all that is on it, clients go without answers for a while at most, and nothing is lost.

    Source: budgets are settings; no loss is within any budget.
    """
    survival = experiments.node_loss()
    measured.update(survival.measured)
    survival.require()


@check(
    "failover.node-drain",
    hint="Requests lost: pods end before their endpoints are gone (a preStop sleep). A drain that does not come to "
    "its end: a PodDisruptionBudget that lets nothing go, `kubectl get poddisruptionbudgets`. All replicas of a part "
    "gone at once: see configuration.disruption-budgets-present and configuration.replicas-spread-over-nodes. Answers "
    "that were only slow: the nodes that took the pods over are busy starting them; give Harbor's pods CPU requests.",
    source="Kubernetes: drain, eviction, PodDisruptionBudget; budgets are settings",
    needs=(
        "disruption",
        "nodes",
        "node-changes",
    ),
    builds_on=CLIENTS_AT_WORK,
)
def test_nobody_notices_when_a_node_is_drained(experiments: Experiments, measured):
    """While a node is drained of all Harbor pods, no request fails, nothing is lost, and every replica is Ready again.

    Source: budgets are settings; no loss is within any budget.
    """
    survival = experiments.node_drain()
    measured.update(survival.measured)
    survival.require()
